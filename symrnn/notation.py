"""How names are printed: one frozen profile each. A profile changes letters and layout of print, never mathematics.

A quantity's internal name is ``base`` or ``base_subscript`` (``W_hh``, ``b_f``), with ``_tilde``, ``_hat`` or ``_bar``
for an accent (``c_tilde``). A profile may give a name other letters, for every cell or for one cell. Where a letter is
taken by another quantity of the same network, the next one of its alternatives is used: note 000 writes ``o`` both for
the output and for the LSTM's output gate, and in the LSTM it writes the output ``ŷ``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from unicodedata import normalize

from symrnn.errors import unknown

MEDIA = ("latex", "unicode", "ascii")
"""What a formula is printed for: a paper, a terminal, a terminal without UTF-8."""

ACCENTS = {"tilde": ("\\tilde", "\u0303"), "hat": ("\\hat", "\u0302"), "bar": ("\\bar", "\u0304")}
LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "ell": "ℓ",
}
"""Letters that are written out in names; LaTeX knows each by the same name."""

Alternatives = tuple[str, ...]


@dataclass(frozen=True)
class Notation:
    """A notation profile.

    Attributes:
        name: Name on the command line.
        title: What it is, in a line.
        superscript_time: ``h^{(t)}`` where true, ``h_t`` where false.
        hadamard: LaTeX and Unicode sign of the elementwise product.
        functions: LaTeX and Unicode of functions that differ from the activation table.
        letters: Internal name to alternatives, each again in the form ``base_subscript``.
        cells: Letters for one cell only, by the cell's name; they come before ``letters``.
    """

    name: str
    title: str
    superscript_time: bool = False
    hadamard: tuple[str, str] = (r"\odot", "⊙")
    functions: Mapping[str, tuple[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    letters: Mapping[str, Alternatives] = field(default_factory=lambda: MappingProxyType({}))
    cells: Mapping[str, Mapping[str, Alternatives]] = field(default_factory=lambda: MappingProxyType({}))

    def assign(self, names: Iterable[str], cell: str = "") -> dict[str, str]:
        """Give each quantity of one network its letters, no two the same.

        Args:
            names: Internal names, in the order of the network.
            cell: Name of the network's cell.

        Returns:
            Internal name to printed name, still in the form ``base_subscript``.
        """
        given = {**self.letters, **self.cells.get(cell, {})}
        wishes = {name: wanted(name, given) for name in names}
        chosen: dict[str, str] = {}
        taken: set[tuple[str, ...]] = set()
        for name in sorted(wishes, key=lambda n: (wishes[n] != (n,), len(wishes[n]))):
            others = (f"{name}_{number}" for number in itertools.count(2))
            letter = next(a for a in itertools.chain(wishes[name], [name], others) if not printed(a) & taken)
            chosen[name] = letter
            taken |= printed(letter)
        return chosen


def wanted(name: str, given: Mapping[str, Alternatives]) -> Alternatives:
    """Return the letters that a profile gives a name; ``W_hh_2`` takes those of ``W_hh``, and keeps its ``2``."""
    parts = name.split("_")
    for length in range(len(parts), 0, -1):
        stem, rest = "_".join(parts[:length]), parts[length:]
        if stem in given and not (rest and rest[0] in ACCENTS):
            return tuple("_".join([letter, *rest]) for letter in given[stem])
    return (name,)


def printed(name: str) -> set[tuple[str, ...]]:
    """Return how a name looks in each medium."""
    return {(medium, *spell(name, medium)) for medium in MEDIA}


def spell(name: str, medium: str) -> tuple[str, str]:
    """Split a printed name into base and subscript, spelled out for a medium.

    Args:
        name: A name in the form ``base_subscript``.
        medium: One of ``MEDIA``.

    Returns:
        Base and subscript; the subscript may be empty.
    """
    base, *rest = name.split("_")
    text = _letter(base, medium)
    if rest and rest[0] in ACCENTS:
        accent = rest.pop(0)
        command, combining = ACCENTS[accent]
        text = {"latex": f"{command}{{{text}}}", "unicode": normalize("NFC", text + combining), "ascii": f"{text}_{accent}"}[medium]
    return text, ",".join(_subscript(part, medium) for part in rest)


def _letter(base: str, medium: str) -> str:
    if base in LETTERS:
        return {"latex": "\\" + base, "unicode": LETTERS[base], "ascii": base}[medium]
    if medium == "latex" and len(base) > 1:
        return rf"\mathit{{{base}}}"
    return base


def _subscript(part: str, medium: str) -> str:
    if part in LETTERS:
        return _letter(part, medium)
    if medium == "latex" and len(part) > 2 and re.fullmatch(r"[A-Za-z]+", part):
        return rf"\mathrm{{{part}}}"
    return part


_TAU = MappingProxyType({"tanh": (r"\tau", "τ")})

INDEXED = Notation("indexed", "subscripts for layer and time: W_hh, h_t, tanh, ⊙")

NOTES_000 = Notation(
    "notes-000",
    "note 000: U, W, V, superscript time, τ for tanh, ∗ for the elementwise product",
    superscript_time=True,
    hadamard=(r"\ast", "∗"),
    functions=_TAU,
    letters=MappingProxyType({
        "W_hh": ("W",), "W_xh": ("U",), "W_hy": ("V",), "b_h": ("b",), "a_h": ("a",), "y_hat": ("o", "y_hat"),
    }),
    cells=MappingProxyType({
        "lstm": MappingProxyType({
            "c": ("C",), "c_tilde": ("C_tilde",), "s_c": ("s_C",),
            "W_i": ("W_in",), "U_i": ("U_in",), "b_i": ("b_in",), "a_i": ("a_in",),
        }),
        "gru": MappingProxyType({
            "z": ("u",), "W_z": ("U_u",), "U_z": ("W_u",), "b_z": ("b_u",), "a_z": ("a_u",),
            "W_r": ("U_r",), "U_r": ("W_r",), "W": ("U",), "U": ("W",),
        }),
        "gru-reset-after": MappingProxyType({
            "z": ("u",), "W_z": ("U_u",), "U_z": ("W_u",), "b_z": ("b_u",), "a_z": ("a_u",),
            "W_r": ("U_r",), "U_r": ("W_r",), "W_n": ("U",), "U_n": ("W",), "b_Wn": ("b_U",), "b_Un": ("b_W",),
            "n": ("h_tilde",), "a_n": ("a",), "p_n": ("p",),
        }),
    }),
)

PROFILES: Mapping[str, Notation] = MappingProxyType({p.name: p for p in (INDEXED, NOTES_000)})


def notation(name: str | Notation) -> Notation:
    """Look a profile up by name; a profile passes through.

    Raises:
        SpecError: Nobody defines the name; the nearest ones are offered.
    """
    if isinstance(name, Notation):
        return name
    if name not in PROFILES:
        raise unknown("notation", name, PROFILES)
    return PROFILES[name]
