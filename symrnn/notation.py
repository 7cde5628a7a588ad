"""How names are printed: one frozen profile each. A profile changes letters and layout of print, never mathematics.

A quantity's internal name is ``base`` or ``base_subscript`` (``W_hh``, ``b_f``), with ``_tilde``, ``_hat`` or ``_bar``
for an accent (``c_tilde``). A profile may give a name other letters, for every cell or for one cell. Where a letter is
taken by another quantity of the same network, the next one of its alternatives is used: note 000 writes ``o`` both for
the output and for the LSTM's output gate, and in the LSTM it writes the output ``ŷ``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from symrnn.errors import unknown

ACCENTS = {"tilde": ("\\tilde", "\u0303"), "hat": ("\\hat", "\u0302"), "bar": ("\\bar", "\u0304")}
GREEK = dict(
    alpha="α", beta="β", gamma="γ", delta="δ", epsilon="ε", zeta="ζ", eta="η", theta="θ", kappa="κ", lambda_="λ",
    mu="μ", nu="ν", xi="ξ", pi="π", rho="ρ", sigma="σ", tau="τ", phi="φ", chi="χ", psi="ψ", omega="ω",
)

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
        ordered = list(dict.fromkeys(names))
        plain = {name for name in ordered if name not in given}
        chosen: dict[str, str] = {name: name for name in plain}
        taken = set(plain)
        for name in sorted((n for n in ordered if n in given), key=lambda n: len(given[n])):
            letter = next((a for a in (*given[name], name) if a not in taken), f"{name}_x")
            chosen[name] = letter
            taken.add(letter)
        return chosen


def spell(name: str, latex: bool) -> tuple[str, str]:
    """Split a printed name into base and subscript, spelled out for LaTeX or for a terminal.

    Args:
        name: A name in the form ``base_subscript``.
        latex: Spell for LaTeX where true.

    Returns:
        Base and subscript; the subscript may be empty.
    """
    parts = name.split("_")
    base, rest = parts[0], parts[1:]
    text = _letter(base, latex)
    if rest and rest[0] in ACCENTS:
        command, combining = ACCENTS[rest.pop(0)]
        text = f"{command}{{{text}}}" if latex else text + combining
    return text, ",".join(_subscript(part, latex) for part in rest)


def _letter(base: str, latex: bool) -> str:
    if base in GREEK:
        return "\\" + base if latex else GREEK[base]
    if latex and len(base) > 1:
        return rf"\mathit{{{base}}}"
    return base


def _subscript(part: str, latex: bool) -> str:
    if part in GREEK:
        return _letter(part, latex)
    if latex and len(part) > 2 and re.fullmatch(r"[A-Za-z]+", part):
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
        "W_hh": ("W",), "W_xh": ("U",), "W_hy": ("V",), "b_h": ("b",), "y_hat": ("o", "y_hat"),
        "a_h": ("a",),
    }),
    cells=MappingProxyType({
        "lstm": MappingProxyType({
            "c": ("C",), "c_tilde": ("C_tilde",), "W_i": ("W_in",), "U_i": ("U_in",), "b_i": ("b_in",),
        }),
        "gru": MappingProxyType({
            "z": ("u",), "W_z": ("U_u",), "U_z": ("W_u",), "W_r": ("U_r",), "U_r": ("W_r",), "W": ("U",),
            "U": ("W",), "a_z": ("a_u",),
        }),
        "gru-reset-after": MappingProxyType({
            "z": ("u",), "W_z": ("U_u",), "U_z": ("W_u",), "b_z": ("b_u",), "a_z": ("a_u",),
            "W_r": ("U_r",), "U_r": ("W_r",), "W_n": ("U",), "U_n": ("W",), "n": ("h_tilde",),
            "b_Wn": ("b_U",), "b_Un": ("b_W",),
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
