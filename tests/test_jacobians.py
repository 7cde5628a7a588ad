"""The Jacobian of a step: textbook forms, every network judged, planted errors refuted, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import symrnn
from symrnn import Cell, check, network, phi, series, step_jacobian, t
from symrnn.codegen import network_source
from symrnn.codegen.runtime import compiled
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import Diag, Hadamard, Identity, Plus, Product, Rows, Static, Transposed, Zeros
from symrnn.expr.operators import Operators
from symrnn.functions import parameter, tanh
from symrnn.jacobians.linear import FORMS, local_jacobian
from symrnn.jacobians.products import added, multiplied
from symrnn.verify.entrywise import judge_steps_entrywise
from symrnn.verify.points import random_point

TEXTBOOK = {
    "rnn": {"∂h/∂h": "diag(1 - h_t ⊙ h_t) W_hh"},
    "rnn-block": {"∂h/∂h": "diag(1 - h_t ⊙ h_t) [W]_{:,1:H}"},
    "indrnn": {"∂h/∂h": "diag(𝟙₊(a_t) ⊙ u)"},
    "lstm": {
        "∂c/∂c": "diag(f_t)",
        "∂h/∂c": "diag(o_t ⊙ (1 - s_{c,t} ⊙ s_{c,t}) ⊙ f_t)",
        "∂c/∂h": "diag(c_{t-1} ⊙ f_t ⊙ (1 - f_t)) W_f + diag(c̃_t ⊙ i_t ⊙ (1 - i_t)) W_i + diag(i_t ⊙ (1 - c̃_t ⊙ c̃_t)) W_c",
    },
    "lstm-block": {"∂c/∂c": "diag(f_t)"},
    "lstm-coupled": {"∂c/∂c": "diag(f_t)"},
    "lstm-peephole": {"∂c/∂c": "diag(f_t) + diag(c̃_t ⊙ i_t ⊙ (1 - i_t) ⊙ p_i) + diag(c_{t-1} ⊙ f_t ⊙ (1 - f_t) ⊙ p_f)"},
    "gru": {"∂h/∂h": (
        "diag(z_t) + diag((h_{t-1} - h̃_t) ⊙ z_t ⊙ (1 - z_t)) U_z "
        "+ diag((1 - z_t) ⊙ (1 - h̃_t ⊙ h̃_t)) U diag(h_{t-1} ⊙ r_t ⊙ (1 - r_t)) U_r "
        "+ diag((1 - z_t) ⊙ (1 - h̃_t ⊙ h̃_t)) U diag(r_t)"
    )},
    "mgu": {},
    "janet": {"∂c/∂c": "diag(s_{s,t})"},
    "ugrnn": {"∂h/∂h": (
        "diag(g_t) + diag((h_{t-1} - c_t) ⊙ g_t ⊙ (1 - g_t)) W_gh + diag((1 - g_t) ⊙ (1 - c_t ⊙ c_t)) W_ch"
    )},
    "gru-reset-after": {},
}


@pytest.mark.parametrize("name", sorted(symrnn.CELLS))
def test_textbook_form(name: str) -> None:
    jacobian = step_jacobian(symrnn.cell(name))
    found = {f"∂{new.name}/∂{old.name}": str(block) for (new, old), block in jacobian.blocks.items()}
    assert {key: found[key] for key in TEXTBOOK[name]} == TEXTBOOK[name]


NETWORKS = {
    **{name: lambda name=name: network(symrnn.cell(name)) for name in symrnn.CELLS},
    "open": lambda: network(symrnn.cell("rnn", activation="phi")),
    "stacked": lambda: symrnn.architecture("stacked", symrnn.cell("lstm"), layers=3),
    "bidirectional": lambda: symrnn.architecture("bidirectional", symrnn.cell("gru"), layers=2),
    "additive": lambda: symrnn.architecture("encoder-decoder", symrnn.cell("gru"), attention="additive", feed="output"),
    "masked": lambda: symrnn.architecture("encoder-decoder", symrnn.cell("lstm"), attention="scaled-dot", source_mask=True),
    "windows": lambda: symrnn.truncated(network(symrnn.cell("rnn")), 3),
    "lag": lambda: symrnn.truncated(network(symrnn.cell("lstm")), 2, form="lag"),
    "layer norm": lambda: network(symrnn.layer_normalised(symrnn.cell("lstm"))),
    "language model": lambda: symrnn.architecture("language-model", symrnn.cell("gru"), layers=2, residual=True, dropout="each"),
}


@pytest.mark.sampled(6)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_judge_agrees(name: str) -> None:
    for report in check(step_jacobian(NETWORKS[name]())):
        report.assert_ok()


def changed(jacobian: Any, change: Any) -> Any:
    """Plant an error in every line and block."""
    lines = tuple(replace(e, rhs=change(e.rhs)) for e in jacobian.lines)
    blocks = MappingProxyType({key: change(block) for key, block in jacobian.blocks.items()})
    scans = tuple(
        replace(b, equations=tuple(replace(e, rhs=change(e.rhs)) if e.role == "Jacobian" else e for e in b.equations))
        if hasattr(b, "equations") else b for b in jacobian.network.blocks
    )
    return replace(jacobian, lines=lines, blocks=blocks, network=replace(jacobian.network, blocks=scans))


def without_last_term(node: Any) -> Any:
    return Plus(*node.args[:-1]) if isinstance(node, Plus) else node


PLANTED = {
    "transposed": ("rnn", lambda node: node.xreplace({parameter("W_hh", "H", "H"): Transposed(parameter("W_hh", "H", "H"))})),
    "missing path": ("lstm", without_last_term),
    "f for i": ("lstm", lambda node: node.xreplace({series("f", "H")[t]: series("i", "H")[t]})),
    "sign": ("gru", lambda node: -node),
    "old for new": ("rnn", lambda node: node.xreplace({series("h", "H")[t]: series("h", "H")[t - 1]})),
    "zero": ("lstm", lambda node: Zeros(*node.shape)),
}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("error", PLANTED)
@pytest.mark.parametrize("judge", ["entrywise", "balls", "numeric"])
def test_planted_errors_are_refuted(error: str, judge: str) -> None:
    name, change = PLANTED[error]
    right = step_jacobian(symrnn.cell(name))
    assert check(right, judges=[judge])[0].ok
    assert check(changed(right, change), judges=[judge])[0].refuted


def test_a_block_that_is_said_to_be_zero_is_judged() -> None:
    jacobian = step_jacobian(symrnn.architecture("stacked", symrnn.cell("rnn"), layers=2))
    lower = next(key for key in jacobian.paths if key[0] != key[1])
    ends = MappingProxyType({series: key for series, key in jacobian.ends.items() if key != lower})
    lying = replace(
        jacobian, lines=tuple(e for e in jacobian.lines if e.quantity in ends), ends=ends,
        blocks=MappingProxyType({**jacobian.blocks, lower: Zeros("H", "H")}),
    )
    assert [f.quantity for f in judge_steps_entrywise(lying).refuted] == ["∂h_l2/∂h_l1"]


def test_code_is_that_of_autograd_over_many_steps() -> None:
    """The product of the steps is the Jacobian of the last state in the first one."""
    jacobian = step_jacobian(symrnn.cell("lstm"))
    given = random_point(jacobian.of, {"H": 3, "D": 2, "K": 2, "T": 4, "B": 1}, np.random.default_rng(1))
    params, x = {p.name: given[p.name] for p in jacobian.of.parameters}, given["x"]
    starts = {"h_0": given["h_0"], "c_0": given["c_0"]}
    found = compiled(network_source(jacobian.network))["forward"](params, x, **starts)
    product = np.eye(6)
    for time in range(4):
        product = np.block([[found[f"J_{a}_{b}"][0, time] for b in "hc"] for a in "hc"]) @ product
    forward = compiled(network_source(jacobian.of, jacobian.states))["forward"]
    for column in range(6):
        name = "h_0" if column < 3 else "c_0"
        moved = starts[name].astype(complex)
        moved[0, column % 3] += 1e-30j
        out = forward(params, x, **{**starts, name: moved})
        slope = np.concatenate([np.imag(out[q][0, -1]) / 1e-30 for q in "hc"])
        np.testing.assert_allclose(product[:, column], slope, rtol=1e-12, atol=1e-14)


def test_names_of_paths() -> None:
    jacobian = step_jacobian(symrnn.cell("gru"))
    (paths,) = jacobian.paths.values()
    assert [path.name for path in paths] == ["direct", "z", "r, h_tilde", "h_tilde"]
    assert Plus(*(path.term for path in paths)) == jacobian.block("h")
    janet = step_jacobian(symrnn.cell("janet"))
    names = [path.name for path in janet.paths[janet.states[1], janet.states[0]]]
    assert len(set(names)) == len(names)


def test_stacked_is_block_lower_triangular_and_stays_linear() -> None:
    sizes = []
    for layers in (2, 3):
        jacobian = step_jacobian(symrnn.architecture("stacked", symrnn.cell("lstm"), layers=layers))
        order = {state: int(state.name[-1]) for state in jacobian.states}
        assert all((block == Zeros(*block.shape)) == (order[new] < order[old]) for (new, old), block in jacobian.blocks.items())
        sizes.append(max(len(str(e)) for e in jacobian.lines))
    assert sizes[1] <= 1.2 * sizes[0]


def test_layers_and_directions() -> None:
    both = symrnn.architecture("bidirectional", symrnn.cell("rnn"), layers=2)
    backward = step_jacobian(both, layer="bw")
    assert [state.name for state in backward.states] == ["h_l1_bw", "h_l2_bw"]
    assert "∂h_{bw,t}^(1)/∂h_{bw,t+1}^(1)" in str(backward)
    assert backward.block("h_l2_bw", "h_l1_bw") != Zeros("H", "H")
    assert [state.name for state in step_jacobian(both, layer=2).states] == ["h_l2_fw", "h_l2_bw"]
    whole = step_jacobian(both)
    with pytest.raises(SpecError, match=r"^h_l1_fw and h_l1_bw belong to scans that do not step together"):
        whole.block("h_l1_fw", "h_l1_bw")
    with pytest.raises(SpecError, match=r"^the network 'rnn, bidirectional, many-to-many' has no layer 3; it has l1_fw, l1_bw, l2_fw, l2_bw$"):
        step_jacobian(both, layer=3)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("profile", symrnn.PROFILES)
def test_prints_in_every_notation(profile: str) -> None:
    jacobian = step_jacobian(symrnn.cell("lstm"))
    for format in ("unicode", "latex", "markdown"):
        text = jacobian.render(format, notation=profile)
        assert "numerator layout, unlike gradients" in " ".join(text.split())
        assert "diag" in text
    assert jacobian.render(notation=profile, ascii=True).isascii()


def test_named_derivatives_are_printed_as_ratios() -> None:
    jacobian = step_jacobian(symrnn.architecture("stacked", symrnn.cell("rnn"), layers=3))
    assert "W_xh^(3) ∂h_t^(2)/∂h_{t-1}^(1)" in str(jacobian)
    assert r"W_{xh}^{(3)} \frac{\partial h_{t}^{(2)}}{\partial h_{t-1}^{(1)}}" in jacobian._repr_latex_()
    assert "∂h" in jacobian._repr_html_()


def test_rules_of_products() -> None:
    a, b, W = Static("a", (), "H"), Static("b", (), "H"), Static("W", (), "H", "D")
    assert multiplied(Diag(a), Diag(b)) == Diag(Hadamard(a, b))
    assert multiplied(Diag(-a), W) == -Product(Diag(a), W)
    assert multiplied(Diag(a), b) == Hadamard(a, b)
    assert multiplied(Transposed(a), Diag(b)) == Transposed(Hadamard(a, b))
    assert multiplied(Rows(Identity("H"), 0, 2), W) == Rows(W, 0, 2)
    assert multiplied(Rows(Identity("H"), 0, 2), Transposed(Rows(Identity("H"), 2, 5))) == Zeros(2, 3)
    assert added([Diag(a), -Diag(b)]) == Diag(a - b)
    assert added([Diag(a), Identity("H"), Product(W, Transposed(W))]).args[0] == Diag(a + 1)


def test_matrix_of_what_is_linear() -> None:
    g, s, v, X = Static("g", (), "H"), Static("s", (), "H"), Static("v", (), "A"), Static("X", (), "A", "H")
    assert str(local_jacobian(s * g - s * (Transposed(s) @ g), g)) in {"diag(s) - s sᵀ", "-s sᵀ + diag(s)"}
    outer = Hadamard(Product(v, Transposed(g)), X)
    ones = symrnn.expr.Ones("H", 1)
    assert local_jacobian(outer @ ones, g) == Product(Transposed(X), Diag(v))


H = series("h", "H")


def test_refused() -> None:
    with pytest.raises(SpecError, match=r"^step_jacobian takes a network or a cell; got a int; write step_jacobian\(network\(cell\)\)$"):
        step_jacobian(3)  # type: ignore[arg-type]
    twice = Cell("twice", [(H[t], tanh(parameter("W", "H", "H") @ H[t - 1] + parameter("V", "H", "H") @ H[t - 2]))], inputs=[])
    with pytest.raises((NotSupportedError, SpecError), match=r"^(a reads h_\{t-2\}, which is neither of this step|.*t-2)"):
        step_jacobian(twice)
    with pytest.raises(SpecError, match=r"^unknown (format|state)"):
        step_jacobian(symrnn.cell("rnn")).render("word")
    with pytest.raises(SpecError, match=r"^unknown state 'q'"):
        step_jacobian(symrnn.cell("rnn")).block("q")


def test_open_function_prints_its_derivative() -> None:
    own = Cell("own", [(H[t], phi(parameter("W", "H", "H") @ H[t - 1] + parameter("U", "H", "D") @ series("x", "D")[t]))],
               inputs=[series("x", "D")])
    assert str(step_jacobian(own).block("h")) == "diag(φ′(a_t)) W"


WITHOUT_FORM = {
    "At": "a quantity", "Leaf": "a quantity", "Static": "a quantity", "Zeros": "a constant", "Ones": "a constant",
    "Identity": "a constant", "OneHot": "a constant", "Divides": "a constant", "Elementwise": "not linear",
    "Softmax": "not linear", "LogSoftmax": "not linear", "StopGradient": "a rule writes a factor in its place",
    "Columns": "columns of different times that each move: refused in one line",
}


def test_every_node_type_has_a_form_or_a_reason() -> None:
    assert set(FORMS) | set(WITHOUT_FORM) == set(Operators.registry)
    assert not set(FORMS) & set(WITHOUT_FORM)
