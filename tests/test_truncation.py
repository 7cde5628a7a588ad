"""Truncated backpropagation: windows and lags, judged as the gradients that they are; what they leave out; refusals."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from sympy import Integer
from test_balls import Edited
from test_wiring import bidirectional

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.derivation import Derivation, hessian_vector_network, segments
from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import At, Divides, StopGradient, dim, t, time_sum, without_stops
from symrnn.functions import parameter, series, tanh
from symrnn.leftout import for_reading, left_out, steps_kept
from symrnn.networks import NETWORKS, Given, Network, Scan, architecture, network
from symrnn.networks.truncation import truncated
from symrnn.networks.wiring import Input, Layer, Readout, wire
from symrnn.printing import from_json, render
from symrnn.rewrite import added
from symrnn.times import Order, Span
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.entrywise.sizes import judged_sizes
from symrnn.verify.numeric import judge_numeric
from symrnn.verify.points import default_sizes, random_point

T = dim("T")
CELLS = ("rnn", "lstm", "gru", "gru-reset-after")
CUTS = [(2, "window"), (3, "window"), ("J", "window"), (1, "lag"), (2, "lag"), (3, "lag")]


@cache
def derived(kind: str, window: Any, form: str = "window") -> Derivation:
    return derive(truncated(network(cell(kind)), window, form=form))


def line(derivation: Derivation, name: str, number: int = -1) -> str:
    return writer.text(derivation.adjoint(name).lines[number].rhs)


@pytest.mark.sampled(11)
@pytest.mark.parametrize(("window", "form"), CUTS)
@pytest.mark.parametrize("kind", CELLS)
def test_lines_of_truncated_networks(kind, window, form):
    judge_entrywise(derived(kind, window, form)).assert_ok()


FEW = [("rnn", "J", "window"), ("lstm", 2, "window"), ("gru", 3, "window"), ("gru-reset-after", 2, "lag"), ("rnn", 1, "lag")]
ALL = [(kind, window, form) for kind in CELLS for window, form in CUTS if (kind, window, form) not in FEW]


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("kind", "window", "form"), [*FEW, *(pytest.param(*case, marks=pytest.mark.full) for case in ALL)])
def test_code_of_truncated_networks(kind, window, form):
    program = to_numpy(derived(kind, window, form))
    judge_numeric(program).assert_ok()
    judge_balls(program).assert_ok()


@pytest.mark.parametrize(("kind", "window", "form"), [
    ("rnn", "J", "window"), ("rnn", 2, "lag"), pytest.param("gru", 2, "window", marks=pytest.mark.full),
])
def test_second_derivatives_of_truncated_networks(kind, window, form):
    judge_entrywise(derive(hessian_vector_network(derived(kind, window, form)))).assert_ok()


def test_one_factor_in_one_line():
    assert line(derived("rnn", "J"), "a") == "δh_t ⊙ (1 - h_t ⊙ h_t)"
    lines = derived("rnn", "J").adjoint("h").lines
    assert [str(e.span) for e in lines] == ["0", "1…T - 1", "T"]
    assert line(derived("rnn", "J"), "h", 1) == "W_hyᵀ δa_{y,t} + [J ∤ t] W_hhᵀ δa_{t+1}"
    assert line(derived("rnn", 3), "h", 1) == "W_hyᵀ δa_{y,t} + [3 ∤ t] W_hhᵀ δa_{t+1}"
    assert writer.latex(lines[1].rhs) == (
        r"W_{hy}^{\top} \delta a_{y,t} + [J \nmid t] W_{hh}^{\top} \delta a_{t+1}"
    )
    assert writer.text(lines[0].rhs.xreplace({t: Integer(0)})) == "W_hhᵀ δa_1"
    forward = next(e for e in derived("rnn", "J").network.equations if e.name == "a")
    assert writer.text(forward.rhs) == "W_hh sg_{J∣t-1>0}(h_{t-1}) + W_xh x_t + b_h"


def test_several_terms_share_the_factor():
    assert line(derived("gru", 2), "h", 1) == (
        "W_hyᵀ δa_{y,t} + [2 ∤ t] (δh_{t+1} ⊙ z_{t+1} + (Uᵀ δa_{h,t+1}) ⊙ r_{t+1} + U_zᵀ δa_{z,t+1} + U_rᵀ δa_{r,t+1})"
    )
    assert line(derived("lstm", 2), "c", 1).endswith("+ [2 ∤ t] (δc_{t+1} ⊙ f_{t+1})")


def test_a_window_of_one_leaves_nothing_through_time():
    assert line(derived("rnn", 1), "h", 1) == "W_hyᵀ δa_{y,t}"
    assert line(derived("rnn", 1), "h", 0) == "W_hhᵀ δa_{t+1}"  # at t = 0


def test_backward_pass_reads_values_without_stops():
    text = render(derived("gru", 2))
    backward = text[text.index("Backward pass"):text.index("Conventions")]
    assert "sg" not in backward
    assert "sg_{2∣t-1>0}(h_{t-1})" in text
    source = to_numpy(derived("rnn", "J")).source
    assert "d_h[t] = d_a_y[t] @ W_hy + d_a[t + 1] @ W_hh * (t % J != 0)" in source
    assert "stop_gradient(h[t - 1], t - 1 > 0 and (t - 1) % J == 0)" in source
    assert "d_W_hh += d_a[t].T @ h[t - 1]" in source
    same = for_reading(derived("gru", 2))
    judge_entrywise(same).assert_ok()


@pytest.mark.full
def test_judges_refuse_the_factor_of_other_times():
    derivation = derived("rnn", 2)
    shifted = replace(derivation, adjoints=tuple(
        replace(a, lines=tuple(replace(e, rhs=e.rhs.xreplace({Divides(2, t): Divides(2, t + 1)})) for e in a.lines))
        for a in derivation.adjoints
    ))
    refuted = {f.quantity: f.detail for f in judge_entrywise(shifted).refuted}
    assert refuted["δh_t, t = 1…T - 1"] == "entry (1, 1) at t = 1 is not the derivative"
    assert "∂L/∂W_hh" in refuted
    for old, new in (("(t % 2 != 0)", "(t % 2 == 0)"), ("* (t % 2 != 0)", ""), ("== 0) @ W_hh", "== 1) @ W_hh")):
        wrong = Edited(derivation, old, new)
        assert {f.quantity for f in judge_numeric(wrong).refuted} >= {"d_W_hh", "d_W_xh"}
        assert {f.quantity for f in judge_balls(wrong).refuted} >= {"d_W_hh", "d_W_xh"}


@pytest.mark.parametrize("form", ["window", "lag"])
@pytest.mark.parametrize("window", [1, 2, 3])
def test_gradients_are_those_of_loops_in_torch(form, window):
    torch = pytest.importorskip("torch")
    derivation = derived("rnn", window, form)
    sizes = default_sizes(derivation)
    values = random_point(derivation.network, sizes, np.random.default_rng(1))
    tensors = {k: torch.tensor(v, requires_grad=k not in {"y"}) for k, v in values.items()}

    def step(state, time):
        return torch.tanh(state @ tensors["W_hh"].T + tensors["x"][:, time] @ tensors["W_xh"].T + tensors["b_h"])

    states, loss = [tensors["h_0"]], 0.0
    for time in range(sizes["T"]):
        if form == "window":
            h = step(states[-1].detach() if time and time % window == 0 else states[-1], time)
        else:
            first = max(0, time + 1 - window)
            h = states[first].detach() if time + 1 - window >= 0 else tensors["h_0"]
            for k in range(first, time + 1):
                h = step(h, k)
        states.append(h)
        logits = h @ tensors["W_hy"].T + tensors["b_y"]
        loss = loss - (tensors["y"][:, time] * torch.log_softmax(logits, -1)).sum()
    loss.backward()
    found_loss, found = to_numpy(derivation).gradients(values)
    assert found_loss == pytest.approx(loss.item(), rel=1e-13)
    for name, gradient in found.items():
        expected = torch.zeros_like(tensors[name]) if tensors[name].grad is None else tensors[name].grad
        np.testing.assert_allclose(gradient, expected.numpy(), rtol=1e-11, atol=1e-12, err_msg=name)


def test_windows_of_a_backward_scan_are_counted_from_the_end():
    net = truncated(bidirectional("rnn"), 2)
    text = {writer.text(e.rhs) for e in net.equations if e.name.startswith("a_")}
    assert "W_{hh,f} sg_{2∣t-1>0}(h_{f,t-1}) + W_{xh,f} x_t + b_{h,f}" in text
    assert "W_{hh,b} sg_{2∣T-t>0}(h_{b,t+1}) + W_{xh,b} x_t + b_{h,b}" in text
    derivation = derive(net)
    assert line(derivation, "h_b", 1).endswith("+ (1 - [2 ∣ T+1-t > 0]) W_{hh,b}ᵀ δa_{b,t-1}") or "[2 ∤ " in line(derivation, "h_b", 1)
    judge_entrywise(derivation).assert_ok()
    program = to_numpy(derivation)
    judge_numeric(program).assert_ok()
    judge_balls(program).assert_ok()
    judge_entrywise(derive(truncated(bidirectional("gru"), 2, form="lag"))).assert_ok()


def two_back() -> Network:
    """A cell that reads two steps back."""
    h, x = series("h", "H"), series("x", "D")
    u, v, w = parameter("U", "H", "D"), parameter("V", "H", "H"), parameter("W", "H", "H")
    own = Cell("skipping", [Equation(h[t], tanh(u @ x[t] + w @ h[t - 1] + v @ h[t - 2]))], inputs=[x])
    return network(own)


def test_a_read_over_a_start_in_between_is_cut():
    net = truncated(two_back(), 3)
    stops = [stop for e in net.equations for stop in e.rhs.atoms(StopGradient)]
    assert "sg_{3∣t-1>0}(sg_{3∣t-2>0}(h_{t-2}))" in {writer.text(stop) for stop in stops}
    derivation = derive(net)
    assert "[3 ∤ t] W" in line(derivation, "h", -2) or "[3 ∤ t]" in str(derivation.adjoint("h").lines)
    for cut in ((3, "window"), (1, "window"), ("J", "window"), (2, "lag"), (3, "lag")):
        judge_entrywise(derive(truncated(two_back(), cut[0], form=cut[1]))).assert_ok()
    judge_balls(to_numpy(derivation)).assert_ok()
    judge_balls(to_numpy(derive(truncated(two_back(), 2, form="lag")))).assert_ok()


def test_levels_have_names_and_parts_of_their_own():
    net = truncated(network(cell("rnn")), 3, form="lag")
    assert {"h_k1", "h_k2", "a_k1", "a_k2", "h"} <= set(net.names)
    assert all(name.isidentifier() for name in net.names)
    assert [e.name for e in net.equations].count("a_y") == 1
    equations = {(e.name, str(e.span)): writer.text(e.rhs) for e in net.equations}
    assert equations["a_k1", "1…T"] == "W_hh sg(h_{t-1}) + W_xh x_t + b_h"
    assert equations["a", "1…T"] == "W_hh h_{k2,t-1} + W_xh x_t + b_h"
    assert equations["h_k2", "0"] == "h_t"
    own = [part for part in net.parts if part.role == "layer"]
    assert all({"h_k1", "a_k2"} <= set(part.names) for part in own)
    again = truncated(net, 2, form="lag")
    assert "h_k2_1" in again.names


def built() -> list[Any]:
    """Every architecture, with an attention and with its output fed back where it takes them."""
    found = []
    for name, made in NETWORKS.items():
        back = {"feed": "output"} if "attention" in made.options else {"feed": "output", "task": "one-to-many"}
        fitting = [options for options in ({}, {"attention": "dot"}, back) if options.keys() <= set(made.options)]
        found += [pytest.param(name, options, id="-".join([name, *options.values()])) for options in fitting]
    return found


@pytest.mark.sampled(7)
@pytest.mark.parametrize(("name", "options"), built())
def test_truncated_architectures(name, options):
    net = architecture(name, cell("gru"), **options)
    for form in ("window", "lag"):
        derivation = derive(truncated(net, 2, form=form))
        judge_entrywise(derivation).assert_ok()
        assert left_out(derivation)
        assert "Left out" in render(derivation)


def test_reads_of_other_scans_are_not_cut():
    net = truncated(bidirectional("rnn"), 2)
    ends = next(e for e in net.equations if e.name == "a_y")
    assert not ends.rhs.has(StopGradient)
    stopped = {leaf.name for e in net.equations for stop in e.rhs.atoms(StopGradient) for leaf in stop.atoms(At)}
    assert stopped == {"h_f", "h_b"}


@pytest.mark.parametrize(("window", "form", "message"), [
    (0, "window", r"^the window must be a positive whole number or a letter such as J; got 0$"),
    (True, "window", r"^the window must be a positive whole number or a letter such as J; got True$"),
    (1.5, "window", r"^the window must be a positive whole number or a letter such as J; got 1.5$"),
    ("t", "window", r"^the window must be a positive whole number or a letter such as J; got 't'$"),
    ("2J", "window", r"^the window must be a positive whole number or a letter such as J; got '2J'$"),
    ("K", "window", r"^the window K is a size of the network 'rnn, many-to-many'; give it a letter of its own, such as J$"),
    ("l", "window", r"^the window must be a positive whole number or a letter such as J; got 'l'$"),
    ("x", "window", r"^the window x is a quantity of the network 'rnn, many-to-many'; give it a letter of its own, such as J$"),
    ("W_hh", "window", r"^the window W_hh is a quantity of the network 'rnn, many-to-many'; give it a letter of its own, such as J$"),
    ("lambda", "window", r"^the window lambda is a word of Python; give it a letter of its own, such as J$"),
    ("J", "lag", r"^a lag must be a positive whole number, since it makes one level for each step; got J$"),
    (2, "windows", r"^unknown form 'windows'; did you mean window\?$"),
])
def test_what_is_no_window_is_refused(window, form, message):
    with pytest.raises(SpecError, match=message):
        truncated(network(cell("rnn")), window, form=form)


def test_what_has_no_past_is_refused():
    flat = network(Cell("flat", [Equation(series("h", "H")[t], parameter("W", "H", "D") @ series("x", "D")[t])], inputs=[series("x", "D")]))
    with pytest.raises(SpecError, match=r"^the network 'flat, many-to-many' has no recurrence: no scan reads its own past; derive it as it is$"):
        truncated(flat, 2)
    with pytest.raises(SpecError, match=r"^truncated takes a network; got a Cell; write truncated\(network\(cell\), 5\)$"):
        truncated(cell("rnn"), 2)


def test_sizes_can_be_put_in_later():
    net = truncated(network(cell("rnn")), "J").with_sizes({"J": 2})
    assert writer.text(derive(net).adjoint("h").lines[1].rhs) == line(derived("rnn", 2), "h", 1)


def restored(derivation: Derivation) -> Derivation:
    """The derivation of the network without stops that the kept and the left-out terms together are."""
    missing = left_out(derivation)
    full = tuple(replace(e, rhs=without_stops(e.rhs)) for e in derivation.network.equations)
    place = iter(full)
    blocks = tuple(
        Scan(tuple(next(place) for _ in b.equations), b.step) if isinstance(b, Scan) else next(place)
        for b in derivation.network.blocks
    )
    net = replace(derivation.network, blocks=blocks, order=Order())
    adjoints = []
    for adjoint in derivation.adjoints:
        terms = (*adjoint.contributions, *(c for m in missing if m.of == adjoint.of for c in m.contributions))
        lines = segments(adjoint.lhs, net.spans_of(adjoint.of), terms, adjoint.role, Order(), add=added)
        adjoints.append(replace(adjoint, contributions=terms, lines=lines))
    return replace(derivation, network=net, adjoints=tuple(adjoints))


def stopped_by_hand() -> Network:
    """Stops of several kinds in one equation, one of them inside another."""
    h, x = series("h", "H"), series("x", "D")
    u, w = parameter("U", "H", "D"), parameter("W", "H", "H")
    inner = StopGradient(h[t - 1], Divides(2, t))
    rhs = tanh(u @ x[t] + w @ StopGradient(tanh(w @ inner), Divides(3, t)) + h[t - 1] * StopGradient(w @ h[t - 1]) + inner)
    loss = parameter("L", 1, 1)
    givens = (*(Given(p, "parameter") for p in (u, w)), Given(x, "input", Span(1, T)), Given(h, "initial", Span(0, 0)))
    scan = Scan((Equation(h[t], rhs, Span(1, T)),))
    return Network("by hand", givens, (scan, Equation(loss, time_sum(h[t].T @ h[t], 1, T), None, "loss")), loss)


@pytest.mark.sampled(8)
@pytest.mark.parametrize("make", [
    *(lambda kind=kind: derived(kind, 2) for kind in CELLS), lambda: derived("gru", 2, "lag"),
    lambda: derive(truncated(two_back(), 2)), lambda: derive(stopped_by_hand()),
])
def test_what_is_left_out_is_what_the_full_gradient_has_more(make):
    derivation = make()
    judge_entrywise(derivation).assert_ok()
    whole = restored(derivation)
    judge_entrywise(whole).assert_ok()
    assert judge_entrywise(replace(derivation, network=whole.network)).refuted
    sizes = default_sizes(derivation)
    values = random_point(derivation.network, sizes, np.random.default_rng(0))
    full = to_numpy(derive(whole.network)).gradients(values)[1]
    again = to_numpy(whole).gradients(values)[1]
    kept = to_numpy(derivation).gradients(values)[1]
    for name in (g.name for g in derivation.wanted if g.kind == "parameter"):
        np.testing.assert_allclose(again[name], full[name], rtol=1e-10, atol=1e-12, err_msg=name)
    assert max(np.abs(full[name] - kept[name]).max() for name in full) > 1e-3


def test_left_out_terms_say_where():
    [missing] = left_out(derived("rnn", "J"))
    assert (str(missing.lhs), str(missing.span)) == ("δh_t", "0…T - 1") or missing.lhs.key == "d_h_t"
    assert missing.condition == Divides(dim("J"), t, 1)
    assert writer.text(missing.bare) == "W_hhᵀ δa_{t+1}"
    assert writer.text(missing.term) == "[J ∣ t > 0] W_hhᵀ δa_{t+1}"
    [contribution] = missing.contributions
    assert contribution.step.reader.name == "a"
    assert contribution.step.rules[-1] == "vjp_stop_gradient"
    assert left_out(derive(network(cell("rnn")))) == ()
    with pytest.raises(SpecError, match=r"^left_out takes a derivation; got a Network; write left_out\(derive\(network\)\)$"):
        left_out(network(cell("rnn")))


def test_left_out_terms_are_printed():
    def section(derivation, **options):
        text = render(derivation, **options)
        start = text.index("Left out")
        return " ".join(text[start:text.index("Conventions", start)].split())

    pairs = (
        " The full gradient in a parameter is a sum over the times t of the losses and, for each, over the steps k up to t."
        " Of these pairs, those with k and t in one window are kept."
    )
    assert section(derived("rnn", "J")) == "Left out -------- In δh_t, at t = J, 2J, …: W_hhᵀ δa_{t+1}." + pairs
    assert section(derived("rnn", 2)) == "Left out -------- In δh_t, at t = 2, 4, …: W_hhᵀ δa_{t+1}." + pairs
    assert section(derived("rnn", 2, "lag")) == (
        "Left out -------- In δh_t, at t = 0, …, T-1: W_hhᵀ δa_{k1,t+1}."
        + pairs.replace("k and t in one window", "t - k < 2").removesuffix(".") + ": a loss reaches 2 steps, its own included."
    )
    assert "at t = T-1, T-3, …: W_{hh,b}ᵀ δa_{b,t-1}." in section(derive(truncated(bidirectional("rnn"), 2)))
    stacked = architecture("stacked", cell("rnn"), layers=2)
    assert section(derive(truncated(stacked, 2))).endswith(pairs)
    turned = wire(Input("x"), Layer("l1", cell("rnn"), reads="x", direction="backward"), Readout(reads="l1"))
    assert section(derive(truncated(turned, 2))).endswith(pairs.replace("up to t.", "from t on."))


@pytest.mark.parametrize(("name", "options"), [("bidirectional", {}), ("encoder-decoder", {}), ("encoder-decoder", {"attention": "dot"})])
def test_of_several_scans_no_pairs_of_times_are_spoken(name, options):
    text = " ".join(render(derive(truncated(architecture(name, cell("rnn"), **options), 2))).split())
    assert "pairs" not in text
    assert (
        "Each scan has windows of its own, and what a window reads of an earlier one is not differentiated; what one scan reads of"
        " another is. Conventions"
    ) in text


def test_left_out_in_latex_and_of_nothing():
    assert r"In $\delta h_{t}$, at $t = J$, $2 J$, $\dots$: $W_{hh}^{\top} \delta a_{t+1}$." in render(derived("rnn", "J"), "latex")
    assert r"\nmid is of amssymb" in render(derived("rnn", "J"), "latex")
    assert "Left out" not in render(derive(network(cell("rnn"))))
    assert render(derived("lstm", "J"), ascii=True).isascii()


def test_the_signs_of_stops_are_explained():
    window, lag, full = (" ".join(render(d).split()) for d in (derived("rnn", 2), derived("rnn", 2, "lag"), derive(network(cell("rnn")))))
    held = (
        "sg_C(q) is q, and where the condition C holds nothing is differentiated through it; [C] is 1 where C holds, and 0 elsewhere."
    )
    always = "sg(q) is q, and nothing is differentiated through it."
    assert [held in text for text in (window, lag, full)] == [True, False, False]
    assert [always in text for text in (window, lag, full)] == [False, True, False]
    assert r"$\operatorname{sg}_{C}(q)$ is q" in render(derived("rnn", 2), "latex")


def test_json_of_a_truncated_derivation_reads_back():
    for case in (("gru", "J", "window"), ("rnn", 2, "lag")):
        derivation = derived(*case)
        assert from_json(render(derivation, "json")) == derivation


@pytest.mark.parametrize(("window", "length"), [(2, 4), (4, 6), (9, 11), ("J", 4)])
def test_judges_look_at_sequences_longer_than_a_window(window, length):
    sizes = {str(letter): size for letter, size in judged_sizes(derived("rnn", window), None).items()}
    assert sizes["T"] >= length
    assert default_sizes(derived("rnn", window))["T"] >= length
    if window == "J":
        assert sizes["J"] == default_sizes(derived("rnn", window))["J"] == 2
        assert judged_sizes(derived("rnn", "J"), {"J": 3})[dim("T")] >= 5


def test_a_left_out_term_keeps_its_factor():
    h, x, W = series("h", "H"), series("x", "H"), parameter("W", "H", "H")
    minus = Cell("minus", [Equation(h[t], tanh(x[t] - W @ h[t - 1]))], inputs=[x])
    missing, = left_out(derive(truncated(network(minus), 2)))
    assert writer.text(missing.bare).startswith("-Wᵀ ")
    assert "t = 2, 4, …: -Wᵀ " in render(derive(truncated(network(minus), 2)))


@pytest.mark.parametrize(("name", "size"), [("rnn", 1), ("gru", 2), ("lstm", 3)])
def test_the_lag_says_which_pairs_of_times_are_kept(name: str, size: int) -> None:
    net = truncated(network(cell(name)), size, form="lag")
    assert steps_kept(net) == size
    text = " ".join(render(derive(net)).split())
    assert f"Of these pairs, those with t - k < {size} are kept: a loss reaches {size} step{'s' if size > 1 else ''}," in text


def test_windows_cut_no_recurrence_for_good() -> None:
    assert steps_kept(truncated(network(cell("rnn")), 2)) is None
    assert steps_kept(network(cell("lstm"))) is None
