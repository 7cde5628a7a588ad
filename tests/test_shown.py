"""What notebooks show: LaTeX, and a table that needs no MathJax."""

from __future__ import annotations

import pytest

from symrnn.bptt import derive
from symrnn.cells import cell
from symrnn.networks import network
from symrnn.shown import Shown, marked_up


def objects():
    net = network(cell("lstm"))
    derivation = derive(net)
    adjoint = derivation.adjoint("c")
    contribution = adjoint.contributions[0]
    return [cell("lstm"), cell("lstm").equations[0], net, derivation, adjoint, contribution, contribution.step]


@pytest.mark.parametrize("shown", objects(), ids=lambda o: type(o).__name__)
def test_everything_that_holds_equations_shows_itself(shown):
    latex, table = shown._repr_latex_(), shown._repr_html_()
    assert latex.startswith(r"$\displaystyle \begin{aligned}")
    assert table.startswith("<table>")
    assert table.endswith("</table>")
    assert table.count("<tr>") == latex.count("&=")
    assert "_" not in table.replace("vjp_", "")


def test_the_table_says_what_and_when():
    table = derive(network(cell("rnn")))._repr_html_()
    assert "<caption>rnn, many-to-many, backward pass</caption>" in table
    assert "<td style=\"text-align:right\">δh<sub>T</sub></td>" in table
    assert "= W<sub>hy</sub>ᵀ δa<sub>y,T</sub>" in table


def test_marks_become_tags_and_text_is_escaped():
    assert marked_up("h_{t-1} < W_hh x^(t)") == "h<sub>t-1</sub> &lt; W<sub>hh</sub> x<sup>(t)</sup>"


def test_a_single_formula_shows_its_mathematics():
    formula = derive(network(cell("rnn"))).gradient("W_hh")
    assert formula._repr_html_() is None
    assert formula._repr_latex_().startswith(r"$\displaystyle \sum")


def test_the_base_says_nothing():
    with pytest.raises(TypeError, match=r"^Shown does not say what it shows$"):
        Shown().shown()
