"""The content of lectures: every cell gets one, its references resolve, its solutions are true, and a wrong rule is refused."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from symrnn import (
    CELLS,
    Cell,
    architecture,
    cell,
    derive,
    layer_normalised,
    network,
    parameter,
    series,
    sigmoid,
    t,
    tanh,
    to_numpy,
    truncated,
)
from symrnn.cli import main
from symrnn.codegen.runtime import compiled
from symrnn.errors import NotSupportedError, RefutedError, SpecError
from symrnn.expr import Hadamard, Scaled
from symrnn.lecture import checking
from symrnn.lecture.citing import short_form, sources
from symrnn.lecture.document import Box, Code, Document, Figure, Fold, Formula, Heading, Table
from symrnn.lecture.figures import LABELS
from symrnn.lecture.known_cell import cell_of, display_names
from symrnn.lecture.mistakes import gaps, mistakes, with_line
from symrnn.lecture.sections.exercises import other_order, shape
from symrnn.lecture.sections.quantities import rows, terms
from symrnn.lecture.sections.sentences import sentences
from symrnn.lecture.subject import LEVELS, Subject
from symrnn.lecture.uses import role_of, uses_of
from symrnn.lecture.wording import languages, wording
from symrnn.lecture.writing import lecture, titles
from symrnn.networks import Network
from symrnn.norm_bounds.theorems import HOCHREITER, HORN, PASCANU
from symrnn.style import Style
from symrnn.vjp import RULES
from symrnn.writer import text

LANGUAGES = languages()
NETWORKS = {
    "mean": lambda: network(cell("rnn"), mask=True, over_time="mean"),
    "layer norm": lambda: network(layer_normalised(cell("rnn")), mask=True, over_time="mean", loss="squared-error"),
    "many-to-one": lambda: network(cell("gru"), task="many-to-one"),
    "one-to-one": lambda: architecture("single", (cell("rnn"),), task="one-to-one"),
    "one-to-many": lambda: architecture("single", (cell("rnn"),), task="one-to-many", feed="output"),
    "stacked": lambda: architecture("stacked", (cell("rnn"), cell("gru"))),
    "bidirectional": lambda: architecture("bidirectional", (cell("rnn"),)),
    "attention": lambda: architecture("encoder-decoder", (cell("rnn"),), attention="dot"),
    "captioning": lambda: architecture("captioning", (cell("rnn"),), attention="dot"),
    "language model": lambda: architecture("language-model", (cell("rnn"),)),
    "truncated": lambda: truncated(network(cell("rnn")), 5),
    "open function": lambda: network(cell("rnn", activation="phi")),
    "binary": lambda: network(cell("mgu"), loss="binary-cross-entropy"),
}


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("verdicts"))


@pytest.fixture(autouse=True)
def _own_cache(shared_cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMRNN_CACHE", shared_cache)


@cache
def full_lecture(name: str) -> Document:
    return lecture(derive(network(cell(name))))


@pytest.fixture
def _trusting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the judges of the code, which take longest; the other one sees every line."""
    monkeypatch.setattr(checking, "ALL", ("entrywise",))


