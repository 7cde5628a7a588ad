"""A notation profile: names and layout of print, never mathematics.

A quantity's internal name is ``base`` or ``base_subscript`` (``W_hh``, ``b_f``), with ``_tilde``, ``_hat`` or ``_bar``
for an accent (``c_tilde``). A profile may give a name other letters, for every cell or for some. Where a letter is
taken by another quantity of the same network, the next one of its alternatives is used: note 000 writes ``o`` both for
the output and for the LSTM's output gate, and in the LSTM it writes the output ``ŷ``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

from symrnn.errors import unknown
from symrnn.notation.marks import UNMARKED, Mark, marked, owners
from symrnn.notation.spelling import MEDIA, accented, spell

Alternatives = tuple[str, ...]
COMMON: Mapping[str, Alternatives] = MappingProxyType({"ctx": ("c", "z_hat", "ctx")})
"""Letters that every profile has: the context of an attention is that of Bahdanau et al. (2015), or of Xu et al. (2015)."""

CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "time": ("h_t", "h^(t)", "h^t"),
    "adjoint": ("delta", "fraction", "nabla", "bar"),
    "form": ("columns", "rows"),
    "bold": ("none", "vectors", "all"),
    "direction": ("words", "arrows"),
})
"""What can be chosen: how a time stands at a letter, ``δh``, ``∂L/∂h``, ``∇_h L`` or ``h̄``, columns or rows, bold letters, and
how a letter of a forward or a backward layer is told from the other's."""


def nothing() -> Mapping[str, Any]:
    """Return an empty table."""
    return MappingProxyType({})


