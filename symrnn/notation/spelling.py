r"""How a letter is spelled: ``W_hh``, ``c_tilde`` or ``W^f`` in plain form, or LaTeX such as ``\mathcal{W}_{rec}``.

A letter is a base with subscripts after ``_`` and superscripts after ``^``; braces keep what is in them as it is. A
subscript ``tilde``, ``hat`` or ``bar`` right after the base is an accent. Greek letters are written out, ``alpha``, or as
themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple
from unicodedata import normalize

MEDIA = ("latex", "unicode", "ascii")
"""What a formula is printed for: a paper, a terminal, a terminal without UTF-8."""

ACCENTS = {"tilde": ("\\tilde", "\u0303"), "hat": ("\\hat", "\u0302"), "bar": ("\\bar", "\u0304")}
LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "ell": "ℓ",
}
"""Letters that are written out in names; LaTeX knows each by the same name."""
GREEK = {sign: name for name, sign in LETTERS.items()}
FONTS = {"mathbf", "boldsymbol", "mathrm", "mathit", "mathcal", "mathsf", "mathbb", "mathfrak", "mathtt", "text"}


class Spelling(NamedTuple):
    """A letter as it is printed in one medium; subscript and superscript may be empty."""

    base: str
    sub: str = ""
    sup: str = ""


@cache
def spell(name: str, medium: str, *, bold: bool = False) -> Spelling:
    """Spell a letter out for a medium.

    Args:
        name: A letter.
        medium: One of ``MEDIA``.
        bold: Whether LaTeX prints the base bold; a terminal has no bold letters.
    """
    base, subs, sups = split(name)
    text = spelled_base(base, medium, bold=bold)
    if subs and subs[0] in ACCENTS:
        text = accented(text, subs.pop(0), medium)
    return Spelling(text, *(",".join(spelled_script(part, medium) for part in parts) for parts in (subs, sups)))


def split(name: str) -> tuple[str, list[str], list[str]]:
    """Split a letter at the ``_`` and ``^`` that stand outside of braces."""
    parts: dict[str, list[str]] = {"": [""], "_": [], "^": []}
    here, depth = "", 0
    for character in name:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character in "_^" and not depth:
            here = character
            parts[here].append("")
        else:
            parts[here][-1] += character
    return parts[""][0], parts["_"], parts["^"]


def is_latex(part: str) -> bool:
    """Tell whether a part of a letter is LaTeX, to be printed as it is."""
    return "\\" in part or "{" in part


def unbraced(part: str) -> str:
    """Take the braces off a part that stands in one pair of them."""
    return part[1:-1] if re.fullmatch(r"\{[^{}]*(\{[^{}]*\}[^{}]*)*\}", part) else part


def accented(text: str, accent: str, medium: str) -> str:
    """Put an accent on a base."""
    command, combining = ACCENTS[accent]
    return {"latex": f"{command}{{{text}}}", "unicode": normalize("NFC", text + combining), "ascii": f"{text}_{accent}"}[medium]


def spelled_base(base: str, medium: str, *, bold: bool = False) -> str:
    """Spell a base out."""
    name = GREEK.get(base, base)
    if medium != "latex":
        return stripped(name, medium) if is_latex(name) else (LETTERS.get(name, name) if medium == "unicode" else name)
    if is_latex(name):
        return rf"\boldsymbol{{{unbraced(name)}}}" if bold else unbraced(name)
    if name in LETTERS:
        return rf"\boldsymbol{{\{name}}}" if bold else "\\" + name
    if bold:
        return rf"\mathbf{{{name}}}"
    return rf"\mathit{{{name}}}" if len(name) > 1 else name


def spelled_script(part: str, medium: str) -> str:
    """Spell a subscript or a superscript out."""
    if part in LETTERS or part in GREEK or (is_latex(part) and medium != "latex"):
        return spelled_base(part, medium)
    if is_latex(part) and is_latex(unbraced(part)):
        return unbraced(part)
    part = unbraced(part)  # {xi} is an x and an i
    if medium == "latex" and len(part) > 2 and re.fullmatch(r"[A-Za-z]+", part):
        return rf"\mathrm{{{part}}}"
    return part


def stripped(latex: str, medium: str) -> str:
    """Return LaTeX as it can stand in a terminal: without fonts and braces, with the Greek letters it has."""

    def plain(match: re.Match[str]) -> str:
        name = match[1]
        if name in FONTS or name in ACCENTS:
            return "" if name in FONTS else match[0]
        return LETTERS.get(name, name) if medium == "unicode" else name

    def with_accent(match: re.Match[str]) -> str:
        return accented(match[2], match[1], medium)

    text = re.sub(r"\\([A-Za-z]+)", plain, latex)
    text = re.sub(rf"\\({'|'.join(ACCENTS)})\s*\{{?(\w+)\}}?", with_accent, text)
    return re.sub(r"[{}\\\s]", "", text)


def function_name(letter: str, medium: str) -> str:
    """Spell the name of a function: ``tau``, ``phi_h``, ``softsign``."""
    base, sub, sup = spell(letter, medium)
    upright = medium == "latex" and base.startswith(r"\mathit{")
    text = base.replace(r"\mathit", r"\operatorname") if upright else base
    for mark, script in (("_", sub), ("^", sup)):
        if script:
            text += f"{mark}{{{script}}}" if medium == "latex" or len(script) > 1 else mark + script
    return text


def fault(letter: str) -> str:
    """Say what is wrong with a letter, or nothing.

    Returns:
        One clause, or ``""`` for a letter that can be printed.
    """
    return next(faults(letter), "")


def faults(letter: str) -> Iterator[str]:
    """Yield what is wrong with a letter."""
    if not letter or letter != letter.strip():
        yield "a letter cannot be empty, or begin or end with a blank"
    if sign := re.search(r"[$%&#~\s]" if not is_latex(letter) else r"[$%&#~\n]", letter):
        yield f"a letter cannot hold {sign[0]!r}; write it in math mode, without dollars"
    if wrong := next((c for c in letter if not c.isascii() and c not in GREEK), None):
        yield f"LaTeX has no letter {wrong!r}; write it as a command"
    if letter.endswith("\\"):
        yield "a backslash without a command"
    yield from faults_of_groups(letter)
    if split(letter)[0] == "":
        yield "nothing in front of the script"


def faults_of_groups(letter: str) -> Iterator[str]:
    """Yield what is wrong with braces and scripts, from the innermost group outwards."""
    text = letter
    while inner := re.search(r"\{([^{}]*)\}", text):
        yield from faults_of_scripts(inner[1])
        text = text[: inner.start()] + "x" + text[inner.end():]
    if "{" in text:
        yield "a brace opens and does not close"
    if "}" in text:
        yield "a brace closes and did not open"
    yield from faults_of_scripts(text)
    if text.count("^") > 1:
        yield "a second ^ on one base"
    if is_latex(letter) and text.count("_") > 1:
        yield "a second _ on one base"


def faults_of_scripts(text: str) -> Iterator[str]:
    """Yield what is wrong with the scripts of one group."""
    one = r"(\\[A-Za-z]+|[^_^\s])"
    if re.search(r"[_^]\s*([_^]|$)", text):
        yield "nothing after _ or ^"
    if re.search(rf"\^\s*{one}\s*(_{one})?\s*\^", text):
        yield "a second ^ on one base"