@pytest.fixture
def _unjudged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out all judges, where a test is about words."""
    verdict = checking.Verdict("entrywise", 3, 3, 0, 0.1, "D = 3, H = 2", {"error": "1e-9"})
    monkeypatch.setattr("symrnn.lecture.writing.record_of", lambda *_: checking.Record((verdict,), "2026-01-31"))


def texts(document: Document) -> list[str]:
    """Every inline text of a document."""
    found: list[str] = []
    for block in document.walk():
        for value in vars(block).values():
            found += [value] if isinstance(value, str) else [v for v in value if isinstance(v, str)] if isinstance(value, tuple) else []
            if isinstance(value, tuple):
                found += [c for row in value if isinstance(row, tuple) for c in row if isinstance(c, str)]
    return found


def assert_whole(document: Document) -> None:
    """Every reference has a number, every formula its dollars in pairs, no anchor stands twice, every template is filled."""
    numbers, listed = document.numbers(), texts(document)
    wanted = {name for line in listed for name in re.findall(r"@\{([^{}\s]+)\}", line)}
    assert wanted <= set(numbers), wanted - set(numbers)
    assert wanted
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", a) for block in document.walk() if (a := getattr(block, "anchor", "")))
    anchors = [a for block in document.walk() if (a := getattr(block, "anchor", ""))]
    assert len(anchors) == len(set(anchors)), [a for a in anchors if anchors.count(a) > 1]
    assert {term.anchor for term in document.terms} - {""} <= set(numbers)
    links = {anchor for block in document.walk() if isinstance(block, Code) for _, anchor in block.links}
    assert links <= set(numbers), links - set(numbers)
    for block in document.walk():
        if isinstance(block, Formula):
            assert block.latex.count("{") == block.latex.count("}")
            assert "$" not in block.latex
    prose = [line for line in listed if "\n" not in line and "import numpy" not in line]
    assert not [line for line in prose if line.count("$") % 2], "a dollar without its partner"


@pytest.mark.usefixtures("_trusting")
@pytest.mark.sampled(len(CELLS))
@pytest.mark.parametrize("name", sorted(CELLS, key=lambda name: name != "gru"))
def test_every_cell_gets_a_lecture(name: str) -> None:
    document = full_lecture(name)
    assert_whole(document)
    assert {"forward", "backward", "gradients", "unroll", "flow", "counts", "code", "verification", "exercises", "references"} <= {
        block.anchor for block in document.blocks if isinstance(block, Heading)}
    assert len([block for block in document.walk() if isinstance(block, Figure)]) == 4
    assert sum(isinstance(block, Box) and block.kind == "exercise" for block in document.walk()) >= 5


@pytest.mark.usefixtures("_trusting")
@pytest.mark.sampled(len(NETWORKS))
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_get_a_lecture(name: str) -> None:
    assert_whole(lecture(derive(NETWORKS[name]())))


@pytest.mark.full
@pytest.mark.usefixtures("_trusting")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("notation", ["notes-000", "goodfellow", "d2l"])
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru-reset-after"])
def test_levels_notations_languages(name: str, notation: str, level: str, language: str) -> None:
    assert_whole(lecture(derive(network(cell(name))), notation=notation, level=level, language=language))


@pytest.mark.usefixtures("_unjudged")
def test_a_cell_of_ones_own() -> None:
    x, h, keep = series("x", "D"), series("h", "H"), series("keep", "H")
    W, U = parameter("W_k", "H", "H"), parameter("U_k", "H", "D")
    own = Cell("mine", [(keep[t], sigmoid(W @ h[t - 1] + U @ x[t])), (h[t], keep[t] * h[t - 1] + (1 - keep[t]) * tanh(U @ x[t]))],
               inputs=[x], title="a cell that keeps", source="a course")
    document = lecture(derive(network(own)), cells=[own], level="short")
    assert_whole(document)
    assert any("a cell that keeps" in line and "a course" in line for line in texts(document))
    assert any("update gate $" in line for line in texts(document)), "gates are known without roles"


@pytest.mark.usefixtures("_unjudged")
def test_several_cells_are_compared() -> None:
    document = lecture([derive(network(cell("rnn"))), derive(network(cell("gru")))], compare=True, level="short")
    assert_whole(document)
    table = next(block for block in document.walk() if isinstance(block, Table) and block.anchor == "tab-compare")
    assert table.header[1:] == ("RNN", "GRU")
    assert all(len(row) == 3 for row in table.rows)


def test_gates_are_known_by_what_they_do() -> None:
    def roles(name: str, **options: Any) -> dict[str, str]:
        net = network(cell(name, **options))
        return {e.name: role_of(e, net) for e in net.equations if e.role == "gate"}

    assert roles("lstm") == {"f": "gate_forget", "i": "gate_input", "o": "gate_output"}
    assert roles("lstm-block") == {"i": "gate_input", "f": "gate_forget", "o": "gate_output"}
    assert roles("gru") == {"r": "gate_reset", "z": "gate_update"} == roles("gru-reset-after")
    net = network(cell("gru", update_gate="new"))
    (use,) = uses_of(next(e for e in net.equations if e.name == "z"), net)
    assert (use.kind, text(use.old), text(use.other)) == ("update_new", "h_{t-1}", "h̃_t")


def test_roles_hold_behind_masks_and_in_what_is_started_elsewhere() -> None:
    net = architecture("encoder-decoder", (cell("gru"),), attention="dot", source_mask=True)
    known = {e.name: role_of(e, net) for e in net.equations if e.role == "gate"}
    assert known == {"r_enc": "gate_reset", "z_enc": "gate_update", "r_dec": "gate_reset", "z_dec": "gate_update"}
    net = architecture("encoder-decoder", (cell("lstm"),), attention="dot", source_mask=True)
    known = {e.name: role_of(e, net) for e in net.equations if e.role == "gate" and e.name.endswith("_enc")}
    assert known == {"f_enc": "gate_forget", "i_enc": "gate_input", "o_enc": "gate_output"}
    subject = judged_by_none(net)
    assert subject.role(next(e.quantity for e in net.equations if e.name == "h_dec")) == "hidden state"
    assert any("$h_{\\mathrm{dec},0}$" in symbols and role == "initial state" for symbols, role, *_ in rows(subject))
    janet = network(cell("janet"))
    assert {role_of(e, janet) for e in janet.equations if e.name.startswith("s_s")} == {"gate_forget", "gate"}


def judged_by_none(net: Network) -> Subject:
    """A subject for which no judge is asked."""
    one, matches = cell_of(net, ())
    derivation = derive(net)
    return Subject(derivation, Style.of(net, "indexed", "latex"), wording("en"), "full", checking.Record(()), one, matches, net.name)


def test_no_index_without_a_letter_is_printed() -> None:
    subject = judged_by_none(network(cell("rnn"), mask=True, over_time="mean"))
    told = [sentences(subject, e) for e in subject.network.equations] + [term.latex for term in terms(subject)]
    assert not [one for one in told if "_s1" in one or "{_" in one]


def test_theorems_name_all_authors() -> None:
    for source in (PASCANU, HOCHREITER, HORN, *(rule.source for rule in RULES.values())):
        assert short_form(source) in sources()
    assert short_form(PASCANU) == "Pascanu, Mikolov & Bengio 2013"
    assert short_form("a course") == "a course"


def test_published_cells_have_their_usual_names() -> None:
    assert set(display_names()) == set(CELLS)
    own = Cell("lstm", cell("rnn").equations, inputs=cell("rnn").inputs, title="one of mine")
    assert titles([derive(network(cell("lstm")))], ()) == ["LSTM"]
    assert titles([derive(network(own))], {"lstm"}) == ["lstm"]
    twice = [derive(network(cell("rnn"), task=task)) for task in ("many-to-many", "many-to-one")]
    assert titles(twice, ()) == ["RNN, many-to-many", "RNN, many-to-one"]


@pytest.mark.parametrize("notation", ["indexed", "d2l"])
def test_the_exercise_on_shapes_says_why_the_order_is_fixed(notation: str) -> None:
    subject = replace(judged_by_none(network(cell("rnn"))), style=Style.of(network(cell("rnn")), notation, "latex"))
    told = next(shape(subject)).solution[0].text  # type: ignore[union-attr]
    assert "In the other order" in told
    v, w = parameter("v", "H"), parameter("w", "D")
    assert r"$1\times 1$" in other_order(subject, v, v.T)
    assert "would not exist" in other_order(subject, v, w.T)


def test_a_wrong_line_refuses_the_lecture() -> None:
    derivation = derive(network(cell("rnn")))
    adjoint = derivation.adjoint("a")
    line = adjoint.lines[0]
    wrong = with_line(derivation, adjoint, line, replace(line, rhs=Scaled(-1, line.rhs)))
    with pytest.raises(RefutedError, match=r"^the lecture on rnn, many-to-many was not written: the entrywise judge refutes δa_t"):
        lecture(wrong)


def test_a_wrong_rule_refuses_the_lecture(monkeypatch: pytest.MonkeyPatch, tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(RULES, "Hadamard", replace(RULES["Hadamard"], apply=lambda q, g, s: [(a, Hadamard(g, a), None) for a in q.args]))
    path = tmp_path / "wrong.md"
    assert main(["lecture", "gru", "-o", str(path)]) == 1
    assert "refutes" in capsys.readouterr().err
    assert not path.exists()


def test_verdicts_are_kept_by_what_was_judged(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMRNN_CACHE", str(tmp_path / "cache"))
    derivation = derive(network(cell("rnn")))
    first = checking.verified(derivation, judges=("entrywise",))
    again = checking.verified(derivation, judges=("entrywise",))
    assert (first.kept, again.kept) == (False, True)
    assert first.verdicts == again.verdicts
    other = derive(network(cell("rnn", activation="sigmoid")))
    assert checking.fingerprint(other, ("entrywise",)) != checking.fingerprint(derivation, ("entrywise",))
    (file,) = (tmp_path / "cache").iterdir()
    file.write_text("{damaged", encoding="utf-8")
    assert not checking.verified(derivation, judges=("entrywise",)).kept


def test_nothing_is_kept_where_nothing_can_be_written(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("SYMRNN_CACHE", str(tmp_path / "file" / "cache"))
    assert not checking.verified(derive(network(cell("rnn"))), judges=("entrywise",)).kept


def gradients_by_code(derivation: Any, seed: int) -> tuple[Any, Any]:
    """The gradients of a derivation's code, and those by difference quotients along one random direction each."""
    program = to_numpy(derivation)
    rng = np.random.default_rng(seed)
    sizes = {"D": 2, "H": 3, "K": 4}
    params = {name: rng.standard_normal(shape) for name, shape in program.shapes(sizes).items()}
    x, y = rng.standard_normal((2, 4, 2)), rng.integers(0, 4, (2, 4))
    names = compiled(program.source)
    _, gradients = names["loss_and_gradients"](params, x, y)
    slopes, along = {}, {}
    for name, value in params.items():
        direction = rng.standard_normal(value.shape)
        ends = [names["loss"]({**params, name: value + sign * 1e-6 * direction}, x, y) for sign in (1, -1)]
        slopes[name], along[name] = (ends[0] - ends[1]) / 2e-6, float((gradients[name] * direction).sum())
    return slopes, along


