"""What each pass is for: the equations that come out, on small examples."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from fast_cases import NAMED, case, form_of

from symrnn import writer
from symrnn.expr import Hadamard, Zeros
from symrnn.networks.graph import Scan
from symrnn.scheduling import PASSES, scheduled
from symrnn.scheduling.arranging import MOST, arranged, in_one_piece
from symrnn.scheduling.distribution import connected
from symrnn.scheduling.form import equations_of, made_by, read_by, recurrent

RNN, GRU, LSTM = (f"{name}, many-to-many" for name in ("rnn", "gru", "lstm"))
FORWARD = ["a_t = W_hh h_{t-1} + W_xh x_t + b_h, 1…T", "h_t = tanh(a_t), 1…T"]
READOUT = ["a_{y,t} = W_hy h_t + b_y, 1…T", "ŷ_t = softmax(a_{y,t}), 1…T", "ℓ_t = -y_tᵀ log softmax(a_{y,t}), 1…T"]
GRU_BACKWARD = [
    "δz_t = δh_t ⊙ (h_{t-1} - h̃_t)", "δa_{z,t} = δz_t ⊙ z_t ⊙ (1 - z_t)", "δh̃_t = δh_t ⊙ (1 - z_t)",
    "δa_{h,t} = δh̃_t ⊙ (1 - h̃_t ⊙ h̃_t)",
]


def lines_of(block):
    return [f"{writer.text(e.lhs)} = {writer.text(e.rhs)}" + (f", {e.span}" if e.span else "") for e in equations_of(block)]


def around(name, step, wrt="parameters"):
    """The blocks before and after one pass, the others before it being done."""
    form = form_of(case(name), wrt)
    for key, run in PASSES.items():
        if key == step:
            return [lines_of(block) for block in form.blocks], [lines_of(block) for block in run(form).blocks]
        form = run(form)
    raise AssertionError(step)


def changed(name, step, wrt="parameters"):
    """The blocks that a pass takes away, and those that it puts in their place."""
    before, after = around(name, step, wrt)
    return [block for block in before if block not in after], [block for block in after if block not in before]


def without_times(block):
    return [line.removesuffix(", 1…T") for line in block]


# What nobody needs.


def test_needed_leaves_out_what_no_result_reads():
    before, after = around(RNN, "needed")
    gone = {line for block in before for line in block} - {line for block in after for line in block}
    assert gone == {"δh_t = W_hhᵀ δa_{t+1}, 0", "δℓ_t = 1, 1…T", "δx_t = W_xhᵀ δa_t, 1…T"}


def test_needed_keeps_what_is_asked_for():
    before, after = around(RNN, "needed", "all")
    gone = {line for block in before for line in block} - {line for block in after for line in block}
    assert gone == {"δℓ_t = 1, 1…T"}


def test_needed_leaves_out_zeros_that_nobody_reads_any_more():
    gone, put = changed(GRU, "pruned")
    assert sorted(line for block in gone for line in block) == ["δa_{r,t} = 0, T + 1", "δa_{z,t} = 0, T + 1"]
    assert not put


# Zeros beside the ends.


def test_padded_joins_the_last_time_with_the_others():
    gone, put = changed(RNN, "padded")
    adjoint = ["δa_{y,t} = ŷ_t - y_t, 1…T", "δh_t = W_hyᵀ δa_{y,t} + W_hhᵀ δa_{t+1}, 1…T", "δa_t = δh_t ⊙ (1 - h_t ⊙ h_t), 1…T"]
    assert gone == [[adjoint[0], "δh_t = W_hyᵀ δa_{y,t} + W_hhᵀ δa_{t+1}, 1…T - 1", "δh_t = W_hyᵀ δa_{y,t}, T", adjoint[2]]]
    assert put == [["δa_t = 0, T + 1"], adjoint]


def test_padded_joins_two_adjoints_of_an_lstm():
    gone, put = changed(LSTM, "padded")
    zeros = {line for block in put[:-1] for line in block}
    assert zeros == {f"{name} = 0, T + 1" for name in ("δa_{f,t}", "δa_{i,t}", "δa_{c,t}", "δa_{o,t}", "δc_t", "f_t")}
    assert [line for line in gone[0] if not line.endswith(", 1…T")] == [
        "δh_t = W_hyᵀ δa_{y,t} + W_oᵀ δa_{o,t+1} + W_cᵀ δa_{c,t+1} + W_iᵀ δa_{i,t+1} + W_fᵀ δa_{f,t+1}, 1…T - 1",
        "δh_t = W_hyᵀ δa_{y,t}, T",
        "δc_t = δs_{c,t} ⊙ (1 - s_{c,t} ⊙ s_{c,t}) + δc_{t+1} ⊙ f_{t+1}, 1…T - 1",
        "δc_t = δs_{c,t} ⊙ (1 - s_{c,t} ⊙ s_{c,t}), T",
    ]
    assert all(line.endswith(", 1…T") for line in put[-1])


def test_padded_leaves_an_end_with_a_formula_of_its_own():
    """With one loss at the end, ``δh_T`` is no case of the general formula."""
    before, after = around("rnn, many-to-one", "padded")
    assert before == after
    assert "δh_t = W_hyᵀ δa_{y,t}, T" in [line for block in after for line in block]


# Parts of a scan.


def test_distributed_takes_the_readout_out_of_the_loop():
    gone, put = changed(RNN, "distributed")
    adjoint = ["δh_t = W_hyᵀ δa_{y,t} + W_hhᵀ δa_{t+1}, 1…T", "δa_t = δh_t ⊙ (1 - h_t ⊙ h_t), 1…T"]
    assert gone == [[*FORWARD, *READOUT], ["δa_{y,t} = ŷ_t - y_t, 1…T", *adjoint]]
    assert put == [FORWARD, *([line] for line in READOUT), ["δa_{y,t} = ŷ_t - y_t, 1…T"], adjoint]


@pytest.mark.sampled(31, 2)
@pytest.mark.parametrize("name", NAMED)
def test_distributed_leaves_cycles_only(name):
    form = PASSES["distributed"](form_of(case(name)))
    for block in form.blocks:
        own = made_by(equations_of(block))
        if len(own) > 1:
            assert isinstance(block, Scan)
            assert recurrent(block)
            for e in equations_of(block):  # everything depends on everything
                reached = {e.quantity}
                while more := {q for o in equations_of(block) if o.quantity in reached for q in read_by(o.rhs) & own} - reached:
                    reached |= more
                assert reached == own


def test_components_come_after_what_they_read():
    reads = {"a": ["b"], "b": ["c", "a"], "c": [], "d": ["a"], "e": ["e", "d"], "f": ["c"]}
    assert connected(reads) == [{"c"}, {"a", "b"}, {"d"}, {"e"}, {"f"}]
    assert connected({"x": ["y"], "y": ["z"], "z": ["x"]}) == [{"x", "y", "z"}]


# Weights that are one block.


def test_unblocked_cuts_a_block_so_that_the_part_for_the_input_can_leave():
    put = changed("rnn-block, many-to-many", "unblocked")[1]
    assert put[:4] == [
        ["W_h = [W]_{:,1:H}"], ["W_x = [W]_{:,H+1:D+H}"], ["W_one = [W]_{:,D+H+1:D+H+1}"],
        ["a_t = W_h h_{t-1} + W_x x_t + W_one, 1…T", "h_t = tanh(a_t), 1…T"],
    ]
    assert put[4][0] == "δh_t = W_hyᵀ δa_{y,t} + W_hᵀ δa_{t+1}, 1…T"
    assert put[5:] == [
        ["∂L/∂W_{h,2} = Σ_{t=1}^T δa_t h_{t-1}ᵀ"], ["∂L/∂W_{x,2} = Σ_{t=1}^T δa_t x_tᵀ"], ["∂L/∂W_{one,2} = Σ_{t=1}^T δa_t"],
        ["∂L/∂W = [(∂L/∂W_{h,2})ᵀ; (∂L/∂W_{x,2})ᵀ; (∂L/∂W_{one,2})ᵀ]ᵀ"],
    ]


# Names for what is computed more than once.


def test_shared_names_a_product_that_is_read_at_two_times():
    gone, put = changed(GRU, "shared")
    assert gone[1] == [line + ", 1…T" for line in (
        "δh_t = W_hyᵀ δa_{y,t} + δh_{t+1} ⊙ z_{t+1} + (Uᵀ δa_{h,t+1}) ⊙ r_{t+1} + U_zᵀ δa_{z,t+1} + U_rᵀ δa_{r,t+1}",
        *GRU_BACKWARD, "δr_t = (Uᵀ δa_{h,t}) ⊙ h_{t-1}", "δa_{r,t} = δr_t ⊙ r_t ⊙ (1 - r_t)",
    )]
    assert put[0] == ["q_{a,h,t} = 0, T + 1"]
    assert without_times(put[2]) == [
        "δh_t = W_hyᵀ δa_{y,t} + δh_{t+1} ⊙ z_{t+1} + q_{a,h,t+1} ⊙ r_{t+1} + U_zᵀ δa_{z,t+1} + U_rᵀ δa_{r,t+1}",
        *GRU_BACKWARD, "q_{a,h,t} = Uᵀ δa_{h,t}", "δr_t = q_{a,h,t} ⊙ h_{t-1}", "δa_{r,t} = δr_t ⊙ r_t ⊙ (1 - r_t)",
    ]


def test_shared_names_what_a_weight_is_multiplied_with():
    gone, put = changed(GRU, "shared")
    assert "a_{h,t} = W x_t + U (r_t ⊙ h_{t-1}), 1…T" in gone[0]
    assert {"q_{r,t} = r_t ⊙ h_{t-1}, 1…T", "a_{h,t} = W x_t + U q_{r,t}, 1…T"} <= set(put[1])
    assert (gone[2], put[3]) == (["∂L/∂U = Σ_{t=1}^T δa_{h,t} (r_t ⊙ h_{t-1})ᵀ"], ["∂L/∂U = Σ_{t=1}^T δa_{h,t} q_{r,t}ᵀ"])


def test_shared_names_nothing_that_is_computed_once():
    before, after = around(LSTM, "shared")
    assert before == after


# Work before a recurrence.


def test_hoisted_takes_products_with_the_input_out_of_the_recurrence():
    gone, put = changed(RNN, "hoisted")
    assert put[:2] == [["p_{a,t} = W_xh x_t + b_h, 1…T"], ["a_t = W_hh h_{t-1} + p_{a,t}, 1…T", "h_t = tanh(a_t), 1…T"]]
    assert put[2:] == [
        ["p_{h,t} = W_hyᵀ δa_{y,t}, 1…T"], ["δh_t = W_hhᵀ δa_{t+1} + p_{h,t}, 1…T", "δa_t = δh_t ⊙ (1 - h_t ⊙ h_t), 1…T"],
    ]
    assert len(gone) == 2


def test_hoisted_leaves_a_bias_that_is_alone():
    put = changed("gru-reset-after, many-to-many", "hoisted")[1]
    lines = [line for block in put for line in without_times(block)]
    assert "p_{n,t} = U_n h_{t-1} + b_Un" in lines
    assert "a_{n,t} = r_t ⊙ p_{n,t} + p_{a,n,t}" in lines
    assert "p_{a,n,t} = W_n x_t + b_Wn" in lines


def test_logarithms_have_a_name_beside_their_softmax():
    gone, put = changed(RNN, "logarithms")
    assert [without_times(block) for block in gone] == [["ℓ_t = -y_tᵀ log softmax(a_{y,t})"]]
    assert [without_times(block) for block in put] == [["l_{y,hat,t} = log softmax(a_{y,t})"], ["ℓ_t = -y_tᵀ l_{y,hat,t}"]]
    start = form_of(case(RNN))
    form = scheduled(start.network, start.results)
    assert PASSES["logarithms"](form) == form


def test_a_logarithm_without_softmax_keeps_its_place():
    start = form_of(case(RNN), "parameters")
    form = PASSES["distributed"](PASSES["needed"](replace(start, results={start.loss: None})))
    assert PASSES["logarithms"](form) == form


# Factors of recurrent values.


def test_inlined_puts_products_into_their_only_reader():
    gone, put = changed(GRU, "inlined")
    assert (len(gone), len(put)) == (1, 1)
    assert without_times(put[0])[1:] == [
        "δa_{z,t} = δh_t ⊙ (h_{t-1} - h̃_t) ⊙ z_t ⊙ (1 - z_t)", "δa_{h,t} = δh_t ⊙ (1 - z_t) ⊙ (1 - h̃_t ⊙ h̃_t)",
        "q_{a,h,t} = Uᵀ δa_{h,t}", "δa_{r,t} = q_{a,h,t} ⊙ h_{t-1} ⊙ r_t ⊙ (1 - r_t)",
    ]


@pytest.mark.parametrize(("name", "factors", "recurrence"), [
    (GRU, ["k_{a,z,t} = (h_{t-1} - h̃_t) ⊙ z_t ⊙ (1 - z_t)", "k_{a,h,t} = (1 - z_t) ⊙ (1 - h̃_t ⊙ h̃_t)",
           "k_{a,r,t} = h_{t-1} ⊙ r_t ⊙ (1 - r_t)"],
     ["δa_{z,t} = δh_t ⊙ k_{a,z,t}", "δa_{h,t} = δh_t ⊙ k_{a,h,t}", "q_{a,h,t} = Uᵀ δa_{h,t}", "δa_{r,t} = q_{a,h,t} ⊙ k_{a,r,t}"]),
    (LSTM, ["k_{a,o,t} = s_{c,t} ⊙ o_t ⊙ (1 - o_t)", "k_{c,t} = o_t ⊙ (1 - s_{c,t} ⊙ s_{c,t})",
            "k_{a,f,t} = c_{t-1} ⊙ f_t ⊙ (1 - f_t)", "k_{a,i,t} = c̃_t ⊙ i_t ⊙ (1 - i_t)", "k_{a,c,t} = i_t ⊙ (1 - c̃_t ⊙ c̃_t)"],
     ["δa_{o,t} = δh_t ⊙ k_{a,o,t}", "δc_t = δh_t ⊙ k_{c,t} + δc_{t+1} ⊙ f_{t+1}", "δa_{f,t} = δc_t ⊙ k_{a,f,t}",
      "δa_{i,t} = δc_t ⊙ k_{a,i,t}", "δa_{c,t} = δc_t ⊙ k_{a,c,t}"]),
])
def test_factored_leaves_one_multiplication_for_each_adjoint(name, factors, recurrence):
    put = changed(name, "factored")[1]
    assert put[:-1] == [[f"{line}, 1…T"] for line in factors]
    assert without_times(put[-1])[1:] == recurrence


# One product for several.


@pytest.mark.parametrize(("name", "gates"), [(LSTM, "fico"), ("lstm-peephole, many-to-many", "fico")])
def test_stacked_makes_one_product_of_four(name, gates):
    lines = [line for block in changed(name, "stacked")[1] for line in without_times(block)]
    (order,) = {found[1] for line in lines if (found := re.match(r"W_([a-z]{4}) = ", line))}
    assert sorted(order) == sorted(gates)
    assert f"W_{order} = [{'; '.join(f'W_{gate}' for gate in order)}]" in lines
    assert f"U_{{{order},2}} = [{'; '.join(f'U_{gate}' for gate in order)}]" in lines
    assert f"p_{{{order},t}} = U_{{{order},2}} x_t + b_{{{order},2}}" in lines
    assert f"a_{{{order},2,t}} = W_{order} h_{{t-1}}" in lines
    assert f"∂L/∂W_{{{order},2}} = Σ_{{t=1}}^T δa_{{{order},t}} h_{{t-1}}ᵀ" in lines
    assert f"∂L/∂b_{order} = Σ_{{t=1}}^T δa_{{{order},t}}" in lines
    rows = dict(zip(order, ("1:H", "H+1:2H", "2H+1:3H", "3H+1:4H"), strict=True))
    for gate in gates:
        assert f"∂L/∂W_{gate} = [∂L/∂W_{{{order},2}}]_{{{rows[gate]}}}" in lines
    if name == LSTM:
        assert f"δh_t = p_{{h,t}} + W_{order}ᵀ δa_{{{order},t+1}}" in lines
        assert f"a_{{f,t}} = [a_{{{order},2,t}}]_{{{rows['f']}}} + p_{{a,f,t}}" in lines


def test_stacked_lets_sigmoids_be_neighbours():
    lines = [line for block in changed(LSTM, "stacked")[1] for line in block]
    (order,) = {found[1] for line in lines if (found := re.match(r"W_([a-z]{4}) = ", line))}
    assert order.index("c") in {0, 3}  # beside the one tanh are three sigmoids
    assert abs(order.index("f") - order.index("i")) == 1  # and those that multiply δc stand together


def test_stacked_leaves_apart_what_reads_another_value():
    lines = {line for block in changed(GRU, "stacked")[1] for line in without_times(block)}
    (two,) = {found[1] for line in lines if (found := re.match(r"U_([a-z]{2}) = ", line))}
    assert {f"U_{two} = [U_{two[0]}; U_{two[1]}]", f"a_{{{two},2,t}} = U_{two} h_{{t-1}}", "a_{h,t} = U q_{r,t} + p_{a,h,t}"} <= lines
    assert f"δh_t = δh_{{t+1}} ⊙ z_{{t+1}} + q_{{a,h,t+1}} ⊙ r_{{t+1}} + p_{{h,t}} + U_{two}ᵀ δa_{{{two},t+1}}" in lines
    assert [line for line in lines if re.fullmatch(r"p_{[hrz]{3},t} = W_{[Wrz]{3},2} x_t", line)]


def test_orders_in_which_groups_are_in_one_piece():
    groups = [frozenset("ad"), frozenset("cd"), frozenset("be")]
    found = "".join(arranged(groups, "abcde", lambda item: ()))
    assert all(in_one_piece(found, group) for group in groups)
    assert found in {"adcbe", "cdabe"}
    assert "".join(arranged([frozenset("abcd")], "abcd", lambda item: (item in "ac",))) in {"acbd", "bdac"}
    assert arranged([], "cab", lambda item: ()) == ["c", "a", "b"]
    assert not in_one_piece("abc", frozenset("ac"))
    many = "abcdefgh"
    assert len(many) > MOST
    assert "".join(arranged([frozenset(many)], many, lambda item: ())) == many


# All passes together.


@pytest.mark.sampled(31, 2)
@pytest.mark.parametrize("name", NAMED)
def test_nothing_is_left_to_do_in_a_recurrence(name):
    """In a scheduled form no recurrence computes a sum, nor a factor, that does not depend on it."""
    start = form_of(case(name))
    form = scheduled(start.network, start.results)
    for step in ("needed", "padded", "hoisted", "factored"):
        assert PASSES[step](form) == form, step
    for block in form.blocks:
        own = made_by(equations_of(block))
        for e in equations_of(block) if isinstance(block, Scan) and recurrent(block) else ():
            if isinstance(e.rhs, Hadamard) and read_by(e.rhs) & own and not e.span.single:
                assert len([factor for factor in e.rhs.args if not read_by(factor) & own]) <= 1, writer.text(e.rhs)


def test_passes_make_no_name_twice():
    start = form_of(case("bidirectional"))
    form = scheduled(start.network, start.results)
    names = [q.name for q in dict.fromkeys(form.quantities()) if not getattr(q, "orders", ())]
    assert len(names) == len(set(names))
    defined = [(e.quantity, str(e.span)) for e in form.equations if not isinstance(e.rhs, Zeros)]
    assert len(defined) == len(set(defined))
