"""The forward step for reading: it runs, it computes what the equations say, and what cannot be read is refused."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from strategies import cells
from sympy import Rational, Symbol

from symrnn.activations import ACTIVATIONS
from symrnn.cells import CELLS, cell
from symrnn.codegen.reading import REFUSED, RULES, ForwardStep, forward_step
from symrnn.equations import Cell
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import (
    At,
    Column,
    Diag,
    Gather,
    Identity,
    Leaf,
    LogSoftmax,
    Node,
    OneHot,
    Ones,
    Rows,
    Series,
    Softmax,
    Stacked,
    StopGradient,
    TimeSum,
    Total,
    Zeros,
    bound_index,
    dim,
    t,
)
from symrnn.expr.operators import Operators
from symrnn.functions import elementwise, parameter, series, tanh

SIZES = {"D": 3, "H": 2, "K": 5, "T": 4}
x, h, a = series("x", "D"), series("h", "H"), series("a", "H")
W, U, b = parameter("W", "H", "H"), parameter("U", "H", "D"), parameter("b", "H")
H = dim("H")
LSTM = """\
    f_t = sigmoid(W_f @ h_prev + U_f @ x_t + b_f)
    i_t = sigmoid(W_i @ h_prev + U_i @ x_t + b_i)
    c_tilde_t = np.tanh(W_c @ h_prev + U_c @ x_t + b_c)
    c_t = f_t * c_prev + i_t * c_tilde_t
    o_t = sigmoid(W_o @ h_prev + U_o @ x_t + b_o)
    h_t = o_t * np.tanh(c_t)
    return h_t, c_t
"""


def of(rhs: Node, **options: Any) -> Cell:
    """A cell with this equation for h."""
    return Cell("own", [(h[t], rhs)], inputs=[x], **options)


def size(expr: Any) -> int:
    return int(expr.xreplace({s: sympy.Integer(SIZES[str(s)]) for s in expr.free_symbols}))


def values_of(step: ForwardStep) -> dict[str, Any]:
    """Random numbers for what a step is given."""
    rng = np.random.default_rng(7)
    return {name: rng.uniform(0.5, 1.5, tuple(map(size, leaf.shape))) if isinstance(leaf, Node) else float(SIZES.get(name, 2))
            for name, leaf in step.names.items() if name not in step.targets}


def run(step: ForwardStep, values: dict[str, Any]) -> Any:
    """Run the source, with sine for an open function."""
    names: dict[str, Any] = {}
    exec(compile(step.source, "<step>", "exec"), names)
    open_functions = {"phi": np.sin} if "phi" in ast.unparse(ast.parse(step.source)).partition("def step(")[2] else {}
    return names["step"](**values, **open_functions)


def expected(step: ForwardStep, values: dict[str, Any]) -> dict[str, Any]:
    """Evaluate the equations one by one with the nodes' own NumPy forms."""
    found = {step.names[name]: value for name, value in values.items()}
    for equation in step.targets.values():
        symbols = sorted(equation.rhs.free_symbols | {leaf for leaf in found if isinstance(leaf, Leaf)}, key=str)
        symbols = [s for s in symbols if s in found or (s.is_Symbol and not isinstance(s, Leaf | Series))]
        function = sympy.lambdify(symbols, equation.rhs, modules=[{"phi": np.sin}, "numpy"])
        found[equation.lhs] = function(*(found.get(s, SIZES.get(str(s))) for s in symbols))
    return {name: found[equation.lhs] for name, equation in step.targets.items()}


def assert_runs(of: Cell) -> None:
    step = forward_step(of)
    values = values_of(step)
    returned = ast.parse(step.source).body[-1].body[-1].value
    names = [n.id for n in (returned.elts if isinstance(returned, ast.Tuple) else [returned])]
    results = run(step, values)
    wanted = expected(step, values)
    for name, result in zip(names, results if isinstance(results, tuple) else (results,), strict=True):
        assert result.shape == wanted[name].shape
        np.testing.assert_allclose(result, wanted[name], rtol=1e-12)


