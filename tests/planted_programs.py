"""Right programs by many hands, and mistakes planted in their source: what a diagnosis of mistakes is tested with.

``python tests/planted_programs.py [seen|held-out]`` prints which of the mistakes are found. The held-out third is for
counting only: nobody looks at it while the diagnosis is being written.
"""

from __future__ import annotations

import ast
import itertools
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from symrnn.verify import Report
from symrnn.verify.handwritten.findings import KINDS, Finding
from symrnn.verify.handwritten.process import verify_file

FOLDER = Path(__file__).parent / "programs" / "planted"
GROUPS = ("seen", "held out")


class Entry(NamedTuple):
    """How a program is verified: forward, backward, class."""

    forward: str = ""
    backward: str = ""
    target: str = ""


RIGHT = {
    "tanh_rows": Entry("seq_fwd", "seq_bwd"),
    "sigmoid_chars": Entry("lossAndGrads"),
    "sigmoid_vectors": Entry("forward", "backward"),
    "relu_last": Entry(target="SequenceClassifier"),
    "fused_ifog": Entry("lstm", "lstm_back"),
    "course_style": Entry("lstm_forward", "lstm_backward"),
    "bias_row": Entry("BatchLSTM.forward", "BatchLSTM.backward"),
    "layer_per_step": Entry(target="TimeLSTM"),
    "plain_output": Entry("run", "run_back"),
    "peepholes": Entry("forward", "backward"),
    "gru_zrh": Entry("gru_forward", "gru_backward"),
    "gru_after": Entry("forward_pass", "backward_pass"),
    "gru_letters": Entry("name_gradients"),
    "gru_flat": Entry("predict", "gradients"),
    "word_model": Entry("cost", "grads", "WordModel"),
    "second_run": Entry("recur", "recur_grad"),
    "forecast": Entry("compute_loss", "compute_grads"),
    "sentiment": Entry(target="SentimentLSTM"),
    "text_lstm": Entry("train_on"),
    "relu_series": Entry("fprop", "bprop"),
    "gru_slots": Entry(target="GRU"),
    "tagger": Entry("tag_loss", "tag_grad"),
    "node_lstm": Entry(target="Chain"),
    "two_layers": Entry("forward", "backward"),
    "single_step": Entry("lstm_unit", "lstm_unit_grad"),
}


@dataclass(frozen=True)
class Edit:
    """One mistake.

    Attributes:
        old: What stands in the right source, once.
        new: What a tired human wrote instead.
        kind: One of ``KINDS``; several where it can honestly be named in several ways.
        variable: What is assigned where the mistake stands.
        at: For what has no line of its own, such as a line left out: texts in the wrong source whose lines count instead.
    """

    old: str
    new: str
    kind: str | tuple[str, ...]
    variable: str
    at: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        strange = self.kinds - KINDS.keys()
        if strange:
            raise ValueError(f"{min(strange)!r} is no kind of mistake; the kinds are {', '.join(KINDS)}")

    @property
    def kinds(self) -> frozenset[str]:
        """The names that it honestly goes by."""
        return frozenset([self.kind] if isinstance(self.kind, str) else self.kind)


@dataclass(frozen=True)
class Planted:
    """A wrong program: a right one with one to four mistakes."""

    program: str
    edits: tuple[Edit, ...]
    group: str

    def __str__(self) -> str:
        return f"{self.program}: " + " + ".join("/".join(sorted(edit.kinds)) for edit in self.edits)


RECORDS: list[Planted] = []


def source_of(name: str) -> str:
    """The source of a right program."""
    return (FOLDER / f"{name}.py").read_text(encoding="utf-8")


def edited(program: str, edits: Sequence[Edit]) -> tuple[str, list[int]]:
    """The source with mistakes, and for each of them the place in it where it begins to differ."""
    source = source_of(program)
    for edit in edits:
        if source.count(edit.old) != 1:
            raise ValueError(f"{program}: {edit.old!r} stands there {source.count(edit.old)} times; expected once")
    order = sorted(edits, key=lambda edit: source.index(edit.old))
    found, text, done = {}, "", 0
    for edit in order:
        start = source.index(edit.old)
        if start < done:
            raise ValueError(f"{program}: two mistakes overlap at {edit.old!r}; plant them in one edit, or apart")
        text += source[done:start]
        found[edit] = len(text) + len(os.path.commonprefix([edit.old, edit.new]))
        text, done = text + edit.new, start + len(edit.old)
    return text + source[done:], [found[edit] for edit in edits]


