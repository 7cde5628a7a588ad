"""Networks of several parts, wired by hand from marked cells: stacked, bidirectional, encoder-decoder with attention."""

from __future__ import annotations

from dataclasses import replace

from symrnn.cells import cell
from symrnn.equations import Equation
from symrnn.expr import (
    At,
    Columns,
    Gather,
    LogSoftmax,
    Ones,
    Series,
    Softmax,
    Static,
    Total,
    bound_index,
    dim,
    t,
    time_sum,
)
from symrnn.functions import parameter, series, stack, tanh
from symrnn.networks import Given, Network, Part, Relation, Scan, name_operands
from symrnn.times import Span

T, S = dim("T"), dim("S")


class Wiring:
    """Collects givens, blocks and parts."""

    def __init__(self):
        self.givens, self.blocks, self.parts = [], [], []

    def part(self, role, mark, cell_name, equations, parameters):
        names = [p.name for p in parameters] + [e.name for e in equations]
        self.parts.append(Part(role, mark, cell_name, tuple(dict.fromkeys(names))))
        self.givens += [Given(p, "parameter") for p in parameters if p not in {g.quantity for g in self.givens}]

    def layer(self, kind, mark, reads, span, *, step=1, starts=None, size="H"):
        """A cell as one layer: its names marked, its input replaced, its past turned round for a backward scan."""
        source = cell(kind)
        split = name_operands(source.equations)
        end = f"_{mark}" if mark else ""
        sizes = {dim("D"): reads.shape[0], dim("H"): dim(size)}
        own = {e.quantity: Series(f"{e.name}{end}", (), *e.quantity.shape) for e in split}
        own = {q: s.xreplace({dim("H"): dim(size)}) for q, s in own.items()}
        weights = {p: Static(f"{p.name}{end}", (), *p.shape).xreplace(sizes) for p in source.parameters}
        swap = {**own, **weights, source.inputs[0]: reads}
        equations = []
        for e in split:
            turned = {leaf: leaf.series[t - (leaf.time - t)] for leaf in e.rhs.atoms(At)} if step == -1 else {}
            equations.append(Equation(e.lhs.xreplace(swap), e.rhs.xreplace(turned).xreplace(swap), span, e.role))
        before = span.lo - 1 if step == 1 else span.hi + 1
        for state in source.states:
            if starts is None:
                self.givens.append(Given(own[state], "initial", Span(before, before)))
            else:
                begin = Series(f"{state.name}_{starts}", (), *own[state].shape)
                equations.insert(0, Equation(own[state][t], begin[S], Span(before, before)))
        self.part("layer", mark, kind, equations, weights.values())
        return equations, own[source.output]

    def readout(self, state, *, weight=None):
        """Softmax readout with cross-entropy at each time."""
        a, y_hat, y, ell = (series(n, size) for n, size in (("a_y", "K"), ("y_hat", "K"), ("y", "K"), ("ell", 1)))
        own = parameter("W_hy", "K", state.shape[0]) if weight is None else weight
        equations = [
            Equation(a[t], own @ state[t], Span(1, T), "pre-activation"),
            Equation(y_hat[t], Softmax(a[t]), Span(1, T), "output"),
            Equation(ell[t], -(y[t].T @ LogSoftmax(a[t])), Span(1, T), "loss"),
        ]
        self.givens.append(Given(y, "target", Span(1, T)))
        self.part("readout", "", "", [*equations, Equation(Static("L"), Static("L"))], [own] if weight is None else [])
        return equations

    def network(self, name):
        total = Equation(Static("L"), time_sum(series("ell", 1)[t], 1, T), None, "loss")
        simplex = (Relation(Total(series("y", "K")[t]), Ones(1, 1)),)
        return Network(name, tuple(self.givens), (*self.blocks, total), Static("L"), simplex, parts=tuple(self.parts))


