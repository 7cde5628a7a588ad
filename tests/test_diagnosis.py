"""Mistakes by name: the model that a forward is, the catalogue of mistakes, and what a report says of them."""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np
import pytest
from planted_programs import RIGHT, verdict_on

from symrnn.cells import cell
from symrnn.diagnosis.entries import Entries, held
from symrnn.diagnosis.matching import wanted
from symrnn.diagnosis.mistakes import Catalogue
from symrnn.diagnosis.models import STATES, model, roles
from symrnn.diagnosis.rules import rules_of
from symrnn.diagnosis.running import Bench
from symrnn.equations import Cell
from symrnn.expr import At, Series, t
from symrnn.functions import parameter, series, tanh
from symrnn.verify.handwritten import verifying
from symrnn.verify.handwritten.findings import KINDS
from symrnn.verify.handwritten.process import verify_file
from symrnn.verify.handwritten.report import Report

SIZES = {"D": 4, "H": 5, "T": 6, "B": 3, "K": 2}

STEP = '''
import numpy as np

def forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    h = np.zeros((N, T, h0.shape[1]))
    state = h0
    for t in range(T):
        state = np.tanh(x[:, t] @ Wx + state @ Wh + b)
        h[:, t] = state
    return h, (x, h0, Wx, Wh, h)

def backward(dh, cache):
    x, h0, Wx, Wh, h = cache
    dx, dWx, dWh, db = np.zeros_like(x), np.zeros_like(Wx), np.zeros_like(Wh), np.zeros(Wh.shape[0])
    carry = np.zeros_like(h0)
    for t in reversed(range(dh.shape[1])):
        dstate = dh[:, t] + carry
        da = dstate * (1 - h[:, t] ** 2)
        prev = h[:, t - 1] if t > 0 else h0
        dx[:, t] = da @ Wx.T
        dWx += x[:, t].T @ da
        dWh += prev.T @ da
        db += da.sum(axis=0)
        carry = da @ Wh.T
    dh0 = carry
    return dx, dh0, dWx, dWh, db
'''
ARGS = 'T = 6\nx = ["N", "T", "D"]\nh0 = ["N", "H"]\nWx = ["D", "H"]\nWh = ["H", "H"]\nb = ["H"]\n'


def verified(folder: Path, *edits: tuple[str, str], more: str = "") -> Report:
    source = STEP
    for old, new in edits:
        assert source.count(old) == 1
        source = source.replace(old, new)
    (folder / "net.py").write_text(source, encoding="utf-8")
    (folder / "args.toml").write_text(ARGS + more, encoding="utf-8")
    return verify_file(str(folder / "net.py"), forward="forward", backward="backward", args=str(folder / "args.toml"), in_process=True)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-reset-after", "lstm-peephole", "mgu", "ugrnn", "janet", "indrnn"])
def test_the_right_rules_are_the_gradient(name: str) -> None:
    made = model(cell(name), (STATES,))
    rng = np.random.default_rng(0)
    bench = Bench(made.network, SIZES)
    given = {}
    for one in made.network.givens:
        shape = [int(size.xreplace({letter: SIZES[str(letter)] for letter in size.free_symbols})) for size in one.quantity.shape]
        if isinstance(one.quantity, Series):
            lo, hi = bench.bounds(one.span)
            given[one.quantity] = {k: rng.standard_normal((shape[0], SIZES["B"])) for k in range(lo, hi + 1)}
        else:
            given[one.quantity] = 0.5 * rng.standard_normal(shape)
        bench.give(one.quantity, given[one.quantity])

    def loss() -> float:
        bench.forward()
        return float(bench.space["L"].sum())

    loss()
    rules = rules_of(made.derivation)
    bench.backward(rules, range(SIZES["T"], -1, -1))
    for p in made.network.parameters:
        gradient, start, direction = bench.static(rules[p]), given[p].copy(), rng.standard_normal(given[p].shape)
        ends = []
        for step in (1e-5, -1e-5):
            bench.give(p, start + step * direction)
            ends.append(loss())
        bench.give(p, start)
        assert (ends[0] - ends[1]) / 2e-5 == pytest.approx(float((gradient * direction).sum()), rel=1e-4, abs=1e-4), p


def test_every_kind_of_mistake_is_made() -> None:
    found = set()
    for name in ("rnn", "gru", "lstm"):
        made = model(cell(name), (STATES,))
        rules = rules_of(made.derivation)
        found |= {m.kind for m in Catalogue(made.network, rules).of(rules, list(rules))}
    assert found == KINDS.keys() - {"clipped", "a term too much"}  # these two are no wrong derivations


