"""The second reading: all cells agree with latexify-py, every planted error is named, and what it cannot read is refused."""

from __future__ import annotations

import ast
import copy
import linecache
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from strategies import cells
from test_reading_source import FORMULAS, alone, of

from symrnn import cli
from symrnn.cells import CELLS, cell
from symrnn.codegen.reading import forward_step
from symrnn.equations import Cell
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import Node
from symrnn.notation import PROFILES
from symrnn.readings import SecondReading, compare_function, read_function, second_reading, tokens
from symrnn.readings.package import FILE, configuration, latex_of
from symrnn.readings.source import split_rows

pytest.importorskip("latexify")

READABLE = [name for name in CELLS if name != "lstm-block"]
PAGE = Path(__file__).parents[1] / "docs" / "how-to" / "second-reading.md"


def assert_same(readings: tuple[SecondReading, ...]) -> None:
    assert readings
    assert [r.difference for r in readings] == [""] * len(readings)
    assert all(r.agrees for r in readings)


def differing(readings: tuple[SecondReading, ...]) -> list[str]:
    return [r.name for r in readings if not r.agrees]


@pytest.mark.sampled(5)
@pytest.mark.parametrize("notation", PROFILES)
@pytest.mark.parametrize("name", READABLE)
def test_cells_are_read_as_they_are_printed(name: str, notation: str) -> None:
    readings = second_reading(cell(name), notation)
    assert_same(readings)
    assert sorted(r.name for r in readings) == sorted(e.name for e in cell(name).equations)


def test_both_readings_stand_beside_each_other() -> None:
    reading = second_reading(cell("lstm"), "notes-000")[2]
    assert reading == SecondReading(
        "c_tilde", r"\tilde{C}^{(t)} = \tau(W_{c} h^{(t-1)} + U_{c} x^{(t)} + b_{c})",
        r"\tilde{C}^{(t)} = \tau \mathopen{}\left( W_{c} h^{(t-1)} + U_{c} x^{(t)} + b_{c} \mathclose{}\right)",
        "c_tilde_t = np.tanh(W_c @ h_prev + U_c @ x_t + b_c)", reading.functions,
    )


@pytest.mark.parametrize("rhs", FORMULAS.values(), ids=list(FORMULAS))
def test_formulas_are_read_as_they_are_printed(rhs: Node) -> None:
    assert_same(second_reading(of(rhs)))


@given(cells())
def test_random_equations_are_read_as_they_are_printed(drawn: Cell) -> None:
    for equation in drawn.equations:
        single = alone(equation, drawn)
        try:
            forward_step(single)
        except NotSupportedError:
            continue
        assert_same(second_reading(single))


def function_of(source: str) -> str:
    """The function ``step`` of a module."""
    return source[source.index("def step("):]


PLANTED = {
    "swapped gates": ("lstm", "f_t * c_prev + i_t * c_tilde_t", "i_t * c_prev + f_t * c_tilde_t", "c",
                      "ours has f_{t} where theirs has i_{t}"),
    "another gate's weights": ("lstm", "f_t = sigmoid(W_f", "f_t = sigmoid(W_i", "f", "ours has W_{f} where theirs has W_{i}"),
    "a lost term": ("lstm", " + U_o @ x_t", "", "o", "ours has U_{o} x_{t} + where theirs has nothing"),
    "a lost bias": ("gru-reset-after", " + b_Un", "", "n", "ours has ( where theirs has nothing"),
    "a term twice": ("lstm", " + b_f", " + b_f + b_f", "f", "ours has nothing where theirs has + b_{f}"),
    "a wrong time": ("gru", "h_t = z_t * h_prev", "h_t = z_t * h_tilde_t", "h",
                     r"ours has h_{t-1} where theirs has \tilde{h}_{t}"),
    "the new state": ("lstm-peephole", "p_f * c_prev", "p_f * c_t", "f", "ours has c_{t-1} where theirs has c_{t}"),
    "a wrong function": ("lstm", "o_t = sigmoid", "o_t = np.tanh", "o", r"ours has \sigma where theirs has \tanh"),
    "a lost function": ("lstm", "np.tanh(c_t)", "c_t", "h", r"ours has \tanh ( where theirs has nothing"),
    "a sign": ("lstm", "+ b_i", "- b_i", "i", "ours has + where theirs has -"),
    "a lost one": ("gru", "(1 - z_t)", "(-z_t)", "h", "ours has ( 1 where theirs has nothing"),
    "a transpose": ("rnn", "W_hh @", "W_hh.T @", "h", r"ours has nothing where theirs has ^{\top}"),
    "lost brackets": ("gru", "z_t * h_prev + (1 - z_t) * h_tilde_t", "z_t * h_prev + 1 - z_t * h_tilde_t", "h",
                      "ours has ( where theirs has nothing"),
    "stacked the wrong way": ("mgu", "[[h_prev], [x_t]]", "[[x_t], [h_prev]]", "f",
                              r"ours has nothing where theirs has x_{t} \\"),
    "another order": ("lstm", "f_t * c_prev + i_t * c_tilde_t", "i_t * c_tilde_t + f_t * c_prev", "c",
                      r"ours has nothing where theirs has i_{t} \tilde{c}_{t} +"),
}


