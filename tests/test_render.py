"""A derivation in print: order, times, ranges, steps, ASCII; JSON that reads back."""

from __future__ import annotations

import re
import unicodedata

import pytest
from amounts import examples
from hypothesis import given, settings
from latex_structure import assert_well_formed
from strategies import networks

from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.derivation import hessian_vector_network
from symrnn.equations import Cell, Equation
from symrnn.errors import SpecError
from symrnn.expr import Static, Total, dim, t, time_sum
from symrnn.functions import parameter, series, tanh
from symrnn.networks import TASKS, Given, Network, Scan, network
from symrnn.notation import PROFILES
from symrnn.printing import FORMATS, from_json, render, render_cell
from symrnn.printing.latex import SIGNS
from symrnn.printing.words import PLAIN
from symrnn.times import Span
from symrnn.vjp import BY_NAME

T = dim("T")
CASES = [(name, task) for name in CELLS for task in TASKS]


def derivation_of(name="rnn", **options):
    return derive(network(cell(name), **options))


def section(text, heading):
    """The rows of one section, ends stripped."""
    rows = text.split(f"\n{heading}\n", 1)[1].splitlines()[1:]
    end = next((k for k, row in enumerate(rows) if not row), len(rows))
    return [row.strip() for row in rows[:end]]


def compact(rows):
    """Rows with runs of blanks shortened to one."""
    return [re.sub(r" +", " ", row) for row in rows]


def assert_widths(text, columns=100):
    for row in text.splitlines():
        wide = sum(not unicodedata.combining(c) for c in row)
        assert wide <= columns, f"{wide} columns: {row}"


def backward_network():
    """One scan that runs from the last time to the first."""
    x, h, W = series("x", "H"), series("h", "H"), parameter("W", "H", "H")
    span, loss = Span(1, T), Static("L")
    scan = Scan((Equation(h[t], tanh(W @ h[t + 1] + x[t]), span, "hidden state"),), -1)
    given = (Given(W, "parameter"), Given(x, "input", span), Given(h, "initial", Span(T + 1, T + 1)))
    return Network("backward", given, (scan, Equation(loss, time_sum(Total(h[t]), 1, T), role="loss")), loss)


def test_title_and_order_of_the_sections():
    text = render(derivation_of("lstm", task="many-to-one"))
    assert text.startswith("Backpropagation through time: lstm, many-to-one\n===")
    headings = re.findall(r"^(\w.*)\n-+$", text, re.MULTILINE)
    assert headings == ["Quantities", "Forward pass", "Backward pass", "Gradients", "Conventions"]


def test_a_single_time_takes_the_place_of_t():
    text = render(derivation_of(task="many-to-one"))
    assert compact(section(text, "Backward pass")) == [
        "δℓ_T = 1",
        "δa_{y,T} = ŷ_T - y_T",
        "δh_T = W_hyᵀ δa_{y,T}",
        "δh_t = W_hhᵀ δa_{t+1} t = T-1, …, 1",
        "δa_t = δh_t ⊙ (1 - h_t ⊙ h_t) t = T, …, 1",
    ]
    assert compact(section(text, "Gradients")) == [
        "∂L/∂W_hh = Σ_{t=1}^T δa_t h_{t-1}ᵀ",
        "∂L/∂W_xh = Σ_{t=1}^T δa_t x_tᵀ",
        "∂L/∂b_h = Σ_{t=1}^T δa_t",
        "∂L/∂W_hy = δa_{y,T} h_Tᵀ",
        "∂L/∂b_y = δa_{y,T}",
        "∂L/∂x_t = W_xhᵀ δa_t t = 1, …, T",
        "∂L/∂h_0 = W_hhᵀ δa_1",
    ]


def test_fed_inputs_are_adjoints_and_the_given_one_is_a_gradient():
    text = render(derivation_of(task="one-to-many", feed="output"))
    assert "δx_t = W_xhᵀ δa_t t = T, …, 2" in compact(section(text, "Backward pass"))
    assert "∂L/∂x_1 = W_xhᵀ δa_1" in compact(section(text, "Gradients"))


def test_a_backward_scan_is_printed_the_other_way_round():
    text = render(derive(backward_network()))
    assert compact(section(text, "Forward pass"))[0] == "h_t = tanh(W h_{t+1} + x_t) t = T, …, 1"
    names = [row.split(" =")[0] for row in compact(section(text, "Backward pass"))]
    assert names.index("δh_1") < names.index("δh_t")
    assert any(row.endswith("t = 2, …, T") for row in section(text, "Backward pass"))
    assert any(row.startswith("∂L/∂h_{T+1}") for row in section(text, "Gradients"))


