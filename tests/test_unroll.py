"""Unrolled derivations: the substitution, the sum over paths judged exactly, planted errors, text in proportion to the steps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from symrnn.bptt import derive
from symrnn.cells import CELLS, cell
from symrnn.equations import Cell
from symrnn.errors import NotSupportedError, SpecError
from symrnn.expr import Node, Product, t
from symrnn.functions import parameter, series, tanh
from symrnn.networks import architecture, network
from symrnn.networks.truncation import truncated
from symrnn.unrolling import unroll
from symrnn.unrolling.brackets import nested, split_at_plus
from symrnn.unrolling.outline import kept_values
from symrnn.unrolling.paths import by_paths
from symrnn.verify.entrywise import judge_entrywise
from symrnn.verify.panel import check

RNN = network(cell("rnn"))
NETWORKS = {
    **{name: lambda name=name: network(cell(name)) for name in CELLS},
    "many-to-one": lambda: network(cell("rnn"), task="many-to-one"),
    "output fed back": lambda: network(cell("rnn"), task="one-to-many", feed="output"),
    "stacked": lambda: architecture("stacked", cell("gru"), layers=2),
    "bidirectional": lambda: architecture("bidirectional", cell("lstm")),
    "encoder-decoder": lambda: architecture("encoder-decoder", cell("rnn")),
    "truncated": lambda: truncated(network(cell("lstm")), 2),
    "embedding": lambda: architecture("language-model", cell("rnn"), layers=2),
}


def everything(net, steps):
    """The derivation with each parameter, input and initial state as a sum over paths, and the sums."""
    derivation = derive(net)
    sums = [one for given in derivation.wanted for one in unroll(derivation, steps, wrt=given.name).sums]
    return by_paths(unroll(derivation, steps).explicit, sums), sums


@pytest.mark.sampled(7)
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("steps", [2])
def test_the_sum_over_paths_is_the_gradient(name, steps):
    """Exactly, modulo 2^61 - 1, against scalar derivatives accumulated forward."""
    derivation, sums = everything(NETWORKS[name](), steps)
    assert any(one.terms for one in sums)
    judge_entrywise(derivation).assert_ok()


@pytest.mark.sampled(9)
@pytest.mark.parametrize("steps", [2, 4, 5])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_the_sum_over_paths_at_other_lengths(name, steps):
    derivation, _ = everything(network(cell(name)), steps)
    judge_entrywise(derivation).assert_ok()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["rnn", "lstm", "many-to-one"])
def test_the_other_judges_agree(name):
    derivation, _ = everything(NETWORKS[name](), 3 if name == "rnn" else 2)
    for report in check(derivation, judges=["balls", "numeric"]):
        report.assert_ok()


def test_a_sum_has_a_term_for_each_pair_of_times():
    (total,) = unroll(RNN, 3, wrt="W_hh").sums
    assert [(p.arrives, p.reads) for p in total.terms] == [(1, 1), (2, 2), (2, 1), (3, 3), (3, 2), (3, 1)]
    (total,) = unroll(architecture("bidirectional", cell("rnn")), 3, wrt="W_hh_bw").sums
    assert [(p.arrives, p.reads) for p in total.terms] == [(1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)]
    (total,) = unroll(truncated(RNN, 2), 4, wrt="W_hh").sums
    assert [(p.arrives, p.reads) for p in total.terms] == [(1, 1), (2, 2), (2, 1), (3, 3), (4, 4), (4, 3)]


def reversed_product(node: Node) -> Node:
    """``diag(…) J_3ᵀ J_2ᵀ e_3 h_0ᵀ``."""
    factors = list(node.args)
    factors[1], factors[2] = factors[2], factors[1]
    return Product(*factors)


def one_off(node: Node) -> Node:
    """The factor ``J_3ᵀ`` where ``J_2ᵀ`` stands."""
    return node.xreplace({node.args[1]: node.args[2]})


PLANTED = {
    "a missing term": lambda terms: terms[:-1],
    "a term twice": lambda terms: (*terms, terms[-1]),
    "the product in reverse order": lambda terms: (*terms[:-1], replace(terms[-1], term=reversed_product(terms[-1].term))),
    "an index off by one": lambda terms: (*terms[:-1], replace(terms[-1], term=one_off(terms[-1].term))),
    "a factor left out": lambda terms: (*terms[:-1], replace(terms[-1], term=Product(*terms[-1].term.args[:1], *terms[-1].term.args[2:]))),
}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("error", PLANTED)
def test_planted_errors_are_refuted(error):
    unrolled = unroll(RNN, 3, wrt="W_hh")
    (total,) = unrolled.sums
    assert [str(factor) for factor in total.terms[-1].term.args[1:3]] == ["Jacobian_2ᵀ", "Jacobian_3ᵀ"]
    wrong = by_paths(unrolled.explicit, [replace(total, terms=PLANTED[error](total.terms))])
    for report in check(wrong, judges=["entrywise", "balls", "numeric"]):
        assert any("W_hh" in finding.quantity for finding in report.refuted), report.judge


@pytest.mark.parametrize(("name", "substitute", "line"), [
    ("rnn", "states", "h_3 = tanh(W_hh tanh[W_hh tanh(W_hh h_0 + W_xh x_1 + b_h) + W_xh x_2 + b_h] + W_xh x_3 + b_h)"),
    ("lstm", "states", "h_3 = o_3 ⊙ tanh(f_3 ⊙ [f_2 ⊙ (f_1 ⊙ c_0 + i_1 ⊙ c̃_1) + i_2 ⊙ c̃_2] + i_3 ⊙ c̃_3)"),
    ("gru", "states", "h_3 = z_3 ⊙ (z_2 ⊙ [z_1 ⊙ h_0 + (1 - z_1) ⊙ h̃_1] + (1 - z_2) ⊙ h̃_2) + (1 - z_3) ⊙ h̃_3"),
    ("lstm", "everything", "h_1 = σ(W_o h_0 + U_o x_1 + b_o) ⊙ tanh(c_1)"),
])
def test_states_are_put_into_themselves(name, substitute, line):
    text = " ".join(unroll(network(cell(name)), 3, substitute=substitute).render().split())
    assert line in text


def test_what_keeps_its_name_is_defined_below():
    text = unroll(network(cell("gru")), 3).render()
    assert "r_t = σ(W_r x_t + U_r h_{t-1})" in text
    assert "h̃_t = tanh(W x_t + U (r_t ⊙ h_{t-1}))" in text


def test_the_substitution_of_the_notes_in_their_own_letters():
    """Notes 000: ``h^{(t)} = τ[U x^{(t)} + W τ(U x^{(t-1)} + W h^{(t-2)})]``, with the terms in the order of a cell written so."""
    x, h, u, w = series("x", "D"), series("h", "H"), parameter("W_xh", "H", "D"), parameter("W_hh", "H", "H")
    own = Cell("rnn", [(h[t], tanh(u @ x[t] + w @ h[t - 1]))], inputs=[x])
    unrolled = unroll(network(own), 3, back_to=2, notation="notes-000")
    assert "h^(t) = τ[U x^(t) + W τ(U x^(t-1) + W h^(t-2))]" in unrolled.render()
    assert r"h^{(t)} &= \tau\bigl[U x^{(t)} + W \tau(U x^{(t-1)} + W h^{(t-2)})\bigr]" in unrolled.render("latex")


@pytest.mark.full
def test_text_grows_in_proportion_to_the_steps():
    for name in ("rnn", "gru", "lstm"):
        for substitute in ("states", "everything"):
            short, long = (len(unroll(network(cell(name)), steps, substitute=substitute).render()) for steps in (20, 40))
            assert long < 2.2 * short


def test_what_several_read_is_named_once():
    lines = unroll(network(cell("lstm")), 3, substitute="everything").forward
    assert [str(line.lhs) for line in lines] == ["c_1", "h_1", "c_2", "h_2", "h_3"]
    assert [str(line.lhs) for line in unroll(RNN, 10, nesting=4).forward] == ["h_4", "h_8", "h_10"]


def test_the_symbolic_sum_and_the_induction():
    text = unroll(RNN, 3, wrt="W_hh").render()
    assert "Σ_{t=1}^T Σ_{k=1}^t diag(1 - h_k ⊙ h_k) J_{k+1}ᵀ ⋯ J_tᵀ e_t h_{k-1}ᵀ" in text
    assert "= ∂h_t/∂h_{t-1} = diag(1 - h_t ⊙ h_t) W_hh" in text
    assert "δh_t = e_t + J_{t+1}ᵀ δh_{t+1}  t = T-1, …, 1" in text
    assert "+ diag(1 - h_1 ⊙ h_1) J_2ᵀ J_3ᵀ e_3 h_0ᵀ" in text
    last = unroll(network(cell("rnn"), task="many-to-one"), 3, wrt="W_hh").render()
    assert "Σ_{k=1}^T diag(1 - h_k ⊙ h_k) J_{k+1}ᵀ ⋯ J_Tᵀ e_T h_{k-1}ᵀ" in last
    backward = unroll(architecture("bidirectional", cell("rnn")), 3, wrt="W_hh_bw").render()
    assert "Σ_{t=1}^T Σ_{k=t}^T diag(1 - h_{bw,k} ⊙ h_{bw,k}) J_{bw,k-1}ᵀ ⋯ J_{bw,t}ᵀ e_{bw,t} h_{bw,k+1}ᵀ" in backward
    rows = unroll(RNN, 3, wrt="W_hh", notation="d2l").render()
    assert "⋯" in rows


def test_a_letter_that_is_taken_is_not_used_twice():
    """In notes 000 the hidden size is ``J``, so the Jacobian has another letter."""
    text = unroll(RNN, 2, wrt="W_hh", notation="notes-000").render()
    assert "M^(t)" in text
    assert "J^(t)" not in text


def test_attention_has_its_lines_and_says_why_no_product_of_jacobians():
    net = architecture("encoder-decoder", cell("rnn"), attention="additive")
    text = unroll(net, 2, wrt="W_hh_dec").render()
    assert "δa_{dec,1}" in text
    assert "is no matrix made of named quantities" in " ".join(text.split())
    with pytest.raises(NotSupportedError, match=r"^∂Z_t/∂h_\{dec,t-1\} is no matrix made of named quantities"):
        _ = unroll(net, 2, wrt="W_hh_dec").sums


@pytest.mark.sampled(11)
@pytest.mark.parametrize("format", ["unicode", "latex", "markdown"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_network_is_printed(name, format):
    text = unroll(NETWORKS[name](), 2).render(format)
    assert "over paths" in text
    assert not {"Jacobian_", "Arriving", "XCHAINX", "_reads"} & set(text.replace("_{", " ").split())
    assert "XCHAINX" not in text


def test_ascii():
    assert unroll(RNN, 3, notation="notes-000").render(ascii=True).isascii()


@pytest.mark.parametrize(("asked", "match"), [
    ({"steps": 0}, r"^steps must be a whole number from 1 on; got 0$"),
    ({"steps": 2.5}, r"^steps must be a whole number from 1 on; got 2\.5$"),
    ({"steps": True}, r"^steps must be a whole number from 1 on; got True$"),
    ({"back_to": 0}, r"^back_to must be a whole number from 1 to 20; got 0$"),
    ({"nesting": 21}, r"^nesting must be a whole number from 1 to 20; got 21$"),
    ({"wrt": "W_hx"}, r"^unknown quantity 'W_hx'; did you mean"),
    ({"wrt": "y"}, r"^no gradient is taken in y, a target; choose one of "),
    ({"substitute": "gates"}, r"^unknown substitution 'gates'"),
    ({"notation": "notes"}, r"^unknown notation 'notes'"),
])
def test_bad_input_is_refused_in_one_line(asked, match):
    with pytest.raises(SpecError, match=match):
        unroll(RNN, **{"steps": 3, **asked})


def test_something_else_than_a_network_is_refused():
    with pytest.raises(SpecError, match=r"^unroll takes a network or a derivation; got a Cell; write unroll\(network\(cell\), steps\)$"):
        unroll(cell("rnn"), 3)
    with pytest.raises(SpecError, match=r"^unknown format 'pdf'"):
        unroll(RNN, 3).render("pdf")


def test_brackets_change_and_grow_with_their_level():
    assert nested("f(a + g(b + h(c)))", latex=False) == "f(a + g[b + h(c)])"
    assert nested("f(a + g(b))", latex=True) == r"f\bigl[a + g(b)\bigr]"
    assert nested("τ(W h^(t-1) + b)", latex=False) == "τ(W h^(t-1) + b)"
    assert nested(r"\tau(W h^{(t-1)} + b)", latex=True) == r"\tau(W h^{(t-1)} + b)"
    deep = nested("a(b(c(d(e(f(g))))))", latex=True)
    assert deep == r"a\Biggl[b\Biggl(c\biggl[d\Bigl(e\bigl[f(g)\bigr]\Bigr)\biggr]\Biggr)\Biggr]".replace("a\\Biggl[b", "a\\Biggl[b")
    assert split_at_plus("a + b - c + d", 5) == ["a + b", "- c", "+ d"]


@pytest.mark.parametrize(("name", "kept"), [
    ("rnn", []), ("lstm", ["f_t", "i_t", "c_tilde_t", "o_t"]), ("gru", ["r_t", "z_t", "h_tilde_t"]),
])
def test_values_beside_states_keep_their_names(name, kept):
    lines = kept_values(unroll(derive(network(cell(name))), steps=3))
    assert [str(line.left) for line in lines] == kept
