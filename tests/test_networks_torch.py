"""Generated code of the named architectures against torch.nn, in float64 to 1e-11; masks against packed sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.codegen import to_numpy
from symrnn.networks import architecture
from symrnn.networks.wiring import SCORES, Input, Last, Layer, Merge, Readout, wire
from symrnn.verify.points import random_point

torch = pytest.importorskip("torch")

CLOSE = 1e-11
SIZES = {"B": 4, "T": 5, "S": 6, "D": 3, "H": 4, "K": 2, "V": 7, "M": 5, "A": 3}
ROWS = {
    "rnn": (("W_xh",), ("W_hh",), ("b_h",), ("",)),
    "lstm": (("U_i", "U_f", "U_c", "U_o"), ("W_i", "W_f", "W_c", "W_o"), ("b_i", "b_f", "b_c", "b_o"), ("",) * 4),
    "gru-reset-after": (("W_r", "W_z", "W_n"), ("U_r", "U_z", "U_n"), ("b_r", "b_z", "b_Wn"), ("", "", "b_Un")),
}
"""Our parameters in PyTorch's order of gates (LSTM i, f, g, o; GRU r, z, n), for each of its four parameters."""
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru-reset-after": torch.nn.GRU}


class Theirs:
    """Our values as leaves of PyTorch's graph, and modules that run on them."""

    def __init__(self, kind: str, values: dict[str, Any]) -> None:
        self.kind, self.values = kind, values
        self.p = {n: torch.tensor(v).requires_grad_(v.dtype.kind == "f" and n != "y" and n[0] != "m") for n, v in values.items()}

    def stacked(self, names: tuple[str, ...], mark: str) -> Any:
        """Ours under each other; zeros where there is none."""
        like = self.p[f"{ROWS[self.kind][2][0]}_{mark}"]
        return torch.cat([self.p[f"{n}_{mark}"] if n else torch.zeros_like(like) for n in names])

    def parameters(self, *marks: str) -> dict[str, Any]:
        """PyTorch's parameters; one mark for each layer, or two for each where the module runs both ways."""
        found = {}
        for number, mark in enumerate(marks):
            end = f"_l{number // 2}" + "_reverse" * (number % 2) if mark.endswith(("fw", "bw")) else f"_l{number}"
            for name, rows in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), ROWS[self.kind], strict=True):
                found[name + end] = self.stacked(rows, mark)
        return found

    def states(self, *names: str) -> Any:
        """What the module starts from."""
        stacks = tuple(torch.stack([self.p[f"{q}_{n}"] for n in names]) for q in ("h", "c")[:2 if self.kind == "lstm" else 1])
        return stacks if self.kind == "lstm" else stacks[0]

    def run(self, x: Any, marks: tuple[str, ...], start: Any, lengths: Any = None) -> tuple[Any, Any]:
        """A module over a batch, packed where there are lengths: all outputs, and the last states."""
        ways = 2 if marks[0].endswith("fw") else 1
        module = MODULES[self.kind](
            x.shape[-1], SIZES["H"], len(marks) // ways, batch_first=True, bidirectional=ways == 2).double()
        if lengths is not None:
            x = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        h, last = torch.func.functional_call(module, self.parameters(*marks), (x, start))
        if lengths is not None:
            h, _ = torch.nn.utils.rnn.pad_packed_sequence(h, batch_first=True, total_length=int(max(lengths)))
        return h, last

    def loss(self, h: Any, weight: str = "W_hy") -> Any:
        """Softmax readout and cross-entropy, summed over times and sequences; tied where the weight is a table."""
        logits = torch.nn.functional.linear(h, self.p["W_hy"] if weight == "W_hy" else self.p[weight].T, self.p["b_y"])
        y, width = self.p["y"], logits.shape[-1]
        y = y.reshape(-1, width) if y.is_floating_point() else y.reshape(-1)
        return torch.nn.functional.cross_entropy(logits.reshape(-1, width), y, reduction="sum")

    def gradients(self, loss: Any) -> dict[str, Any]:
        wanted = [n for n, value in self.p.items() if value.requires_grad]
        return dict(zip(wanted, (g.numpy() for g in torch.autograd.grad(loss, [self.p[n] for n in wanted])), strict=True))


def values_of(net: Any, lengths: dict[str, Any] | None = None) -> dict[str, Any]:
    """Random numbers; masks are 1 up to the length of each sequence."""
    values = random_point(net, SIZES, np.random.default_rng(3))
    for name, own in (lengths or {}).items():
        values[name] = (np.arange(values[name].shape[1]) < own[:, None]).astype(float)
    return values


def assert_agrees(net: Any, values: dict[str, Any], theirs: Theirs, loss: Any) -> None:
    """Loss and every gradient, relative to the largest entry of each."""
    found_loss, found = to_numpy(derive(net)).gradients(values)
    assert found_loss == pytest.approx(loss.item(), rel=CLOSE)
    expected = theirs.gradients(loss)
    assert found.keys() == expected.keys()
    for name, other in expected.items():
        assert np.abs(other).max() > 1e-7, name
        assert np.abs(found[name] - other).max() <= CLOSE * np.abs(other).max(), name


@pytest.mark.parametrize("kind", MODULES)
def test_two_layers(kind: str) -> None:
    net = architecture("stacked", cell(kind), layers=2)
    values = values_of(net)
    theirs = Theirs(kind, values)
    h, _ = theirs.run(theirs.p["x"], ("l1", "l2"), theirs.states("l1_0", "l2_0"))
    assert_agrees(net, values, theirs, theirs.loss(h))


@pytest.mark.sampled(4)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("kind", MODULES)
def test_both_directions(kind: str, layers: int) -> None:
    """At T = 5 the initial states of a backward scan are those at 6: ``h_bw_Tp1``."""
    net = architecture("bidirectional", cell(kind), layers=layers)
    values = values_of(net)
    theirs = Theirs(kind, values)
    marks = ("fw", "bw") if layers == 1 else ("l1_fw", "l1_bw", "l2_fw", "l2_bw")
    starts = [f"{mark}_0" if mark.endswith("fw") else f"{mark}_Tp1" for mark in marks]
    h, _ = theirs.run(theirs.p["x"], marks, theirs.states(*starts))
    assert_agrees(net, values, theirs, theirs.loss(h))


@pytest.mark.parametrize("kind", ["lstm", "gru-reset-after"])
def test_padded_sequences_in_both_directions(kind: str) -> None:
    """Masks keep the states where a packed sequence has ended, and a backward scan starts there; the last states are read."""
    net = wire(
        Input("x"), Input("m", size=1, kind="mask"),
        Layer("fw", cell(kind), mask="m"), Layer("bw", cell(kind), mask="m", direction="backward"),
        Last("f", reads="fw"), Last("b", reads="bw"), Merge("end", reads=("f", "b")), Readout(reads="end"),
    )
    lengths = np.array([5, 2, 3, 1])
    values = values_of(net, {"m": lengths})
    theirs = Theirs(kind, values)
    _, last = theirs.run(theirs.p["x"], ("fw", "bw"), theirs.states("fw_0", "bw_Tp1"), lengths)
    last = last[0] if kind == "lstm" else last
    assert_agrees(net, values, theirs, theirs.loss(torch.cat([last[0], last[1]], dim=-1)))


def scores_of(theirs: Theirs, score: str, query: Any, keys: Any) -> Any:
    """Scores of a batch of queries over keys, with modules of PyTorch."""
    def linear(name: str, x: Any) -> Any:
        weight = theirs.p[name]
        module = torch.nn.Linear(weight.shape[-1], weight.shape[0], bias=False).double()
        return torch.func.functional_call(module, {"weight": weight}, (x,))

    if score == "additive":
        return torch.tanh(linear("W_a", query)[:, None] + linear("U_a", keys)) @ theirs.p["v_a"]
    asked = linear("W_a", query) if score == "general" else query
    e = torch.bmm(keys, asked[:, :, None])[..., 0]
    return e / np.sqrt(query.shape[-1]) if score == "scaled-dot" else e


def decoded(theirs: Theirs, score: str, keys: Any, state: Any, there: Any) -> Any:
    """A decoder of cells, each step with a context of its own."""
    word, kind = theirs.p["u"], theirs.kind
    own = {"lstm": torch.nn.LSTMCell, "gru-reset-after": torch.nn.GRUCell, "rnn": torch.nn.RNNCell}[kind]
    parameters = {name.removesuffix("_l0"): value for name, value in theirs.parameters("dec").items()}
    states = []
    for time in range(SIZES["T"]):
        query = state[0] if kind == "lstm" else state
        scores = scores_of(theirs, score, query, keys)
        scores = scores if there is None else scores.masked_fill(~there, -torch.inf)
        context = torch.bmm(torch.softmax(scores, dim=-1)[:, None], keys)[:, 0]
        read = torch.cat([word[:, time], context], dim=-1)
        module = own(read.shape[-1], SIZES["H"]).double()
        state = torch.func.functional_call(module, parameters, (read, state))
        states.append(state[0] if kind == "lstm" else state)
    return torch.stack(states, dim=1)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("kind", ["lstm", "gru-reset-after"])
def test_encoder_decoder_with_attention(kind: str, score: str, padded: bool) -> None:
    net = architecture("encoder-decoder", cell(kind), attention=score, source_mask=padded)
    lengths = np.array([3, 6, 1, 4]) if padded else None
    values = values_of(net, {"m_src": lengths} if padded else None)
    theirs = Theirs(kind, values)
    keys, last = theirs.run(theirs.p["x"], ("enc",), theirs.states("enc_0"), lengths)
    last = tuple(s[0] for s in last) if kind == "lstm" else last[0]
    there = torch.tensor(values["m_src"] != 0) if padded else None
    assert_agrees(net, values, theirs, theirs.loss(decoded(theirs, score, keys, last, there)))


@pytest.mark.parametrize("tied", [False, True])
def test_language_model(tied: bool) -> None:
    """An embedding, two layers and a readout that may share its table; with targets as classes there."""
    net = architecture("language-model", cell("lstm"), layers=2, tied=tied)
    values = values_of(net)
    if tied:
        values["y"] = values["y"].argmax(axis=-1)
    theirs = Theirs("lstm", values)
    rows = theirs.p["E_w"].T
    embedding = torch.nn.Embedding(*rows.shape).double()
    words = torch.func.functional_call(embedding, {"weight": rows}, (theirs.p["w"],))
    h, _ = theirs.run(words, ("l1", "l2"), theirs.states("l1_0", "l2_0"))
    assert_agrees(net, values, theirs, theirs.loss(h, "E_w" if tied else "W_hy"))