@pytest.mark.parametrize("name", ["rnn", pytest.param("gru", marks=pytest.mark.full)])
def test_solutions_are_true_and_mistakes_are_mistakes(name: str) -> None:
    derivation = derive(network(cell(name)))
    slopes, along = gradients_by_code(derivation, 1)
    assert along == pytest.approx(slopes, rel=1e-5, abs=1e-7)
    planted = [with_line(derivation, m.adjoint, m.line, m.wrong) for m in mistakes(derivation, 4)]
    planted += [with_line(derivation, g.adjoint, g.line, replace(g.line, rhs=type(g.line.rhs)(*(
        term for place, term in enumerate(g.line.rhs.args) if place != g.place)))) for g in gaps(derivation, 2)]
    assert len(planted) >= 4
    for wrong in planted:
        slopes, along = gradients_by_code(wrong, 1)
        assert along != pytest.approx(slopes, rel=1e-3, abs=1e-6)


@pytest.mark.usefixtures("_unjudged")
def test_the_term_of_an_exercise_stands_in_its_solution() -> None:
    document = lecture(derive(network(cell("rnn"))), level="exercise")
    assert_whole(document)
    exercise = next(block for block in document.blocks if isinstance(block, Box) and block.kind == "exercise")
    asked = next(block for block in exercise.blocks if isinstance(block, Formula)).latex
    solution = next(block for block in document.blocks if isinstance(block, Box) and block.kind == "solution")
    told = next(block for block in solution.blocks if isinstance(block, Formula)).latex
    rest = [part.strip() for part in asked.split(r"\boxed{\;?\;}")]
    plain = " ".join(re.sub(r"\\begin\{aligned\}|\\end\{aligned\}|&(\\qquad)?|\\\\", "", told).split())
    assert plain.startswith(rest[0])
    assert plain.endswith(rest[1])
    assert len(plain) > len("".join(rest))