def test_a_mistake_changes_what_it_says_only() -> None:
    made = model(cell("lstm"), (STATES,))
    rules = rules_of(made.derivation)
    for mistake in Catalogue(made.network, rules).of(rules, list(rules)):
        after = mistake.applied(rules)
        assert {of for of in rules if after[of].terms != rules[of].terms} == set(mistake.of)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("edit", "kind", "line", "formula"), [
    (("(1 - h[:, t] ** 2)", "(1 - h[:, t])"), "wrong derivative", "da = dstate * (1 - h[:, t])", "δa_t = δh_t ⊙ (1 - h_t)"),
    (("dh[:, t] + carry", "dh[:, t]"), "missing carry", "dstate = dh[:, t]", "δh_t = g_{h,t}"),
    (("carry = da @ Wh.T", "carry = da @ Wh"), "missing transpose", "carry = da @ Wh", "δh_t = g_{h,t} + W_hh δa_{t+1}"),
    ((" if t > 0 else h0", ""), "wraps around", "prev = h[:, t - 1]", "∂L/∂W_hh = Σ_{t=2}^T δa_t h_{t-1}ᵀ + δa_1 h_Tᵀ"),
    (("db += da", "db = da"), "not accumulated", "db = da.sum(axis=0)", "∂L/∂b_h = δa_1"),
    (("dh[:, t] + carry\n        da = dstate * (1 - h[:, t] ** 2)", "carry\n        da = dh[:, t] + dstate * (1 - h[:, t] ** 2)"), "brackets",
     "da = dh[:, t] + dstate * (1 - h[:, t] ** 2)", "δa_t = g_{h,t} + (W_hhᵀ δa_{t+1}) ⊙ (1 - h_t ⊙ h_t)"),
    (("+ carry", "- carry"), "wrong sign", "dstate = dh[:, t] - carry", "δh_t = g_{h,t} - W_hhᵀ δa_{t+1}"),
])
def test_one_mistake(edit: tuple[str, str], kind: str, line: str, formula: str, tmp_path: Path) -> None:
    report = verified(tmp_path, edit)
    assert report.status == 1
    assert report.diagnosis.complete, str(report)
    (finding,) = report.diagnosis.findings
    assert (finding.kind, finding.wrong) == (kind, formula), str(report)
    assert [place.source for place in finding.places] == [line], str(report)
    assert "rnn" in report.diagnosis.model


def test_three_mistakes_together(tmp_path: Path) -> None:
    report = verified(tmp_path, ("(1 - h[:, t] ** 2)", "(1 - np.tanh(h[:, t]) ** 2)"), ("carry = da @ Wh.T", "carry = da @ Wh"), ("dWx += x", "dWx = x"))
    assert sorted(f.kind for f in report.diagnosis.findings) == ["missing transpose", "not accumulated", "wrong derivative"], str(report)
    assert report.diagnosis.complete
    statement = report.diagnosis.statement  # a fast machine finds the edits before the formulas are looked for
    assert "together" in statement or "with these 3 edits" in statement


def test_a_clip_is_named_beside_another_mistake(tmp_path: Path) -> None:
    report = verified(tmp_path, ("dh0 = carry", "dh0 = carry; dWx = np.clip(dWx, -0.01, 0.01)"), ("db += da", "db = da"))
    assert sorted(f.kind for f in report.diagnosis.findings) == ["clipped", "not accumulated"], str(report)


def test_right_or_accepted_code_has_no_diagnosis(tmp_path: Path) -> None:
    assert verified(tmp_path).diagnosis.text() == []
    accepted = verified(tmp_path, ("dh0 = carry", "dh0 = carry; dWx = np.clip(dWx, -0.01, 0.01)"), more="[accept]\nclipped = true\n")
    assert accepted.status == 0
    assert accepted.diagnosis.text() == []


def test_a_report_with_a_diagnosis_reads_back(tmp_path: Path) -> None:
    report = verified(tmp_path, ("db += da", "db = da"))
    again = Report.from_dict(report.as_dict())
    assert again.diagnosis == report.diagnosis
    assert str(again) == str(report)


def test_a_cell_of_the_users_own(tmp_path: Path) -> None:
    x, h = series("x", "D"), series("h", "H")
    U, W, V = parameter("U", "H", "D"), parameter("W", "H", "H"), parameter("V", "H", "H")
    own = Cell("twice", [(h[t], tanh(U @ x[t] + W @ tanh(V @ h[t - 1])))], inputs=[x])
    made = model(own, (STATES,))
    rules = rules_of(made.derivation)
    kinds = {m.kind for m in Catalogue(made.network, rules).of(rules, list(rules))}
    assert {"missing derivative", "missing transpose", "missing carry", "wrong quantity"} <= kinds


def test_an_input_is_known_by_the_cell_not_by_its_name() -> None:
    u, s = series("u", "D"), series("s", "H")
    own = Cell("letters", [(s[t], tanh(parameter("A", "H", "D") @ u[t] + parameter("B", "H", "H") @ s[t - 1]))], inputs=[u])
    assert {role.parameter.name: role.reads for role in roles(own)} == {"A": "x", "B": "s"}
    assert wanted(own) == {"x": 1, "h": 1, "1": 0, "*": 0}


def test_an_explainer_that_fails_leaves_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stumbles.py").write_text(textwrap.dedent("""
        def explain(subject, refused, request):
            raise LookupError("no such thing")
    """), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(verifying, "EXPLAINER", "stumbles")
    report = verified(tmp_path, ("db += da", "db = da"))
    assert report.status == 1
    assert "LookupError" in report.diagnosis.statement


@pytest.mark.sampled(9)
@pytest.mark.parametrize("name", [n for n in RIGHT if n not in {"forecast", "node_lstm", "two_layers"}])
def test_right_programs_have_no_findings(name: str) -> None:
    report = verdict_on(name)
    assert report.diagnosis.findings == ()


def test_lists_over_time_are_one_array() -> None:
    entries = Entries.of({"xs[0]": (4, 1), "xs[1]": (4, 1), "xs[2]": (4, 1), "W": (5, 4)})
    arrays = {one.name: one for one in held(entries, dict.fromkeys(entries.shapes, ("real", 0, True)))}
    assert arrays["xs"].shape == (3, 4)
    assert arrays["W"].places[4, 3] == entries.size - 1


def test_adjoints_are_lines_of_the_derivation() -> None:
    made = model(cell("gru"), (STATES,))
    rules = rules_of(made.derivation)
    assert sum(isinstance(rule.lhs, At) and any(term.carry for term in rule.terms) for rule in rules.values()) == len(made.cell.states)