@dataclass(frozen=True)
class Notation:
    """A notation profile.

    Attributes:
        name: Name on the command line.
        title: What it is, in a line.
        time: How a time stands at a letter: ``h_t``, ``h^(t)`` or ``h^t``.
        hadamard: LaTeX and Unicode sign of the elementwise product.
        adjoint: ``delta`` for ``δh_t``, ``fraction`` for ``∂L/∂h_t``, ``nabla`` for ``∇_{h_t} L``, ``bar`` for ``h̄_t``.
        form: ``columns``, or ``rows``: every formula transposed, so that products run in reverse order.
        bold: Which letters LaTeX prints bold: ``none``, ``vectors``, or ``all`` for matrices as well.
        direction: ``words`` for ``h_{fw,t}``, or ``arrows`` over the letters, in forward and backward layers.
        functions: Letters of functions that differ from the activation table: ``{"tanh": "tau"}``.
        letters: Internal name to alternatives, each a letter such as ``W_rec``, ``W^f`` or LaTeX.
        cells: Letters for the cells of a name or pattern (``lstm*``); they come before ``letters``.
        symbols: Letters of sizes and times: ``{"H": "J", "T": "tau", "t": "n"}``.
        source: The file of the profile, for messages.
    """

    name: str
    title: str
    time: str = "h_t"
    hadamard: tuple[str, str] = (r"\odot", "⊙")
    adjoint: str = "delta"
    form: str = "columns"
    bold: str = "none"
    direction: str = "words"
    functions: Mapping[str, str] = field(default_factory=nothing)
    letters: Mapping[str, Alternatives] = field(default_factory=nothing)
    cells: Mapping[str, Mapping[str, Alternatives]] = field(default_factory=nothing)
    symbols: Mapping[str, str] = field(default_factory=nothing)
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for key, choices in CHOICES.items():
            if getattr(self, key) not in choices:
                raise unknown(key, str(getattr(self, key)), choices)

    @property
    def rows(self) -> bool:
        """Whether vectors are printed as rows."""
        return self.form == "rows"

    @property
    def above(self) -> bool:
        """Whether the number of a layer is a superscript: where the time is none."""
        return self.time == "h_t"

    @property
    def arrows(self) -> bool:
        """Whether a direction is an arrow over the letter."""
        return self.direction == "arrows"

    def given(self, cell: str) -> dict[str, Alternatives]:
        """Return the letters for one cell; what stands later in the profile comes first."""
        found = {**COMMON, **self.letters}
        for pattern, letters in self.cells.items():
            if fnmatchcase(cell, pattern):
                found.update(letters)
        return found

    def beside(self, sizes: Iterable[str]) -> Notation:
        """Return the notation for a network with these sizes: a size keeps its own letter where another one is called like its new one.

        Args:
            sizes: The size letters of the network, lengths of sequences included.
        """
        kept = {size for size in sizes if size not in self.symbols}
        if kept.isdisjoint(self.symbols.values()):
            return self
        return replace(self, symbols={size: letter for size, letter in self.symbols.items() if letter not in kept})

    def assign(self, names: Iterable[str], cell: str = "", parts: Iterable[Any] = ()) -> dict[str, str]:
        """Give each quantity of one network its letter; with its mark no two look the same.

        Args:
            names: Internal names, in the order of the network.
            cell: Name of the cell, for letters that a profile gives to some cells only.
            parts: The parts of the network; a quantity of a part has the letters for the part's cell.
        """
        owned = owners(names, cell, parts)
        given = {name: self.given(name) for name in {o.cell for o in owned.values()}}
        wishes = {name: wanted(o.stem, given[o.cell]) for name, o in owned.items()}
        chosen: dict[str, str] = {}
        taken: set[tuple[str, ...]] = set()
        plain: dict[tuple[str, ...], str] = {}
        for name in sorted(wishes, key=lambda n: (wishes[n] != (owned[n].stem,), len(wishes[n]))):
            stem, mark, _ = owned[name]
            first = [w for w in wishes[name][:-1] if all(plain.get(look, stem) == stem for look in self.looks(w))]
            others = (f"{stem}_{number}" for number in itertools.count(2))
            candidates = itertools.chain(first, wishes[name][-1:], [stem], others)
            letter = next(a for a in candidates if not self.looks(a, mark) & taken)
            chosen[name] = letter
            taken |= self.looks(letter, mark)
            plain |= dict.fromkeys(self.looks(letter) - plain.keys(), stem)
        return chosen

    def looks(self, letter: str, mark: Mark = UNMARKED) -> set[tuple[str, ...]]:
        """Return how a letter looks in each medium, and how its adjoint does where that is the letter with a bar."""
        found: set[tuple[str, ...]] = set()
        for medium in MEDIA:
            base, sub, sup = marked(spell(letter, medium), mark, medium, above=self.above, arrows=self.arrows)
            found.add((medium, base, sub, sup))
            if self.adjoint == "bar":
                found.add((medium, accented(base, "bar", medium), sub, sup))
        return found

    def replaced(self, names: Iterable[str], cell: str, parts: Iterable[Any] = ()) -> Iterator[tuple[str, str, str]]:
        """Yield each name whose first letter is another quantity's, with that letter and the other's name.

        Of the copies of a quantity in several parts, the first one stands for all.
        """
        listed, shared = list(names), list(parts)
        chosen, owned = self.assign(listed, cell, shared), owners(listed, cell, shared)
        seen = set()
        for name in listed:
            wish = wanted(owned[name].stem, self.given(owned[name].cell))[0]
            holders = (n for n in listed if n != name and self.looks(chosen[n]) & self.looks(wish))
            if chosen[name] != wish and (owned[name].stem, wish) not in seen and (holder := next(holders, None)):
                seen.add((owned[name].stem, wish))
                yield name, wish, holder


KEPT = frozenset({"new", "in", "res", "end"})
"""What wiring adds to the name of a state: before a mask holds it, as a layer reads it, with what is added to it, where it ends."""


def wanted(name: str, given: Mapping[str, Alternatives]) -> Alternatives:
    """Return the letters that a profile gives a name; ``W_hh_2`` takes those of ``W_hh`` and keeps its ``2``, ``c_new`` those of ``c``."""
    parts = name.split("_")
    for length in range(len(parts), 0, -1):
        stem, rest = "_".join(parts[:length]), parts[length:]
        if stem in given and all(part.isdigit() or part in KEPT for part in rest):
            return tuple("_".join([letter, *rest]) for letter in given[stem])
    return (name,)


INDEXED = Notation("indexed", "subscripts for layer and time: W_hh, h_t, δ, ⊙")
