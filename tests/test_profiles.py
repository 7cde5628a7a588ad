"""Profiles change names and layout, never mathematics; each prints the letters of its source."""

from __future__ import annotations

import inspect
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import wired
from formula_reader import WIDTH, Reader, with_keys
from sympy import Integer

from symrnn import writer
from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.errors import SpecError
from symrnn.expr import At, Columns, Series, Static, t
from symrnn.layernorm import layer_normalised
from symrnn.loading import quantities
from symrnn.networks import network
from symrnn.notation import CHOICES, PROFILES, Notation, refuse_unknown
from symrnn.printing import render, render_cell
from symrnn.style import Style

SIZES = {"D": 2, "H": 3, "K": 5}
STYLES = [(name, profile) for name in CELLS for profile in PROFILES.values()] + [
    (name, Notation(f"{adjoint} {form} {time}", "", adjoint=adjoint, form=form, time=time))
    for name in ("rnn", "lstm-block", "gru-reset-after") for adjoint in CHOICES["adjoint"] for form in CHOICES["form"] for time in CHOICES["time"]
]


WIRED = {
    "two layers": lambda: wired.stacked("lstm", "gru"),
    "four layers": lambda: wired.stacked(*["gru"] * 4),
    "bidirectional": lambda: wired.bidirectional("lstm", 2),
    "attention": lambda: wired.attentive("lstm"),
    "layer-normalised": lambda: network(layer_normalised(cell("lstm-block"))),
    "attention, tied": lambda: wired.attentive("rnn", tied=True),
}
STYLES += [(name, profile) for name in WIRED for profile in [*PROFILES.values(), Notation("arrows", "", direction="arrows", time="h^(t)")]]


@cache
def derivation_of(name):
    if name in WIRED:
        made = WIRED[name]()
        sizes = SIZES | {"A": 2, "S": 6, "V": WIDTH} | ({"K": WIDTH} if "tied" in name else {})
        return derive(made.with_sizes({s: Integer(sizes[str(s)]) for s in made.sizes if str(s) in sizes}))
    options = {"bias": True} if "bias" in inspect.signature(CELLS[name]).parameters else {}
    options |= {"activation": "phi"} if name == "rnn" else {}
    made = network(cell(name, **options))
    return derive(made.with_sizes({s: Integer(SIZES[str(s)]) for s in made.sizes if str(s) in SIZES}))


def lines_of(name):
    derivation = derivation_of(name)
    return tuple(line for line in (*derivation.network.equations, *derivation.lines) if not line.rhs.has(Columns))


def shape_of(node, key):
    leaf = next(a for a in node.atoms(At, Static) if (a.series.key if isinstance(a, At) else a.key) == key[0])
    return tuple(map(int, leaf.shape))


def value_of(node, key):
    seed = sum((place + 1) * ord(c) for place, c in enumerate(str(key)))
    return np.random.default_rng(seed).uniform(0.1, 0.9, shape_of(node, key))


def computed(node, style):
    """Print, read back, compute: with transposed arrays where the profile has rows."""
    text, keys = with_keys(node, style)
    turned = (lambda a: a.T) if style.notation.rows else (lambda a: a)
    value = Reader(text, [turned(value_of(node, key)) for key in keys], style.notation).whole()
    return turned(np.broadcast_to(value, turned(np.empty(tuple(map(int, node.shape)))).shape))


@cache
def expected_of(name):
    style = Style.of(derivation_of(name).network, "indexed", "unicode")
    return [computed(line.rhs, style) for line in lines_of(name)]


@pytest.mark.sampled(37)
@pytest.mark.parametrize(("name", "profile"), STYLES, ids=[f"{name}-{profile.name}" for name, profile in STYLES])
def test_every_printed_formula_says_the_same(name, profile):
    style = Style.of(derivation_of(name).network, profile, "unicode")
    for line, expected in zip(lines_of(name), expected_of(name), strict=True):
        assert with_keys(line.lhs, style)[0] == "⟨0⟩"
        np.testing.assert_allclose(computed(line.rhs, style), expected, rtol=1e-12)