@pytest.mark.parametrize(("name", "right", "wrong", "equation", "difference"), PLANTED.values(), ids=list(PLANTED))
@pytest.mark.parametrize("notation", ["indexed", "notes-000"])
def test_planted_errors_are_named(
    name: str, right: str, wrong: str, equation: str, difference: str, notation: str
) -> None:
    source = function_of(forward_step(cell(name)).source)
    assert source.count(right) == 1
    readings = compare_function(cell(name), source.replace(right, wrong), notation=notation)
    assert differing(readings) == [equation]
    if notation == "indexed":
        assert next(r for r in readings if not r.agrees).difference == difference


def mutants(source: str) -> Iterator[tuple[str, str]]:
    """Every function with one name read in place of another, one sign turned round, or one term lost."""
    tree = ast.parse(source)
    names = [n.arg for n in tree.body[0].args.args]
    for number, statement in enumerate(s for s in tree.body[0].body if isinstance(s, ast.Assign)):
        for place, node in enumerate(ast.walk(statement.value)):
            for change in changes_of(node, names):
                copied = copy.deepcopy(tree)
                target = [s for s in copied.body[0].body if isinstance(s, ast.Assign)][number]
                change(list(ast.walk(target.value))[place])
                yield ast.unparse(target.targets[0]), ast.unparse(copied)