@pytest.mark.usefixtures("_trusting")
def test_the_code_links_to_the_equations_that_it_computes() -> None:
    document = full_lecture("gru")
    codes = [block for block in document.walk() if isinstance(block, Code)]
    lines = codes[0].source.splitlines()
    linked = {lines[number - 1].split()[0].partition("[")[0] + " " + anchor for number, anchor in codes[0].links}
    assert {"r fwd-r", "h_tilde fwd-h-tilde", "d_a_z bwd-a-z", "d_W_r grad-W-r"} <= linked
    assert [anchor for number, anchor in codes[0].links if lines[number - 1].strip().startswith("d_h[")] == ["bwd-h", "bwd-h-2", "grad-h"]
    names = compiled(codes[0].source)
    shown: list[Any] = []
    exec(compile("\n".join([codes[1].source]), "run", "exec"), {**names, "print": lambda *values: shown.extend(values)})
    assert shown[1] == pytest.approx(shown[2], rel=1e-4, abs=1e-7)


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_templates(language: str) -> None:
    english, other = wording("en").tables, wording(language).tables
    assert {name: set(table) for name, table in english.items()} == {name: set(table) for name, table in other.items()}
    different = [f"{name}.{key}" for name, table in english.items() for key in table if placeholders(table[key]) != placeholders(other[name][key])]
    assert not different
    same = [f"{name}.{key}" for name, table in english.items() for key in table if len(table[key]) > 24 and table[key] == other[name][key]]
    assert language == "en" or not same, "not translated"