def test_the_test_sees_an_order_a_transpose_and_a_bracket():
    net = derivation_of("rnn").network
    W, h = Static("W_hh", (), 3, 3), Series("h", (), 3)
    style = Style.of(net, "keras", "unicode")
    for node, wrong in [(W @ h[t], W.T @ h[t]), (W @ (h[t] * h[t - 1]), (W @ h[t]) * h[t - 1])]:
        with pytest.raises(AssertionError, match=r"^\s*Not equal to tolerance"):
            np.testing.assert_allclose(computed(node, style), computed(wrong, style), rtol=1e-12)
    with pytest.raises(ValueError, match=r"^matmul: "):
        Reader("⟨0⟩ ⟨1⟩", [np.ones((3, 3)), np.ones((1, 3))], PROFILES["keras"]).whole()


def test_shipped_profiles_name_quantities_that_exist():
    known = quantities(network(cell("rnn")))
    for profile in PROFILES.values():
        assert refuse_unknown(profile, known, "DHKTt") is None


def cell_lines(name, profile, medium="latex", **options):
    source = cell(name, **options)
    style = Style.of_cell(source, profile, medium)
    return [f"{writer.formula(e.lhs, style)} = {writer.formula(e.rhs, style)}" for e in source.equations]


LETTERS = {
    ("rnn", "notes-001"): [
        r"\mathbf{h}_{t} = \phi_{h}(W_{hh} \mathbf{h}_{t-1} + W_{xh} \mathbf{x}_{t} + \mathbf{b}_{h})"],
    ("rnn", "notes-003"): [r"h_{n} = \varphi(W_{hh} h_{n-1} + W_{xh} x_{n} + b_{h})"],
    ("rnn", "d2l"): [
        r"\mathbf{H}_{t} = \phi(\mathbf{H}_{t-1} \mathbf{W}_{hh} + \mathbf{X}_{t} \mathbf{W}_{xh} + \mathbf{b}_{h})"],
    ("rnn", "goodfellow"): [
        r"\mathbf{h}^{(t)} = \varphi(\mathbf{W} \mathbf{h}^{(t-1)} + \mathbf{U} \mathbf{x}^{(t)} + \mathbf{b})"],
    ("rnn", "keras"): [r"h_{t} = \varphi(h_{t-1} U + x_{t} W + b)"],
    ("rnn", "pytorch"): [r"h_{t} = \varphi(W_{hh} h_{t-1} + W_{ih} x_{t} + b_{h})"],
}


@pytest.mark.parametrize(("name", "profile"), list(LETTERS))
def test_letters_of_the_simple_network(name, profile):
    assert cell_lines(name, profile, activation="phi") == LETTERS[name, profile]


def test_letters_of_the_lstm():
    assert cell_lines("lstm", "greff")[2:4] == [
        r"\mathbf{z}^{t} = \tanh(\mathbf{R}_{z} \mathbf{y}^{t-1} + \mathbf{W}_{z} \mathbf{x}^{t} + \mathbf{b}_{z})",
        r"\mathbf{c}^{t} = \mathbf{f}^{t} \odot \mathbf{c}^{t-1} + \mathbf{i}^{t} \odot \mathbf{z}^{t}",
    ]
    assert cell_lines("lstm", "pytorch", "unicode")[1:3] == [
        "i_t = σ(W_hi h_{t-1} + W_ii x_t + b_i)", "g_t = tanh(W_hg h_{t-1} + W_ig x_t + b_g)"]
    assert cell_lines("lstm", "notes-002", "unicode")[1:4] == [
        "i_t = σ(W_hi h_{t-1} + W_xi x_t + b_i)", "g_t = tanh(W_hg h_{t-1} + W_xg x_t + b_g)",
        "C_t = f_t ∘ C_{t-1} + i_t ∘ g_t"]
    assert cell_lines("lstm", "d2l", "unicode")[1] == "I_t = σ(H_{t-1} W_hi + X_t W_xi + b_i)"
    assert cell_lines("lstm", "goodfellow", "unicode", bias=False)[0] == "f^(t) = σ(W^f h^(t-1) + U^f x^(t))"
    assert cell_lines("lstm-peephole", "greff", "unicode")[1] == (
        "i^t = σ(R_i y^{t-1} + W_i x^t + p_i ⊙ c^{t-1} + b_i)")


