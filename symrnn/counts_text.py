"""Tables of numbers of parameters, for the command line."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sympy import Expr, Integer

from symrnn.counts import CONVENTIONS, ParameterCounts, parameter_counts
from symrnn.expr import dim
from symrnn.networks import Network
from symrnn.printing.words import width

VERSION = 1
"""Version of the JSON."""
MEANING = {"D": "of the input", "H": "of the hidden state", "K": "of the output", "T": "times", "S": "positions of the source",
           "V": "of the vocabulary", "M": "of the source's vocabulary", "A": "of the attention", "F": "of the image"}
USUAL = "DHKT"
TITLES = {"formulas": "as in the formulas", "pytorch": "PyTorch's biases", "keras": "Keras's biases"}
Sizes = Mapping[str, int]


def formula_text(count: Expr) -> str:
    """Write a polynomial as people do: ``4 H (D + H + 1)``."""
    return str(count).replace("**2", "²").replace("*", " ")


def number_of(count: Expr, sizes: Sizes) -> int | None:
    """Return the number that a formula comes to, or ``None`` where a size is left open."""
    value = count.xreplace({dim(letter): Integer(size) for letter, size in sizes.items()})
    return int(value) if value.is_Integer else None


def counted(count: Expr, sizes: Sizes) -> list[str]:
    """Return a formula and its number, as cells of a table."""
    number = number_of(count, sizes)
    return [formula_text(count), "" if number is None else f"{number:,}"]


def conventions_of(network: Network, bias: bool) -> list[ParameterCounts]:
    """Count in each convention, that of the formulas first."""
    return [parameter_counts(network, convention=convention, bias=bias) for convention in CONVENTIONS]


def rows_of(counts: Sequence[ParameterCounts], sizes: Sizes) -> list[list[str]]:
    """Lay one network out: blocks, sums, without sharing over time, and the conventions."""
    own, *others = counts
    several = set(own.parts) - {("cell", ""), ("readout", "")}
    rows = part_rows(own, sizes) if several else block_rows(own, own.parts, sizes)
    layers = "layers" if several else "cell"
    rows += [
        [layers, "", *counted(own.of("cell"), sizes)],
        ["all parts" if several else "with readout", "", *counted(own.total, sizes)],
        ["one set a time", "not shared over time", *counted(own.unshared(), sizes)],
    ]
    return rows + [[layers, TITLES[other.convention], *counted(other.of("cell"), sizes)] for other in others]


def block_rows(counts: ParameterCounts, parts: Collection[tuple[str, str]], sizes: Sizes) -> list[list[str]]:
    """List what the parameters of some parts serve."""
    return [[f"  {block.name}", ", ".join(block.parameters), *counted(block.count, sizes)]
            for block in counts.blocks if (block.part, block.mark) in parts]


def part_rows(counts: ParameterCounts, sizes: Sizes) -> list[list[str]]:
    """List the parts, each with what its parameters serve."""
    rows: list[list[str]] = []
    for part, mark in counts.parts:
        cell = next(block.cell for block in counts.blocks if (block.part, block.mark) == (part, mark))
        title = " ".join(word for word in ("layer" if part == "cell" else part, mark) if word)
        rows += [[title, cell, *counted(counts.of(part, mark), sizes)], *block_rows(counts, [(part, mark)], sizes)]
    return rows


def table(rows: Sequence[Sequence[str]], numbers: int) -> list[str]:
    """Pad the columns of a table; from the column ``numbers`` on they end at the right."""
    widths = [max(width(row[i]) for row in rows) for i in range(len(rows[0]))]

    def pad(text: str, column: int) -> str:
        blanks = " " * (widths[column] - width(text))
        return blanks + text if column >= numbers else text + blanks

    return ["  ".join(pad(text, column) for column, text in enumerate(row)).rstrip() for row in rows]


def comparison(every: Sequence[Sequence[ParameterCounts]], names: Sequence[str], sizes: Sizes) -> list[str]:
    """Put several cells side by side: a column each."""
    def shown(values: Iterable[Expr]) -> list[str]:
        return [number if number else formula for formula, number in (counted(v, sizes) for v in values)]

    rows = [["", *names], ["blocks", *(str(sum(b.part == "cell" for b in counts[0].blocks)) for counts in every)]]
    for position, title in enumerate(TITLES.values()):
        rows.append([f"cell, {title}", *shown(counts[position].of("cell") for counts in every)])
    for position, title in enumerate(TITLES.values()):
        rows.append([f"with readout, {title}", *shown(counts[position].total for counts in every)])
    if "T" in sizes:
        rows.append(["one set a time, with readout", *shown(counts[0].unshared() for counts in every)])
    return table(rows, 1)


def sizes_text(networks: Iterable[Network], sizes: Sizes) -> str:
    """Say what each letter is the size of: the usual ones, and what else the networks have."""
    letters = {str(letter) for network in networks for letter in network.sizes} - {"B"}
    listed = [letter for letter in MEANING if letter in letters or letter in USUAL]
    listed += sorted(letters - set(listed))
    return ", ".join(" ".join(filter(None, (f"{letter} = {sizes[letter]}" if letter in sizes else letter, MEANING.get(letter))))
                     for letter in listed)


def counts_text(names: Sequence[str], networks: Sequence[Network], sizes: Sizes, *, bias: bool = True) -> str:
    """Return a table for each network, and a comparison where there are several.

    Args:
        names: What each is called, such as ``lstm``.
        networks: Cells with their readouts.
        sizes: Numbers for letters such as ``D``, ``H``, ``K`` and ``T``; others are left open.
        bias: Whether layers in the conventions of frameworks have biases.
    """
    every = [conventions_of(network, bias) for network in networks]
    parts = [f"Sizes: {sizes_text(networks, sizes)}."]
    for name, counts in zip(names, every, strict=True):
        parts.append("\n".join([name, *("  " + row for row in table(rows_of(counts, sizes), 3))]))
    if len(names) > 1:
        parts.append("\n".join(["comparison", *("  " + row for row in comparison(every, names, sizes))]))
    parts.append("\n".join(["biases of the cell", *(
        "  " + row for row in table([[TITLES[name], about] for name, about in CONVENTIONS.items()], 2))]))
    return "\n\n".join(parts) + "\n"


def counts_json(names: Sequence[str], networks: Sequence[Network], sizes: Sizes, *, bias: bool = True) -> str:
    """Return the same as JSON; ``number`` is null where a size is left open."""
    def entry(count: Expr) -> dict[str, Any]:
        return {"formula": str(count), "number": number_of(count, sizes)}

    def described(counts: ParameterCounts) -> dict[str, Any]:
        blocks = [{"name": b.name, "part": b.part, "mark": b.mark, "cell": b.cell, "parameters": b.parameters, **entry(b.count)}
                  for b in counts.blocks]
        parts = [{"part": part, "mark": mark, **entry(counts.of(part, mark))} for part, mark in counts.parts]
        return {"blocks": blocks, "parts": parts, "cell": entry(counts.of("cell")), "readout": entry(counts.of("readout")),
                "total": entry(counts.total), "unshared": entry(counts.unshared())}

    cells = [{"name": name, "conventions": {c.convention: described(c) for c in conventions_of(network, bias)}}
             for name, network in zip(names, networks, strict=True)]
    return json.dumps({"version": VERSION, "sizes": dict(sizes), "cells": cells}, ensure_ascii=False, indent=1) + "\n"