def test_figures_have_their_words() -> None:
    assert dict(wording("en").tables["figures"]) == dict(LABELS)


def test_bad_arguments_are_one_line() -> None:
    derivation = derive(network(cell("rnn")))
    with pytest.raises(SpecError, match=r"^unknown language 'de'; did you mean en"):
        lecture(derivation, language="de")
    with pytest.raises(SpecError, match=r"^unknown level 'fll'; did you mean full\?$"):
        lecture(derivation, level="fll")
    with pytest.raises(SpecError, match=r"^a comparison needs two cells or more; got 1"):
        lecture(derivation, compare=True)
    with pytest.raises(SpecError, match=r"^a lecture is about one derivation, or compares several; got 2"):
        lecture([derivation, derivation])
    with pytest.raises(SpecError, match=r"^a lecture is about a derivation; got a Cell"):
        lecture([cell("rnn")])  # type: ignore[list-item]
    with pytest.raises(NotSupportedError, match=r"^a lecture is about first derivatives"):
        lecture(replace(derivation, order=2))
    with pytest.raises(SpecError, match=r"have no forward\.nothing; add it"):
        wording("en")("forward.nothing")


@pytest.mark.parametrize(("args", "said"), [
    (["lstm"], "a lecture is a file; give -o FILE"),
    (["lstm", "-o", "a.odt"], "does not say which format it has"),
    (["lstm", "-o", "a.html", "--format", "htm"], "unknown format 'htm'; did you mean html"),
    (["lstm", "-o", "a.html", "--lang", "fr"], "unknown language 'fr'"),
    (["lstm", "gru", "-o", "a.html"], "give --compare as well"),
    (["lstm", "-o", "nowhere/a.html"], "no such folder: nowhere"),
    (["lsmt", "-o", "a.html"], "unknown cell 'lsmt'"),
    (["lstm", "-o", "a.html", "--level", "long"], "unknown level 'long'"),
])
def test_bad_input_is_one_line(args: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lecture", *args]) == 2
    out, err = capsys.readouterr()
    assert not out
    assert len(err.strip().splitlines()) == 1
    assert said in err


@pytest.mark.usefixtures("_trusting")
def test_folds_hold_the_steps() -> None:
    document = full_lecture("gru")
    folds = [block for block in document.walk() if isinstance(block, Fold)]
    assert len(folds) > 5
    assert all(block.blocks for block in folds)