def line_of(text: str, place: int) -> int:
    """The number of the line of a place."""
    return text.count("\n", 0, place) + 1


def first_line(tree: ast.Module, line: int) -> int:
    """The line where the statement begins that goes over a line."""
    over = [node for node in ast.walk(tree) if isinstance(node, ast.Assign | ast.AugAssign | ast.Return | ast.Expr)
            and node.lineno <= line <= (node.end_lineno or node.lineno)]
    return max((node.lineno for node in over), default=line)


def planted_lines(program: str, edits: Sequence[Edit]) -> list[frozenset[int]]:
    """For each mistake the lines of the wrong source that count as its place: its own, and where its statement begins."""
    text, places = edited(program, edits)
    tree = ast.parse(text)
    found = []
    for edit, place in zip(edits, places, strict=True):
        for mark in edit.at:
            if text.count(mark) != 1:
                raise ValueError(f"{program}: the place {mark!r} stands there {text.count(mark)} times; expected once")
        own = [line_of(text, text.index(mark)) for mark in edit.at] or [line_of(text, place)]
        found.append(frozenset(own) | {first_line(tree, line) for line in own})
    return found


def verdict_on(program: str, edits: Sequence[Edit] = ()) -> Report:
    """Verify a program with mistakes, or without."""
    entry = RIGHT[program]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{program}.py"
        path.write_text(edited(program, edits)[0], encoding="utf-8")
        file = str(path) + (f"::{entry.target}" if entry.target else "")
        return verify_file(file, forward=entry.forward, backward=entry.backward, args=str(FOLDER / f"{program}.toml"), in_process=True)


@dataclass(frozen=True)
class Score:
    """What a diagnosis made of a wrong program.

    Attributes:
        record: The program.
        lines: For each planted mistake the lines that count as its place.
        findings: What was found.
    """

    record: Planted
    lines: tuple[frozenset[int], ...]
    findings: tuple[Finding, ...]

    def matches(self, number: int, finding: Finding) -> bool:
        """Whether a finding names the kind and the line of a planted mistake."""
        at_line = any(place.line in self.lines[number] for place in finding.places)
        return at_line and finding.kind in self.record.edits[number].kinds

    @property
    def exact(self) -> bool:
        """Whether as many mistakes were found as were planted, each with its kind and its line."""
        numbers = range(len(self.record.edits))
        return len(self.findings) == len(numbers) and any(
            all(self.matches(number, finding) for number, finding in zip(numbers, order, strict=True))
            for order in itertools.permutations(self.findings))

    def __str__(self) -> str:
        planted = [f"{'/'.join(sorted(edit.kinds))} ({','.join(map(str, sorted(lines)))})"
                   for edit, lines in zip(self.record.edits, self.lines, strict=True)]
        found = [f"{f.kind} ({','.join(str(place.line) for place in f.places)})" for f in self.findings]
        return f"{'exact' if self.exact else '-':<6}{self.record.program:<16}{'; '.join(planted)}  |  {'; '.join(found) or 'nothing'}"


def score(group: str) -> list[Score]:
    """Verify all wrong programs of a group, and hold the findings against what was planted."""
    return [Score(record, tuple(planted_lines(record.program, record.edits)), verdict_on(record.program, record.edits).diagnosis.findings)
            for record in RECORDS if record.group == group]


def share(scores: Iterable[Score], *, combined: bool) -> tuple[int, int]:
    """How many of the single, or of the combined, mistakes were found exactly, and of how many."""
    chosen = [one.exact for one in scores if (len(one.record.edits) > 1) == combined]
    return sum(chosen), len(chosen)


def table(group: str) -> str:
    """The scores of a group as text."""
    scores = score(group)
    lines = [f"{group}: planted (lines)  |  found (lines)", *map(str, scores)]
    for name, combined in (("single", False), ("combined", True)):
        exact, number = share(scores, combined=combined)
        lines.append(f"{group}, {name}: {exact} of {number} exact ({exact / max(number, 1):.0%})")
    return "\n".join(lines)


if __name__ == "__main__":
    wanted = [name.replace("-", " ") for name in sys.argv[1:]] or list(GROUPS)
    if set(wanted) - set(GROUPS):
        sys.exit(f"usage: python {Path(__file__).name} [seen|held-out]; got {' '.join(sys.argv[1:])}")
    sys.stdout.write("\n\n".join(map(table, wanted)) + "\n")