def stacked(*kinds):
    """Layers on top of each other, each a scan of its own."""
    wiring = Wiring()
    state = series("x", "D")
    wiring.givens.append(Given(state, "input", Span(1, T)))
    for number, kind in enumerate(kinds, 1):
        equations, state = wiring.layer(kind, f"l{number}", state, Span(1, T))
        wiring.blocks.append(Scan(tuple(equations)))
    wiring.blocks.append(Scan(tuple(wiring.readout(state))))
    return wiring.network("stacked " + " ".join(dict.fromkeys(kinds)))


def bidirectional(kind, layers=1):
    """A forward and a backward layer in each story, put on top of each other."""
    wiring = Wiring()
    state = series("x", "D")
    wiring.givens.append(Given(state, "input", Span(1, T)))
    for number in range(1, layers + 1):
        story = f"l{number}_" if layers > 1 else ""
        forward, h_f = wiring.layer(kind, f"{story}fw", state, Span(1, T))
        backward, h_b = wiring.layer(kind, f"{story}bw", state, Span(1, T), step=-1)
        both = stack(h_f[t], h_b[t])
        state = Series(f"h_{story}".rstrip("_"), (), *both.shape)
        merge = [Equation(state[t], both, Span(1, T), "hidden state")]
        wiring.part("merge", story.rstrip("_"), kind, merge, [])
        wiring.blocks += [Scan(tuple(forward)), Scan(tuple(backward), -1), Scan(tuple(merge))]
    wiring.blocks.append(Scan(tuple(wiring.readout(state))))
    return wiring.network(f"bidirectional {kind}")


def attentive(kind="rnn", *, tied=False):
    """Encoder over 1..S, decoder over 1..T that starts where the encoder ends; embedded tokens; additive attention."""
    wiring = Wiring()
    v, w = series("v", 1), series("w", 1)
    source, target = series("u_enc", "D"), series("u_dec", "D")
    table = parameter("E_w", "D", "K" if tied else "V")
    wiring.givens += [Given(v, "integer", Span(1, S)), Given(w, "integer", Span(1, T))]
    lookup = Equation(source[t], Gather(table, v[t]), Span(1, S), "input")
    wiring.part("embedding", "enc", "", [lookup], [table])
    encoder, h_e = wiring.layer(kind, "enc", source, Span(1, S))
    states, k = Static("E", (), "H", S), bound_index(1)
    wiring.blocks += [Scan((lookup,)), Scan(tuple(encoder)), Equation(states, Columns(h_e[k], k, 1, S), None, "encoder states")]
    read, both = Equation(target[t], Gather(table, w[t]), Span(1, T), "input"), series("u_ctx", dim("D") + dim("H"))
    wiring.part("embedding", "dec", "", [read], [])
    h_d, e, alpha, ctx = series("h_dec", "H"), series("e", S), series("alpha", S), series("ctx", "H")
    w_q, w_k, vector = parameter("W_q", "A", "H"), parameter("W_k", "A", "H"), parameter("v_a", "A")
    score = tanh(w_q @ h_d[t - 1] @ Ones(1, S) + w_k @ states)
    attention = list(name_operands([
        Equation(e[t], (vector.T @ score).T, Span(1, T), "score"),
        Equation(alpha[t], Softmax(e[t]), Span(1, T), "weights"),
        Equation(ctx[t], states @ alpha[t], Span(1, T), "context"),
        Equation(both[t], stack(target[t], ctx[t]), Span(1, T), "input"),
    ]))
    wiring.part("attention", "", "", [Equation(states, states), *attention], [w_q, w_k, vector])
    decoder, h_d = wiring.layer(kind, "dec", both, Span(1, T), starts="enc")
    wide = parameter("W_hy", "D", "H")
    ends = [Equation(series("g", "D")[t], wide @ h_d[t], Span(1, T), "value")] if tied else []
    wiring.part("dense", "", "", ends, [wide] if tied else [])
    ends += wiring.readout(series("g", "D"), weight=table.T) if tied else wiring.readout(h_d)
    wiring.blocks.append(Scan((*decoder[:1], read, *attention, *decoder[1:], *ends)))
    return wiring.network(f"encoder-decoder {kind}")


def without_parts(network):
    """The same network, with nothing said of its parts."""
    return replace(network, parts=())
