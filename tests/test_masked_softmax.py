"""A softmax over the positions that a mask leaves in: exact zeros, no overflow, no gradient in the mask; padding changes nothing."""

from __future__ import annotations

import re

import numpy as np
import pytest
import sympy
from formula_reader import Reader, with_keys
from planted import with_formula

from symrnn import writer
from symrnn.bptt import derive
from symrnn.codegen import to_numpy
from symrnn.codegen.arrays import HELPERS
from symrnn.codegen.reading import forward_step
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Cell, Equation
from symrnn.errors import DataError, NotSupportedError, SpecError
from symrnn.expr import (
    Columns,
    LogSoftmax,
    Ones,
    Softmax,
    Static,
    StopGradient,
    Total,
    Zeros,
    bound_index,
    dim,
    t,
    time_sum,
)
from symrnn.functions import parameter, series, tanh
from symrnn.networks import Given, Network, Relation, Scan, name_operands
from symrnn.notation import PROFILES
from symrnn.printing import render
from symrnn.style import Style
from symrnn.times import Span
from symrnn.verify.balls import judge_balls
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.numeric import judge_numeric
from symrnn.verify.points import default_sizes, random_point
from symrnn.vjp import rule_of

T, S, k = dim("T"), dim("S"), bound_index(1)
W, U, V = parameter("W", "H", "H"), parameter("U", "H", "D"), parameter("V", "H", "H")
x, h, s, m = series("x", "D"), series("h", "H"), series("s", "H"), series("m", 1)
LOSS = Equation(Static("L"), time_sum(Total(s[t] * s[t]), 1, T), None, "loss")


def attention(masked: bool = True) -> Network:
    """States of a source that is padded, and a second layer that attends to those that count."""
    keys, mask = Static("E", (), "H", S), Static("M", (), S, 1)
    decoder = name_operands([
        Equation(series("alpha", S)[t], Softmax(keys.T @ s[t - 1], mask if masked else None), Span(1, T)),
        Equation(s[t], tanh(W @ s[t - 1] + V @ (keys @ series("alpha", S)[t])), Span(1, T)),
    ])
    return Network(
        "masked attention",
        (
            *(Given(p, "parameter") for p in (W, U, V)), Given(x, "input", Span(1, S)),
            *(Given(q, "initial", Span(0, 0)) for q in (h, s)), *([Given(m, "mask", Span(1, S))] if masked else []),
        ),
        (
            Scan((Equation(h[t], tanh(W @ h[t - 1] + U @ x[t]), Span(1, S)),)),
            Equation(keys, Columns(h[k], k, 1, S)),
            *([Equation(mask, Columns(m[k], k, 1, S).T)] if masked else []),
            Scan(decoder),
            LOSS,
        ),
        Static("L"),
    )


def gated(mask) -> Network:
    """A recurrence through a masked softmax of its state, which has no name of its own."""
    return Network(
        "masked state",
        (Given(W, "parameter"), Given(s, "initial", Span(0, 0)), Given(series("m", "H"), "mask", Span(1, T))),
        (Scan((Equation(s[t], W @ s[t - 1] + Softmax(s[t - 1], mask) * s[t - 1], Span(1, T)),)), LOSS), Static("L"),
    )


@pytest.mark.sampled(2)
@pytest.mark.parametrize("make", [attention, lambda: gated(series("m", "H")[t]), lambda: gated(series("m", "H")[T])])
def test_judges_agree(make):
    derivation = derive(make())
    judge_entrywise(derivation).assert_ok()
    program = to_numpy(derivation)
    for judge in (judge_balls, judge_numeric):
        judge(program).assert_ok()


def test_second_order():
    judge_entrywise(derive(hessian_vector_network(derive(attention())))).assert_ok()


