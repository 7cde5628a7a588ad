"""``lecture``: derivations become a document."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import symrnn
from symrnn.derivation import Derivation
from symrnn.equations import Cell
from symrnn.errors import NotSupportedError, SpecError, unknown
from symrnn.lecture.checking import Record, verified
from symrnn.lecture.document import Block, Document, Term, walked
from symrnn.lecture.known_cell import cell_of, display_name, is_published
from symrnn.lecture.sections.backward import backward
from symrnn.lecture.sections.code import code
from symrnn.lecture.sections.comparison import comparison
from symrnn.lecture.sections.counting import counting
from symrnn.lecture.sections.exercises import exercises
from symrnn.lecture.sections.flow import bounds_of, flow
from symrnn.lecture.sections.forward import forward
from symrnn.lecture.sections.gradients import gradients
from symrnn.lecture.sections.opening import opening, opening_of_several
from symrnn.lecture.sections.quantities import quantities, terms
from symrnn.lecture.sections.references import references
from symrnn.lecture.sections.unrolled import by_paths, unrolled
from symrnn.lecture.sections.verification import verification
from symrnn.lecture.subject import EXERCISE, FULL, LEVELS, SHORT, Subject
from symrnn.lecture.wording import Wording, wording
from symrnn.leftout import for_reading
from symrnn.notation import Notation
from symrnn.style import Style

Section = Callable[[Subject], Iterator[Block]]
SECTIONS: dict[str, tuple[Section, ...]] = {
    SHORT: (quantities, forward, backward, gradients, flow, verification),
    FULL: (quantities, forward, backward, gradients, unrolled, flow, counting, code, verification, exercises),
    EXERCISE: (quantities, forward, exercises, verification),
}
"""What a lecture has, by level, between the opening and the references."""
COMPARED: dict[str, tuple[Section, ...]] = {
    SHORT: (forward, backward, gradients),
    FULL: (quantities, forward, backward, gradients, flow, counting),
    EXERCISE: (quantities, forward, exercises),
}
"""What a lecture on several cells has of each; a table side by side and the verification follow."""


def lecture(
    derivations: Derivation | Sequence[Derivation], *, notation: str | Notation = "indexed", language: str = "en", level: str = "full",
    compare: bool = False, cells: Iterable[Cell] = (), before: Callable[[str], None] = lambda name: None,
) -> Document:
    """Make a lecture of one derivation, or of several that are compared.

    Args:
        derivations: What ``derive`` returned.
        notation: A notation profile.
        language: Such as ``en`` or ``ko``.
        level: ``short``, ``full`` or ``exercise``.
        compare: Whether it is about several derivations, side by side.
        cells: Cells of one's own, whose titles and sources the lecture tells; published ones are known by their names.
        before: Called with the name of what takes long before it is done, and with an empty text at the end.

    Returns:
        The document; ``symrnn.lecture.formats`` writes it.

    Raises:
        SpecError: An unknown language, level or notation, no derivation, or several that are not to be compared.
        NotSupportedError: A second derivation, or a package that is not installed.
        RefutedError: A judge refutes a line; the message names it.
    """
    cells = tuple(cells)
    listed = [derivations] if isinstance(derivations, Derivation) else list(derivations)
    words = wording(language)
    check_arguments(listed, level, compare)
    names = titles(listed, {one.name for one in cells if not is_published(one)})
    try:
        subjects = [
            subject_of(derivation, name, words, notation=notation, level=level, cells=cells,
                       place=f"c{number}-" if compare else "", before=before)
            for number, (derivation, name) in enumerate(zip(listed, names, strict=True), 1)
        ]
        before("lecture")
        blocks = tuple(compared(subjects, level) if compare else single(subjects[0], level))
    finally:
        before("")
    return Document(title_of(words, names, level, compare), words(f"title.subtitle{'' if level == FULL else '_' + level}"), language, blocks,
                    tuple(all_terms(subjects, blocks)), labels(words))


def check_arguments(listed: list[Any], level: str, compare: bool) -> None:
    """Refuse what no lecture can be made of."""
    for derivation in listed:
        if not isinstance(derivation, Derivation):
            raise SpecError(f"a lecture is about a derivation; got a {type(derivation).__name__}; write lecture(derive(network(cell)))")
        if derivation.order != 1:
            raise NotSupportedError(f"a lecture is about first derivatives; got derivation {derivation.order}; render prints it")
    if level not in LEVELS:
        raise unknown("level", level, LEVELS)
    if compare and len(listed) < 2:
        raise SpecError(f"a comparison needs two cells or more; got {len(listed)}; name another one, or leave out compare")
    if not compare and len(listed) != 1:
        raise SpecError(f"a lecture is about one derivation, or compares several; got {len(listed)}; give compare as well")


def titles(listed: Sequence[Derivation], own: Collection[str]) -> list[str]:
    """Name the subjects: by their cells, or by their networks where cells are alike; the reader's own cells keep their names."""
    found = [list(dict.fromkeys(p.cell for p in d.network.parts if p.cell)) or [d.network.cell or d.network.name] for d in listed]
    if len(set(map(tuple, found))) < len(found):
        found = [d.network.name.split(", ") for d in listed]
    names = [", ".join(name if name in own else display_name(name) for name in parts) for parts in found]
    return [name if names.count(name) == 1 else f"{name} ({place})" for place, name in enumerate(names, 1)]