def test_letters_of_the_gru():
    assert cell_lines("gru-reset-after", "notes-002", "unicode", bias=False)[2:] == [
        "h̃_t = tanh(W_h x_t + r_t ∘ (U_h h_{t-1}))", "h_t = z_t ∘ h_{t-1} + (1 - z_t) ∘ h̃_t"]
    assert cell_lines("gru-reset-after", "pytorch", "unicode")[2] == "n_t = tanh(W_in x_t + b_in + r_t ⊙ (W_hn h_{t-1} + b_hn))"
    assert cell_lines("gru", "keras", "unicode", bias=True)[2] == "h̃_t = tanh(x_t W_h + (r_t ⊙ h_{t-1}) U_h + b_h)"


def test_letters_of_note_004():
    style = Style.of(net := network(cell("rnn"), loss="squared-error", bias=False), "notes-004", "unicode")
    assert "y_t = W_hy h_t" in [f"{writer.text(e.lhs, style)} = {writer.text(e.rhs, style)}" for e in net.equations]


@pytest.mark.parametrize(("adjoint", "latex", "unicode"), [
    ("delta", r"\delta h_{t}", "δh_t"), ("fraction", r"\frac{\partial L}{\partial h_{t}}", "∂L/∂h_t"),
    ("nabla", r"\nabla_{h_{t}} L", "∇_{h_t} L"), ("bar", r"\bar{h}_{t}", "h̄_t"),
])
def test_adjoints(adjoint, latex, unicode):
    h = Series("h", (1,), "H")
    style = Style.of(network(cell("rnn")), Notation("own", "", adjoint=adjoint))
    assert writer.latex(h[t], style) == latex
    assert writer.text(h[t], style) == unicode


@pytest.mark.parametrize(("time", "letter", "printed", "turned"), [
    ("h_t", "h", "h_{t}", r"h_{t}^{\top}"), ("h^(t)", "h", "h^{(t)}", r"{h^{(t)}}^{\top}"),
    ("h^t", "h", "h^{t}", r"{h^{t}}^{\top}"), ("h^(t)", "h^f", "{h^{f}}^{(t)}", r"{{h^{f}}^{(t)}}^{\top}"),
    ("h_t", "h^f", "h_{t}^{f}", r"{h_{t}^{f}}^{\top}"), ("h^t", "h_enc", r"h_{\mathrm{enc}}^{t}", r"{h_{\mathrm{enc}}^{t}}^{\top}"),
])
def test_a_superscript_is_never_set_on_another(time, letter, printed, turned):
    style = replace(Style(notation=Notation("own", "", time=time)), letters={"h": letter})
    h = Series("h", (), "H")
    assert writer.latex(h[t], style) == printed
    assert writer.latex(h[t].T, style) == turned


def test_rows_are_said_and_shapes_turned():
    text = render(derive(network(cell("rnn"))), notation="keras")
    assert "Vectors are rows: each letter" in text
    assert "D×H  W\n" in text
    assert "Vectors are rows" in render_cell(cell("rnn"), notation="d2l")
    assert "Vectors are rows" not in render(derive(network(cell("rnn"))), notation="pytorch")


@pytest.mark.parametrize(("name", "profile", "expected"), [
    ("lstm", "notes-000", "ŷ^(t) here is the o^(t) of notes-000: in this network, o^(t) is a gate."),
    ("lstm", "d2l", "A_{y,t} here is the O_t of d2l: in this network, O_t is a gate."),
    ("rnn", "goodfellow", "ℓ^(t) here is the L^(t) of goodfellow: in this network, L is a loss."),
])
def test_a_letter_that_gives_way_is_said(name, profile, expected):
    assert expected in render(derive(network(cell(name))), notation=profile)
    assert "here is the" not in render(derive(network(cell("rnn"))), notation="notes-000")


def test_a_choice_that_nobody_knows_is_refused():
    with pytest.raises(SpecError, match=r"^unknown time 'h\(t\)'; did you mean h\^\(t\) or"):
        Notation("own", "", time="h(t)")