def test_the_judge_sees_a_mask_that_the_gradient_forgets():
    unmasked = {series("alpha", S)[t]: Softmax(series("a_alpha", S)[t])}
    wrong = with_formula(derive(attention()), "a_alpha", 0, lambda rhs: rhs.xreplace(unmasked))
    found = judge_entrywise(wrong).refuted
    assert [f.quantity for f in found if "is not the derivative" in f.detail] == ["δa_{α,t}, t = 1…T"]


def test_padding_changes_neither_the_loss_nor_a_gradient():
    padded, plain = to_numpy(derive(attention())), to_numpy(derive(attention(masked=False)))
    sizes = {"B": 1, "D": 2, "H": 3, "S": 4, "T": 5}
    point = random_point(plain.derivation.network, sizes, np.random.default_rng(0))
    loss, gradients = plain.gradients({**point, "T": 5})
    longer = np.concatenate([point["x"], 700 * np.ones((1, 2, 2))], axis=1)
    longer = {**point, "x": longer, "m": np.array([[1, 1, 1, 1, 0, 0]]), "T": 5}
    same_loss, same = padded.gradients(longer)
    np.testing.assert_allclose(same_loss, loss, rtol=1e-14)
    np.testing.assert_array_equal(same["x"][:, 4:], 0)
    np.testing.assert_allclose(same.pop("x")[:, :4], gradients.pop("x"), rtol=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(same[name], gradient, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_the_function_of_generated_code_is_safe(dtype):
    names = {"np": np}
    exec(HELPERS["masked_softmax"], names)
    a = np.array([[1000.0, 2.0, 1.0], [-1000.0, 3.0, 5000.0]], dtype=dtype)
    m = np.array([[0, 1, 1], [1, 0, 0]], dtype=dtype)
    e = np.exp(1)
    found = names["masked_softmax"](a, m)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, [[0, e / (1 + e), 1 / (1 + e)], [1, 0, 0]], rtol=1e-6)
    assert np.all(found[np.real(m) == 0] == 0)
    np.testing.assert_allclose(names["masked_softmax"](a.T, m.T, axis=-2), found.T)


def test_columns_of_a_matrix_share_the_mask():
    a, g, mask = Static("a", (), 3, 2), Static("g", (), 3, 2), Static("m", (), 3, 1)
    node = Softmax(a, mask)
    point = {a: [[1, 5], [2, 6], [3, 4]], mask: [[1], [0], [1]]}
    entries = {q[i, j]: v for q, rows in point.items() for i, row in enumerate(rows) for j, v in enumerate(row)}
    values = np.array(sympy.Matrix(node.as_explicit()).subs(entries), float)
    low, high = 1 / (1 + np.exp(2)), 1 / (1 + np.exp(1))
    np.testing.assert_allclose(values, [[low, 1 - high], [0, 0], [1 - low, high]])
    function = sympy.lambdify([a, mask], node, modules="numpy")
    np.testing.assert_allclose(function(np.array(point[a]), np.array(point[mask])), values)
    ((operand, received, _),) = rule_of(node).apply(node, g, node)
    total = sum(g._entry(i, j) * node._entry(i, j) for i in range(3) for j in range(2))
    entries |= {g[i, j]: i - 2 * j for i in range(3) for j in range(2)}
    for i, j in np.ndindex(3, 2):
        gap = received.as_explicit()[i, j] - total.diff(operand[i, j])
        assert abs(sympy.N(gap.subs(entries), 30)) < 1e-20


@pytest.mark.parametrize("profile", PROFILES)
def test_it_is_read_back_as_it_is_printed(profile):
    node = Softmax(Static("a", (), 3, 1) + Static("b", (), 3, 1), Static("m", (), 3, 1))
    style = Style(notation=PROFILES[profile], medium="unicode")
    text, keys = with_keys(node, style)
    point = {"a": np.array([[1.0], [2.0], [3.0]]), "b": np.ones((3, 1)), "m": np.array([[1.0], [0.0], [1.0]])}
    turned = [point[key[0]].T if style.notation.rows else point[key[0]] for key in keys]
    e = np.exp(2)
    np.testing.assert_allclose(np.ravel(Reader(text, turned, style.notation).whole()), [1 / (1 + e), 0, e / (1 + e)])


def test_print():
    node = Softmax(s[t], series("m", "H")[t])
    assert writer.text(node) == "softmax(s_t; m_t)"
    assert writer.latex(node) == r"\operatorname{softmax}(s_{t}; m_{t})"
    assert writer.text(node, Style(medium="ascii")) == "softmax(s_t; m_t)"
    assert re.search(r"α_t += softmax\(a_\{α,t\}; M\)", render(derive(attention()), "unicode"))


def test_all_rows_count_without_a_mask():
    assert Softmax(s[t], Ones("H", 1)) == Softmax(s[t]) == Softmax(s[t], None)


def test_what_is_no_mask_is_refused():
    with pytest.raises(SpecError, match=r"^the mask of a softmax of s_t \(H×1\) must be H×1; got W \(H×H\)$"):
        Softmax(s[t], W)
    with pytest.raises(SpecError, match=r"^the mask of a softmax of s_t \(H×1\) is 0; at least one row must count$"):
        Softmax(s[t], Zeros("H", 1))


def test_a_gradient_in_a_mask_is_refused():
    with pytest.raises(NotSupportedError, match=r"^no gradient is taken in s_\{t-1\} of softmax\(s_\{t-1\}; s_\{t-1\}\), but it "
                       r"depends on s; give it as data of kind mask, or put it under StopGradient$"):
        derive(gated(s[t - 1]))
    judge_entrywise(derive(gated(StopGradient(s[t - 1])))).assert_ok()


@pytest.mark.parametrize("make", [attention, lambda: gated(series("m", "H")[t])])
def test_a_sequence_without_positions_is_refused(make):
    program = to_numpy(derive(make()))
    sizes = default_sizes(program.derivation)
    point = {**random_point(program.derivation.network, sizes, np.random.default_rng(0)), "T": sizes["T"]}
    point = {name: value for name, value in point.items() if name in program.accepted}
    program.gradients(point)
    point["m"] = np.array(point["m"])
    point["m"][1] = 0
    with pytest.raises(DataError, match=r"^m: a softmax runs over the positions that it leaves in, and m\[1(, 0)?\] leaves in none; put a 1"):
        program.gradients(point)


def test_a_mask_of_positions_is_no_weight_of_the_losses():
    """The target is checked at each time, whatever the mask of the source says."""
    source = attention()
    y, ell = series("y", "H"), series("ell", 1)
    losses = (Equation(ell[t], -(y[t].T @ LogSoftmax(s[t])), Span(1, T)),)
    scans = [block for block in source.blocks[:-1] if isinstance(block, Scan)]
    statics = [block for block in source.blocks[:-1] if not isinstance(block, Scan)]
    net = Network(
        "padded source", (*source.givens, Given(y, "target", Span(1, T))),
        (scans[0], *statics, Scan((*scans[1].equations, *losses)), Equation(Static("L"), time_sum(ell[t], 1, T), None, "loss")),
        Static("L"), (Relation(Total(y[t]), Ones(1, 1)),),
    )
    program = to_numpy(derive(net))
    point = random_point(net, {"B": 1, "D": 2, "H": 3, "S": 5, "T": 5}, np.random.default_rng(0))
    program.gradients(point)
    point["m"][0, 2], point["m"][0, 1] = 0, 1
    point["y"][0, 2] *= 2
    with pytest.raises(DataError, match=r"^y: the gradients hold for targets that sum to 1; y\[0, 2\] sums to 2; normalise"):
        program.gradients(point)


def test_latexify_has_no_sign_for_it():
    mask = series("m", "H")
    masked = Cell("masked", [(s[t], tanh(W @ Softmax(s[t - 1], mask[t])))], inputs=[mask])
    with pytest.raises(NotSupportedError, match=r"^softmax\(s_\{t-1\}; m_t\) has no form that latexify-py can read: it has no sign for a mask$"):
        forward_step(masked)
