"""Numbers of parameters: by gate, as a formula and for one choice of sizes, and as frameworks count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from sympy import Integer, latex

from symrnn.counts import ParameterCounts, parameter_counts
from symrnn.expr import dim
from symrnn.lecture.document import Block, Heading, Table, Text
from symrnn.lecture.subject import Subject
from symrnn.style import symbol_text
from symrnn.traverse import quantity_of

SIZES: Mapping[str, int] = MappingProxyType({"D": 64, "H": 128, "K": 10, "T": 50, "S": 50, "V": 1000, "M": 1000, "A": 64, "F": 512})
"""The sizes of the example, by letter."""


def counting(subject: Subject) -> Iterator[Block]:
    """Count the parameters."""
    words = subject.words
    yield Heading(subject.title("counts.heading"), subject.anchored("counts"))
    if not subject.network.parameters:
        yield Text(words("counts.no_parameters"))
        return
    own, pytorch, keras = (parameter_counts(subject.network, convention=c) for c in ("formulas", "pytorch", "keras"))
    yield Text(words("counts.text", sizes=sizes_text(subject, own.total)))
    header = tuple(words(f"counts.head_{key}") for key in ("what", "parameters", "formula", "value"))
    yield Table(header, tuple(rows(subject, own)), words("counts.caption", name=subject.name), subject.anchored("tab-counts"))
    if subject.states:
        yield Text(words("counts.unshared_text", steps=f"${symbol_text(dim('T'), subject.style)}$", count=formula(subject, own.unshared())))
    layers = [number(counts.of("cell")) for counts in (own, pytorch, keras)]
    if all(layers):
        yield Text(words("counts.conventions", formulas=layers[0], pytorch=layers[1], keras=layers[2]))


def rows(subject: Subject, counts: ParameterCounts) -> Iterator[tuple[str, ...]]:
    """Yield a row for each block, then the sums."""
    parameters = {p.name: p for p in subject.network.parameters}
    known = {str(e.name): subject.value(e.quantity) for e in subject.network.equations}
    for block in counts.blocks:
        served = known.get(block.name)
        name = f"{subject.formula(served)}, {subject.role(quantity_of(served))}" if served is not None else block.name
        yield name, subject.listed(parameters[p] for p in block.parameters), formula(subject, block.count), number(block.count)
    for key, total in (("cell", counts.of("cell")), ("total", counts.total)):
        yield f"**{subject.words(f'counts.{key}')}**", "", formula(subject, total), number(total)


def formula(subject: Subject, count: Any) -> str:
    """Write a number of parameters as a formula, in the size letters of the notation."""
    return f"${latex(count, symbol_names={s: symbol_text(s, subject.style) for s in count.free_symbols})}$"


def number(count: Any) -> str:
    """Return the number for the sizes of the example; nothing where a size is not among them."""
    value = count.xreplace({dim(letter): Integer(size) for letter, size in SIZES.items()})
    return f"{int(value):,}" if value.is_Integer else ""


def sizes_text(subject: Subject, count: Any) -> str:
    """Write the sizes of the example that a count reads."""
    letters = sorted((s for s in count.free_symbols if s.name in SIZES), key=str)
    return ", ".join(f"${symbol_text(letter, subject.style)} = {SIZES[letter.name]}$" for letter in letters)


__all__ = ["SIZES", "counting", "formula", "number", "sizes_text"]