def readable(name: str) -> bool:
    return not any(e.rhs.has(*map(Operators.registry.get, REFUSED)) for e in cell(name).equations)


def test_lstm_line_by_line() -> None:
    source = forward_step(cell("lstm")).source
    assert source.endswith(LSTM)
    assert "def step(x_t, h_prev, c_prev, W_f, U_f, b_f, W_i, U_i, b_i, W_c, U_c, b_c, W_o, U_o, b_o):\n" in source
    assert "Shapes: W_f: H×H, h_prev: H×1, U_f: H×D, x_t: D×1, b_f: H×1," in source


@pytest.mark.parametrize("name", [name for name in CELLS if readable(name)])
def test_steps_compute_what_the_equations_say(name: str) -> None:
    assert_runs(cell(name))
    source = forward_step(cell(name)).source
    assert max(map(len, source.splitlines())) <= 100
    assert not {"for", "while"} & {type(n).__name__.lower() for n in ast.walk(ast.parse(source))}


def test_most_cells_can_be_read() -> None:
    assert [name for name in CELLS if not readable(name)] == [name for name in CELLS if name == "lstm-block"]


FORMULAS = {
    "two steps back": tanh(W @ h[t - 1] + W @ h[t - 2]),
    "an input at other times": tanh(U @ x[t - 1] + U @ x[t + 1] + U @ x[1] + h[t - 1]),
    "coefficients": Rational(1, 2) * tanh(h[t - 1]) - 3 * (W @ h[t - 1]) - Symbol("alpha") * (h[t - 1] + b),
    "a sum as coefficient": (1 - Symbol("alpha")) * h[t - 1] + Symbol("alpha") ** 2 / 3 * tanh(U @ x[t]),
    "a size as coefficient": h[t - 1] * (1 / H),
    "negative powers": h[t - 1] * (1 / H**2) - 2 * Symbol("alpha") / (3 * H) * b,
    "a negative front": -(W @ h[t - 1]) + b,
    "a negative fraction in front": -Rational(2, 3) * h[t - 1] + b,
    "a negative map": -tanh(W @ h[t - 1]),
    "constants": 1 - 2 * h[t - 1] + Rational(1, 3),
    "mixed products": W @ (b * h[t - 1]) * (W @ h[t - 1]) * (h[t - 1] + b),
    "a chain": W @ W.T @ (W @ h[t - 1] - b),
    "an inner product": b * (h[t - 1].T @ b),
    "softmax": Softmax(W @ h[t - 1]) * LogSoftmax(h[t - 1] - b),
    "diag": Diag(b + h[t - 1]) @ tanh(h[t - 1]),
    "stopped": StopGradient(W @ h[t - 1]) + b,
    "stacked": parameter("P", "H", dim("H") + dim("D") + 1) @ Stacked(h[t - 1] * b, x[t], Ones(1, 1)),
    "open": elementwise("phi")(W @ h[t - 1]),
}


@pytest.mark.parametrize("rhs", FORMULAS.values(), ids=list(FORMULAS))
def test_formulas_compute_what_they_say(rhs: Node) -> None:
    assert_runs(of(rhs))


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name not in {"reciprocal", "step"}])
def test_every_function(name: str) -> None:
    assert_runs(of(elementwise(name)(W @ h[t - 1])))


@given(cells())
def test_random_equations(drawn: Cell) -> None:
    for equation in drawn.equations:
        single = alone(equation, drawn)
        try:
            forward_step(single)
        except NotSupportedError:
            continue
        assert_runs(single)


def alone(equation: Any, drawn: Cell) -> Cell:
    """An equation as a cell of its own: whatever else it reads is an input."""
    others = {leaf.series for leaf in equation.rhs.atoms(At)} - {equation.quantity}
    return Cell("alone", [equation], inputs=sorted(others, key=str))


def test_every_node_type_has_a_rule_or_a_reason() -> None:
    assert set(RULES) | set(REFUSED) == set(Operators.registry) - {"Leaf"}
    assert not set(RULES) & set(REFUSED)