def test_conventions_name_conditions_and_least_lengths():
    rows = section(render(derivation_of()), "Conventions")
    assert rows[:3] == [
        "δq_t = ∂L/∂q_t has the shape of q_t (denominator layout).",
        "Condition on what is given: 1ᵀ y_t = 1.",
        "The lines hold for T ≥ 1.",
    ]
    assert "one sequence; over a batch" in rows[3]
    free = section(render(derivation_of(loss="squared-error")), "Conventions")
    assert not any("Condition" in row for row in free)


def test_a_gate_is_subtracted_from_one_as_in_the_paper():
    text = render(derivation_of("lstm"))
    assert "δf_t ⊙ f_t ⊙ (1 - f_t)" in text


def test_quantities_are_listed_with_their_shapes():
    rows = compact(section(render(derivation_of("lstm", task="many-to-one")), "Quantities"))
    assert rows[0] == "parameters H×H W_f, W_i, W_c, W_o"
    assert "initial states H×1 c_0, h_0" in rows
    assert any(row.startswith("computed H×1") and row.endswith("s_{c,t}, h_t") for row in rows)


def test_only_what_leads_to_one_gradient():
    text = render(derivation_of(), wrt="W_hy")
    assert compact(section(text, "Gradients")) == ["∂L/∂W_hy = Σ_{t=1}^T δa_{y,t} h_tᵀ"]
    assert "δh_" not in text
    state = render(derivation_of(), wrt="h_0")
    assert compact(section(state, "Gradients")) == ["∂L/∂h_0 = W_hhᵀ δa_1"]


@pytest.mark.sampled(19)
@pytest.mark.parametrize(("name", "task"), CASES)
def test_text_fits_a_terminal_and_loses_no_line(name, task):
    derivation = derivation_of(name, task=task)
    for profile in PROFILES:
        for ascii_only in (False, True):
            text = render(derivation, notation=profile, ascii=ascii_only)
            assert_widths(text)
            assert text.isascii() == ascii_only
            signs = sum(" = " in row for row in section(text, "Backward pass") + section(text, "Gradients"))
            assert signs >= len(derivation.lines)


def test_long_sums_are_broken_before_a_term():
    rows = section(render(derivation_of("lstm")), "Backward pass")
    broken = next(k for k, row in enumerate(rows) if row.startswith("δh_t"))
    assert rows[broken + 1] == "+ W_fᵀ δa_{f,t+1}"
    latex = render(derivation_of("lstm"), "latex")
    assert re.search(r"t = T-1, \\dots, 1 \\\\\n  &\\qquad \+ W_\{[if]\}", latex)


def test_latex_stands_in_align_and_is_well_formed():
    for profile in PROFILES:
        for steps in (False, True):
            text = render(derivation_of("gru"), "latex", notation=profile, steps=steps)
            assert text.isascii()
            assert r"\mathbb" not in text
            blocks = re.findall(r"\\begin\{align\*\}\n(.*?)\\end\{align\*\}", text, re.DOTALL)
            assert len(blocks) >= 3
            for formula in [*blocks, *re.findall(r"\$([^$]+)\$", text)]:
                assert_well_formed(formula)


def test_markdown_has_headings_tables_and_blocks():
    text = render(derivation_of(), "markdown")
    assert text.startswith("# Backpropagation through time: rnn, many-to-many\n\n## Quantities\n\n| kind |")
    assert "\n$$\n\\begin{aligned}\n" in text
    assert text.count("$$") == 6


def test_steps_say_who_reads_by_which_rule_and_what_is_received():
    text = render(derivation_of(), steps=True)
    start = text.index("\nh_t, hidden state\n")
    told = compact(text[start : text.index("\na_t, pre-activation\n", start)].split("\n"))
    assert [row.strip() for row in told if row] == [
        "h_t, hidden state",
        "1. It is read by a_{y,t} = W_hy h_t + b_y.",
        "Rule vjp_plus: q = a + b ⟹ δa += g, δb += g (Giles 2008)",
        "Rule vjp_product: Q = A B C ⟹ δB += Aᵀ g Cᵀ (Giles 2008)",
        "∂a_{y,t}/∂h_t = W_hy",
        "(∂a_{y,t}/∂h_t)ᵀ δa_{y,t} = W_hyᵀ δa_{y,t}",
        "δh_t += W_hyᵀ δa_{y,t} t = 1, …, T",
        "2. It is read by a_{t+1} = W_hh h_t + W_xh x_{t+1} + b_h.",
        "Rule vjp_plus: q = a + b ⟹ δa += g, δb += g (Giles 2008)",
        "Rule vjp_product: Q = A B C ⟹ δB += Aᵀ g Cᵀ (Giles 2008)",
        "∂a_{t+1}/∂h_t = W_hh",
        "(∂a_{t+1}/∂h_t)ᵀ δa_{t+1} = W_hhᵀ δa_{t+1}",
        "δh_t += W_hhᵀ δa_{t+1} t = 0, …, T-1",
        "Together:",
        "δh_0 = W_hhᵀ δa_1",
        "δh_t = W_hyᵀ δa_{y,t} + W_hhᵀ δa_{t+1} t = 1, …, T-1",
        "δh_T = W_hyᵀ δa_{y,T}",
    ]