def subject_of(
    derivation: Derivation, name: str, words: Wording, *, notation: str | Notation, level: str, cells: tuple[Cell, ...], place: str,
    before: Callable[[str], None],
) -> Subject:
    """Verify a derivation, and return it as a subject."""
    record = record_of(derivation, before, level)
    style = Style.of(derivation.network, notation, "latex")
    cell, matches = cell_of(derivation.network, cells)
    return Subject(for_reading(derivation), style, words, level, record, cell, matches, name, place)


def record_of(derivation: Derivation, before: Callable[[str], None], level: str) -> Record:
    """Run the judges on the derivation and its code, on the Jacobian of a step, and on the sum over paths."""
    records = [verified(derivation, before=before)]
    if level != EXERCISE and (bounds := bounds_of(derivation.network)) is not None:
        records.append(verified(bounds.jacobian, judges=("entrywise",), label="jacobian", before=before))
    if level == FULL and (paths := by_paths(for_reading(derivation))) is not None:
        records.append(verified(paths, judges=("entrywise",), label="paths", before=before))
    verdicts = tuple(verdict for record in records for verdict in record.verdicts)
    return Record(verdicts, records[0].date, all(record.kept for record in records))


def single(subject: Subject, level: str) -> Iterator[Block]:
    """Yield a lecture on one derivation."""
    yield from opening(subject)
    for section in SECTIONS[level]:
        yield from section(subject)
    yield from references([subject])


def compared(subjects: Sequence[Subject], level: str) -> Iterator[Block]:
    """Yield a lecture on several."""
    yield from opening_of_several(subjects)
    for subject in subjects:
        for section in COMPARED[level]:
            yield from section(subject)
    if level != EXERCISE:
        yield from comparison(subjects)
    for subject in subjects:
        yield from verification(subject)
    yield from references(subjects)


def title_of(words: Wording, names: Sequence[str], level: str, compare: bool) -> str:
    """Return the title."""
    if compare:
        return words("title.compared", names=", ".join(names))
    return words("title.exercise" if level == EXERCISE else "title.one", name=names[0])


def all_terms(subjects: Iterable[Subject], blocks: tuple[Block, ...]) -> Iterator[Term]:
    """Yield the terms of all subjects, with links to what the document has; where two write one alike, that of the first."""
    there = {getattr(block, "anchor", "") for block in walked(blocks)}
    found: dict[str, Term] = {}
    for subject in subjects:
        for term in terms(subject):
            found.setdefault(term.latex, term)
    for term in found.values():
        yield term if term.anchor in there else replace(term, anchor="")


def labels(words: Wording) -> dict[str, str]:
    """Return what formats need to know of the language."""
    return {**words.tables["labels"], "made_by": words("labels.made_by", version=symrnn.__version__)}


__all__ = ["LEVELS", "lecture"]
