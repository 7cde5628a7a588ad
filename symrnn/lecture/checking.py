"""The verification of what a lecture says: judges at the time of writing, their verdict kept by the hash of what was judged.

What was judged and agreed once for the same formulas, the same code and the same version need not be judged again: the verdict
is kept in the cache folder of the user, a small JSON file for each. ``SYMRNN_CACHE`` names another folder; nothing is kept where
the folder cannot be written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sympy import srepr

import symrnn
from symrnn.codegen import NumpyProgram, to_numpy
from symrnn.derivation import Derivation
from symrnn.errors import OutputError, RefutedError
from symrnn.jacobians import StepJacobian
from symrnn.output import write_whole
from symrnn.verify.panel import check
from symrnn.verify.report import JudgeReport

VERSION = 1
"""Version of what is kept."""
ALL = ("entrywise", "balls", "numeric")
"""The judges of a derivation and its code, the fastest first."""
SIZE = re.compile(r"\b([A-Z]) = (\d+)")


@dataclass(frozen=True)
class Verdict:
    """What one judge found.

    Attributes:
        judge: Key of its name.
        agree: How many findings agree.
        total: How many there are.
        undecided: How many could not be decided.
        seconds: Time that it took.
        sizes: Letters with numbers, such as ``D = 3, H = 2``.
        numbers: ``error``, ``bits`` and ``digits``, where its report has them.
    """

    judge: str
    agree: int
    total: int
    undecided: int
    seconds: float
    sizes: str
    numbers: dict[str, str]


@dataclass(frozen=True)
class Record:
    """What all judges found.

    Attributes:
        verdicts: One a judge.
        date: Of the verification, as ``2026-01-31``.
        kept: Whether it was done before and kept.
    """

    verdicts: tuple[Verdict, ...]
    date: str = ""
    kept: bool = False

    @property
    def findings(self) -> tuple[int, int]:
        """How many findings agree, of how many."""
        return sum(v.agree for v in self.verdicts), sum(v.total for v in self.verdicts)


def cache_folder() -> Path:
    """Return the folder in which verdicts are kept."""
    if own := os.environ.get("SYMRNN_CACHE"):
        return Path(own)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local")) / "symrnn"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "symrnn"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "symrnn"


def digest(node: Any, known: dict[Any, str]) -> str:
    """Return the hash of a formula; what occurs again is not gone through again."""
    if node not in known:
        inside = ",".join(digest(arg, known) for arg in node.args) if node.args else srepr(node)
        known[node] = hashlib.sha256(f"{type(node).__name__}({inside})".encode()).hexdigest()[:32]
    return known[node]


def fingerprint(judged: Derivation | StepJacobian, judges: Sequence[str]) -> str:
    """Return the hash of what is judged: all formulas with their times, what is given and assumed, the code, the version."""
    network = judged.network if isinstance(judged, Derivation) else judged.of
    parts = [symrnn.__version__, str(VERSION), ",".join(judges), network.name]
    known: dict[Any, str] = {}
    parts += [f"{digest(g.quantity, known)} {g.kind} {g.span}" for g in network.givens]
    parts += [f"{digest(e.lhs, known)} = {digest(e.rhs, known)} {e.span}" for e in (*network.equations, *judged.lines)]
    parts += [f"{digest(r.lhs, known)} = {digest(r.rhs, known)}" for r in network.relations]
    if isinstance(judged, Derivation) and set(judges) != {"entrywise"}:
        parts.append(program_of(judged).source)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@lru_cache(maxsize=16)
def program_of(derivation: Derivation) -> NumpyProgram:
    """Return the code of a derivation; it is written once."""
    return to_numpy(derivation)


def verified(
    judged: Derivation | StepJacobian, *, judges: Sequence[str] = (), label: str = "",
    before: Callable[[str], None] = lambda name: None,
) -> Record:
    """Run the judges, or find what they said of the same formulas before.

    Args:
        judged: A derivation, or the Jacobian of a step.
        judges: Names, as ``check`` knows them; ``ALL`` by default.
        label: The key under which the verdict stands, for a single judge; its name by default.
        before: Called with the name of each judge before it runs.

    Raises:
        RefutedError: A judge refutes something; the message names the judge and the line.
    """
    chosen = tuple(judges) or ALL
    name = fingerprint(judged, chosen)
    if (found := kept(name)) is not None:
        return found
    verdicts = []
    for judge in chosen:
        (report,) = check(judged, judges=[judge], before=before)
        refuse(report, judged)
        verdicts.append(verdict_of(report, label or judge))
    record = Record(tuple(verdicts), time.strftime("%Y-%m-%d"))
    keep(name, record)
    return record


def refuse(report: JudgeReport, judged: Derivation | StepJacobian) -> None:
    """Raise where a judge refutes something."""
    if report.refuted:
        wrong = next((f for f in report.refuted if not f.detail.startswith("right in itself")), report.refuted[0])
        network = judged.network if isinstance(judged, Derivation) else judged.of
        raise RefutedError(f"the lecture on {network.name} was not written: the {report.judge} judge refutes {wrong.quantity} ({wrong.detail}); "
                           f"{len(report.refuted)} of {len(report.findings)} findings are wrong; symrnn check says more")


def is_refuted(derivation: Derivation) -> tuple[int, int]:
    """Return how many findings the entrywise judge refutes, and how many there are; kept like any verdict."""
    name = "wrong-" + fingerprint(derivation, ["entrywise"])
    if (found := kept(name)) is not None:
        return found.verdicts[0].total - found.verdicts[0].agree, found.verdicts[0].total
    (report,) = check(derivation, judges=["entrywise"])
    keep(name, Record((verdict_of(report, "entrywise"),), time.strftime("%Y-%m-%d")))
    return len(report.refuted), len(report.findings)


def verdict_of(report: JudgeReport, judge: str) -> Verdict:
    """Take the numbers out of a report."""
    text = f"{report.compared} {report.means}"
    patterns = {"error": r"below ([\d.]+e-?\d+)", "bits": r"(\d+)-bit", "digits": r"equal to (\d+) digits"}
    numbers = {key: found[1] for key, pattern in patterns.items() if (found := re.search(pattern, text))}
    sizes = ", ".join(f"{letter} = {number}" for letter, number in dict(SIZE.findall(report.compared)).items())
    agree = len(report.findings) - len(report.refuted) - len(report.undecided)
    return Verdict(judge, agree, len(report.findings), len(report.undecided), round(report.seconds, 2), sizes, numbers)


def kept(name: str) -> Record | None:
    """Read what was kept; a file that is damaged, or not there, is nothing."""
    try:
        content = json.loads((cache_folder() / f"{name}.json").read_text(encoding="utf-8"))
        verdicts = tuple(Verdict(**{**v, "numbers": dict(v["numbers"])}) for v in content["verdicts"])
        return Record(verdicts, str(content["date"]), kept=True) if content["name"] == name and verdicts else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(name: str, record: Record) -> None:
    """Write what was found, where that can be done."""
    content: dict[str, Any] = {"name": name, "date": record.date, "verdicts": [asdict(v) for v in record.verdicts]}
    with contextlib.suppress(OSError, OutputError):
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / f"{name}.json", json.dumps(content, indent=1) + "\n", force=True)


__all__ = ["Record", "Verdict", "cache_folder", "fingerprint", "is_refuted", "verified"]