def test_a_reader_at_one_time_is_shown_at_that_time():
    text = render(derivation_of(task="many-to-one"), steps=True)
    told = compact(text[text.index("\nh_t, hidden state\n") :].split("\n"))
    assert [row.strip() for row in told[2:8]] == [
        "1. It is read by a_{y,T} = W_hy h_T + b_y.",
        "Rule vjp_plus: q = a + b ⟹ δa += g, δb += g (Giles 2008)",
        "Rule vjp_product: Q = A B C ⟹ δB += Aᵀ g Cᵀ (Giles 2008)",
        "∂a_{y,T}/∂h_T = W_hy",
        "(∂a_{y,T}/∂h_T)ᵀ δa_{y,T} = W_hyᵀ δa_{y,T}",
        "δh_T += W_hyᵀ δa_{y,T}",
    ]


@pytest.mark.parametrize("format", ["unicode", "latex", "markdown"])
def test_steps_name_every_rule_that_was_used(format):
    derivation = derivation_of("gru")
    text = render(derivation, format, steps=True)
    used = {rule for a in derivation.adjoints for c in a.contributions for rule in c.step.rules} - {"identity"}
    for rule in used:
        assert rule.replace("_", r"\_") in text if format == "latex" else rule in text
        assert BY_NAME[rule].source.replace("&", r"\&") in text.replace("\n    ", " ") or format != "latex"
    assert sum(len(a.contributions) for a in derivation.adjoints) == text.count("It is read by")


def test_steps_in_ascii():
    assert render(derivation_of("gru"), steps=True, ascii=True).isascii()


def test_second_order_in_print():
    derivation = derive(hessian_vector_network(derivation_of(task="many-to-one")))
    text = render(derivation)
    assert "derivation 2" in text.splitlines()[0]
    assert "∂s/∂W_hh" in text
    assert "δ²q_t = ∂s/∂q_t has the shape of q_t" in text
    assert_well_formed(re.sub(r"%.*", "", render(derivation, "latex", notation="notes-000")))


@given(networks())
@settings(max_examples=examples(15))
def test_random_networks_print_and_read_back(random_network):
    derivation = derive(random_network)
    for steps in (False, True):
        assert render(derivation, ascii=True, steps=steps).isascii()
        assert render(derivation, "latex", steps=steps)
    assert from_json(render(derivation, "json")) == derivation


@pytest.mark.sampled(3)
@pytest.mark.parametrize("name", list(CELLS))
def test_cells_in_print(name):
    source = cell(name)
    text = render_cell(source)
    assert text.startswith(f"{name}: {source.title}\n")
    assert source.source.split(",")[0] in text
    assert len([row for row in text.splitlines() if " = " in row]) >= len(source.equations)
    for profile in PROFILES:
        assert render_cell(source, notation=profile, ascii=True).isascii()
        assert r"\begin{align*}" in render_cell(source, "latex", notation=profile)
        assert "$$" in render_cell(source, "markdown", notation=profile)


def test_a_cell_of_ones_own_needs_no_title():
    x, h, W = series("x", "H"), series("h", "H"), parameter("W", "H", "H")
    own = Cell("own", [Equation(h[t], tanh(W @ h[t - 1] + x[t]))], inputs=[x])
    assert render_cell(own).startswith("own\n===\n")


def test_unknown_names_are_refused():
    with pytest.raises(SpecError, match=r"^unknown format 'latx'; did you mean latex\?$"):
        render(derivation_of(), "latx")
    with pytest.raises(SpecError, match=r"^unknown format 'json'; known: latex, markdown, unicode$"):
        render_cell(cell("rnn"), "json")
    with pytest.raises(SpecError, match=r"^unknown notation 'index'; did you mean indexed\?$"):
        render(derivation_of(), notation="index")
    with pytest.raises(SpecError, match=r"^unknown quantity 'W_hx'; did you mean "):
        render(derivation_of(), wrt="W_hx")
    assert FORMATS == ("unicode", "latex", "markdown", "json")


def test_signs_of_the_rules_have_forms_in_every_medium():
    used = {sign for rule in BY_NAME.values() for sign in rule.statement + rule.source if not sign.isascii()}
    assert used <= set(PLAIN)
    assert used <= set(SIGNS)