def changes_of(node: ast.AST, names: list[str]) -> list[Callable[[Any], None]]:
    if isinstance(node, ast.Name) and node.id in names:
        other = names[(names.index(node.id) + 1) % len(names)]
        return [lambda n: setattr(n, "id", other)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [lambda n: setattr(n, "op", ast.Sub()), lambda n: n.__dict__.update(op=ast.Mult())]
    return []


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", READABLE)
def test_every_small_change_is_seen_in_its_equation(name: str) -> None:
    step = forward_step(cell(name))
    found = list(mutants(function_of(step.source)))
    assert len(found) >= 3
    for target, source in found:
        assert differing(compare_function(cell(name), source)) == [step.targets[target].name], source


def test_blind_to_the_kind_of_product() -> None:
    source = function_of(forward_step(cell("lstm")).source)
    assert_same(compare_function(cell("lstm"), source.replace("W_f @ h_prev", "W_f * h_prev")))


def my_step(x, h, c, Wf, Uf, bf, Wi, Ui, bi, Wc, Uc, bc, Wo, Uo, bo):  # type: ignore[no-untyped-def]
    """A step as people write it."""
    f = sigmoid(Wf @ h + Uf @ x + bf)  # noqa: F821  # the function is read, not run
    i = sigmoid(Wi @ h + Ui @ x + bi)  # noqa: F821
    g = np.tanh(Wc @ h + Uc @ x + bc)
    c_new = f * c + i * g
    o = sigmoid(Wo @ h + Uo @ x + bo)  # noqa: F821
    return o * np.tanh(c_new)


NAMES = {
    "x": "x_t", "h": "h_prev", "c": "c_prev", "f": "f_t", "i": "i_t", "g": "c_tilde_t", "c_new": "c_t", "o": "o_t",
    **{letter + gate: f"{letter}_{gate}" for letter in "WUb" for gate in "fico"},
}


def test_a_function_of_ones_own() -> None:
    assert_same(compare_function(cell("lstm"), my_step, NAMES))
    assert_same(compare_function(cell("lstm"), my_step, NAMES, notation="greff"))
    swapped = {**NAMES, "f": "i_t", "i": "f_t"}
    assert differing(compare_function(cell("lstm"), my_step, swapped)) == ["f", "i", "c"]


def test_missing_further_and_repeated_equations() -> None:
    source = function_of(forward_step(cell("rnn")).source)
    first, last = source.splitlines()[:1], source.splitlines()[-2:]
    lost = compare_function(cell("rnn"), "\n".join([*first, "    a = x_t", "    return a"]))
    assert [(r.name, r.difference) for r in lost] == [
        ("h", "the function has no equation for h"), ("a", "the cell has no equation for a")]
    twice = compare_function(cell("rnn"), "\n".join([*first, last[0], "    h_t += b_h", "    return h_t"]))
    assert [r.agrees for r in twice] == [True, False]
    assert [r.source for r in twice] == [last[0].strip(), "h_t += b_h"]


def test_read_function() -> None:
    names = {"Wf": "W_{f}", "h": "h_{t-1}", "sigmoid": r"\sigma", "f": "f_t"}
    rows = dict(read_function(my_step, names))
    assert list(rows) == ["f", "i", "g", "c_new", "o", "return"]
    assert tokens(rows["f"], {r"\sigma"}) == tokens(r"f_t = \sigma (W_f h_{t-1} + \mathrm{Uf} x + \mathrm{bf})", {r"\sigma"})
    assert tokens(rows["return"], {r"\tanh"}) == tokens(r"o \tanh (\mathrm{c\_new})", {r"\tanh"})
    block = read_function("def step(a, b):\n    c = np.block([[a], [b]])\n    d = a\n    return c, d", {})
    assert block == (("c", r"c = \begin{bmatrix} a \\ b \end{bmatrix}"), ("d", "d = a"))
    assert read_function("def rnn(W, h):\n    return np.tanh(W @ h)", {})[0][0] == "return"


def test_nothing_is_run_or_left_behind() -> None:
    source = "@unknown_decorator\ndef step(a=print('run')):\n    b = undefined(a)\n    return b\n"
    assert read_function(source, {}) == (("b", r"b = \mathrm{undefined} \mathopen{}\left( a \mathclose{}\right)"),)
    assert FILE not in linecache.cache
    with pytest.raises(NotSupportedError, match=r"^latexify-py cannot read the function: "):
        latex_of("def f(a):\n    for b in a:\n        pass\n    return a\n", {})
    assert FILE not in linecache.cache


def test_misspelt_options_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^Config\.__init__\(\) got an unexpected keyword argument 'identifier'$"):
        configuration(identifier={})


UNREADABLE = {
    "loop": ("for k in a:\n        b = k", r"^latexify-py cannot read the function: Codegen supports only Assign nodes in "
             r"multiline functions, but got: For; it reads assignments to names and a return, without loops, "),
    "slice": ("b = a[0:2]", r"^latexify-py cannot read the function: Unsupported AST: Slice; "),
    "two names": ("b, c = a, a", r"^cannot read 'b, c = \(?a, a\)?' as an equation; assign to one name at a time$"),
    "method": ("b = a.tanh()", r"^latexify-py leaves out what a\.tanh\(\) is a method of; call a function instead, such as tanh"),
    "brackets": ("b = (a + a).T @ a", r"^latexify-py drops the brackets of \(a \+ a\)\.T; give what stands in them a name$"),
}


@pytest.mark.parametrize(("line", "message"), UNREADABLE.values(), ids=list(UNREADABLE))
def test_what_it_cannot_read(line: str, message: str) -> None:
    with pytest.raises(NotSupportedError, match=message):
        read_function(f"def step(a):\n    {line}\n    return a\n", {})


BAD: dict[str, tuple[Any, dict[str, str], str]] = {
    "no source": (len, {}, r"^the source of len cannot be found; give the source as text$"),
    "no function": ("a = 1", {}, r"^expected the source of one function, def name\(\.\.\.\); got no functions$"),
    "a lambda": (lambda a: a, {}, r"^expected the source of one function, def name|^the source of the function, line 1: "),
    "no Python": ("def step(:", {}, r"^the source of the function, line 1: invalid syntax$"),
    "no such name": ("def step(a):\n    return a", {"b": "x"}, r"^unknown name of the function step 'b'; known: a$"),
    "an open brace": ("def step(a):\n    return a", {"a": "x_{t"}, r"^a brace is not closed: x_\{t$"),
}


@pytest.mark.parametrize(("function", "names", "message"), BAD.values(), ids=list(BAD))
def test_bad_input(function: Any, names: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read_function(function, names)


def test_a_meaning_that_the_cell_does_not_have() -> None:
    with pytest.raises(SpecError, match=r"^unknown name of the forward step of lstm 'f_prev'; did you mean h_prev or c_prev or "):
        compare_function(cell("lstm"), my_step, {**NAMES, "f": "f_prev"})


TOKENS = {
    "products": (r"a \odot b \cdot c \ast d e", "a b c d e"),
    "sizes": (r"\mathopen{}\left( a + b \mathclose{}\right) \, c", "( a + b ) c"),
    "idle brackets": (r"W (r_t \odot h) + (W h) \odot r + ((a))", "W r_{t} h + W h r + a"),
    "calls": (r"\tanh(c) + \tanh \left(c\right)", r"\tanh ( c ) + \tanh ( c )"),
    "words": (r"\mathrm{h\_prev} \operatorname{ReLU}(a) \mathrm{T}", r"h_prev ReLU ( a ) \mathrm{T}"),
    "names": (r"\tilde{c}_{t-1} {h^{(t)}}^{\top} W_{hh}^\top \mathbf{x}^{(t)}",
              r"\tilde{c}_{t-1} h^{(t)} ^{\top} W_{hh} ^{\top} \mathbf{x}^{(t)}"),
    "transposes": (r"\mathrm{Wf}.T x", r"Wf ^{\top} x"),
    "powers": (r"\alpha^{2} x^{\circ -1} \varphi'(z)", r"\alpha ^{2} x ^{\circ-1} \varphi' z"),
    "fractions": (r"\frac{1}{2} a + \frac{a + b}{3}", r"\frac 1 2 a + \frac { a + b } 3"),
    "matrices": (r"\begin{bmatrix} a \\ {}[b] \end{bmatrix}", r"\begin{bmatrix} a \\ [ b ] \end{bmatrix}"),
}


@pytest.mark.parametrize(("latex", "expected"), TOKENS.values(), ids=list(TOKENS))
def test_tokens(latex: str, expected: str) -> None:
    assert " ".join(tokens(latex, {r"\tanh", "ReLU"})) == expected


@pytest.mark.parametrize(("latex", "message"), [
    ("{a", r"^a brace is not closed: \{a$"), ("a}", r"^a brace is closed that was not opened: a\}$"),
    ("(a", r"^a bracket is not closed: \(a$"), ("a)", r"^a bracket is closed that was not opened: a\)$"),
    ("a_", r"^an argument is missing at the end: a_$"), ("a_{b", r"^a brace is not closed: a_\{b$"),
])
def test_tokens_of_what_is_not_closed(latex: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        tokens(latex)


@pytest.mark.parametrize(("left", "right"), [
    ("h_{t-1}", "h_{t}"), ("h^{(t)}", "h^{t}"), ("W^{\\top} h", "W h"), ("a - (b - c)", "a - b - c"), (r"\tau(a)", r"\tau a"),
    (r"\tilde{c}_t", "c_t"), ("a b", "b a"), (r"\mathrm{ab}", "a b"), (r"\mathbf{h}", "h"), ("(1 - z) h", "1 - z h"),
])
def test_tokens_tell_apart(left: str, right: str) -> None:
    assert tokens(left, {r"\tau"}) != tokens(right, {r"\tau"})


def test_rows_of_matrices_stay_together() -> None:
    inner = r"\begin{bmatrix} a \\ \begin{bmatrix} b \\ c \end{bmatrix} \end{bmatrix}"
    assert split_rows(rf"\begin{{array}}{{l}} x = {inner} \\ y = 1 \\ x \end{{array}}") == [f"x = {inner}", "y = 1", "x"]
    assert split_rows("x") == ["x"]


def test_the_page_shows_what_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    shown = re.findall(r"```sh\n(symrnn .*)\n```\n\n```text\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert shown
    for command, text in shown:
        assert cli.main(shlex.split(command)[1:]) == 0
        assert capsys.readouterr().out == text