k = bound_index(1)
UNREADABLE = {
    "Column": (Column(W, 1), r"^\[W\]_\{:,1\} has no form that latexify-py can read: it refuses slices such as A\[:, 0:1\]$"),
    "Gather": (Gather(parameter("E", "H", "V"), series("w", 1)[t]), r"^\[E\]_\{:,w_t\} has no form .*: it refuses slices"),
    "Identity": ((Identity(H) + Diag(b)) @ b, r"^I has no form that latexify-py can read: it has no sign for np\.eye$"),
    "OneHot": (W @ OneHot(series("w", 1)[t], H), r"^e_\{w_t\} has no form .*: it has no sign for one-hot columns$"),
    "Rows": (Rows(Stacked(b, h[t - 1]), 1, H + 1), r"^\[\[b; h_\{t-1\}\]\]_\{.*\} has no form .*: it refuses slices such as "
             r"a\[0:H\]; the gate-by-gate form of the cell can be read$"),
    "TimeSum": (TimeSum(x[k], k, 1, dim("T")), r"^Σ_\{t=1\}\^T x_t has no form .*: a step has no sum over time$"),
    "Total": (b * Total(h[t - 1]), r"^1ᵀ h_\{t-1\} has no form .*: it writes np\.sum\(a\) as a sum without an index$"),
    "Zeros": (Stacked(b, Zeros(2, 1)), r"^0 has no form .*: it has no sign for zeros of a symbolic shape$"),
    "Ones": (Stacked(b, Ones(2, 1)), r"^a 2×1 matrix of ones has no form that latexify-py can read$"),
    "reciprocal": (h[t - 1].apply("reciprocal"), r"^the function reciprocal has no form that latexify-py can read as a call$"),
    "step": (h[t - 1].apply("step"), r"^the function step has no form that latexify-py can read as a call$"),
    "transposed": ((W + W.T).T @ b, r"^\(W \+ Wᵀ\)ᵀ has no form .*: it drops the brackets of what is transposed; give it a name"),
    "coefficient": (sympy.sqrt(2) * sympy.sin(Symbol("alpha")) * b, r"^the coefficient sqrt\(2\)\*sin\(alpha\) has no form"),
}


@pytest.mark.parametrize(("rhs", "message"), UNREADABLE.values(), ids=list(UNREADABLE))
def test_refused(rhs: Node, message: str) -> None:
    q = series("q", rhs.shape[0])
    with pytest.raises(NotSupportedError, match=message):
        forward_step(Cell("own", [(q[t], rhs)], inputs=[series("w", 1), x, h]))


def test_the_block_form_is_refused_in_a_line() -> None:
    a_t = r"^\[a_t\]_\{1:H\} has no form that latexify-py can read: it refuses slices such as a\[0:H\]; the gate-by-gate form"
    with pytest.raises(NotSupportedError, match=a_t):
        forward_step(cell("lstm-block"))


def test_order_of_evaluation_and_cycles() -> None:
    late = Cell("late", [(h[t], tanh(a[t])), (a[t], W @ h[t - 1])], inputs=[x], output=h)
    assert list(forward_step(late).targets) == ["a_t", "h_t"]
    with pytest.raises(SpecError, match=r"^a cycle within a time step: h → a → h; read one of them at t-1 instead$"):
        forward_step(Cell("round", [(h[t], tanh(a[t])), (a[t], W @ h[t])], inputs=[x]))


def test_identifiers_are_those_of_nobody_else() -> None:
    odd = {"lambda": parameter("lambda", "H"), "np": parameter("np", "H"), "sigmoid": parameter("sigmoid", "H"),
           "h_t": parameter("h_t", "H")}
    rhs = tanh(h[t - 1] + odd["lambda"] * odd["np"] + odd["sigmoid"] + odd["h_t"])
    step = forward_step(of(rhs))
    assert run(step, values_of(step)).shape == (2, 1)
    assert set(step.names) == {"lambda_", "np_", "sigmoid_", "h_prev", "h_t", "h_t_"}
