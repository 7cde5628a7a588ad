"""Profiles in TOML: those that come with symrnn, and a user's own. A bad file is refused with file, line and reason."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from symrnn.activations import activation
from symrnn.errors import SpecError, SymrnnError, unknown
from symrnn.notation.profile import CHOICES, INDEXED, Alternatives, Notation
from symrnn.notation.spelling import fault

FOLDER = Path(__file__).parent / "profiles"
ENDING = ".toml"
SIGNS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "⊙": (r"\odot", "⊙"), "∗": (r"\ast", "∗"), "∘": (r"\circ", "∘"), "*": (r"\ast", "∗"), "⋆": (r"\star", "⋆"),
})
"""Signs of the elementwise product that can be written as themselves."""
TABLES = ("functions", "letters", "symbols", "cells")
KEYS = ("title", "hadamard", *CHOICES, *TABLES)


@dataclass(frozen=True)
class ProfileFile:
    """The text of a profile, and where things stand in it."""

    path: Path
    text: str

    def line_of(self, key: str, table: str = "") -> int:
        """Return the line of a key in a table, or that of the table."""
        here, best = "", 0
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*\[([^]]+)\]", line):
                here = header[1].replace('"', "").replace("'", "").replace(" ", "")
                best = number if here == table else best
            elif re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[.=]", line) and here == table:
                return number
        if best and key:
            return best
        found = (n for n, line in enumerate(self.text.splitlines(), 1) if key and key in line.partition("#")[0])
        return best or next(found, 1)

    def error(self, reason: str, key: str = "", table: str = "") -> SpecError:
        """Make an error that names file and line."""
        return SpecError(f"{self.path}:{self.line_of(key, table)}: {reason}")


def read_profile(path: Path) -> Notation:
    """Read a profile.

    Args:
        path: A TOML file.

    Raises:
        SpecError: The file cannot be read, is not TOML, or holds what a profile cannot; the message names the line.
    """
    file = ProfileFile(path, text_of(path))
    try:
        found = tomllib.loads(file.text)
    except tomllib.TOMLDecodeError as error:
        place = re.search(r" \(at line (\d+), column \d+\)| \(at end of document\)", str(error))
        line = place[1] if place and place[1] else str(len(file.text.splitlines()) or 1)
        reason = str(error).replace(place[0] if place else "", "")
        raise SpecError(f"{path}:{line}: this is not TOML: {reason[:1].lower()}{reason[1:]}") from None
    for key in found:
        if key not in KEYS:
            raise file.error(str(unknown("key", key, KEYS)), key)
    return Notation(
        name=path.stem,
        title=text_at(file, found, "title") or f"the profile {path.name}",
        hadamard=sign(file, found.get("hadamard", "⊙")),
        functions=MappingProxyType(functions(file, found)),
        letters=MappingProxyType(letters(file, found, "letters")),
        cells=MappingProxyType(cells(file, found)),
        symbols=MappingProxyType({k: v[0] for k, v in letters(file, found, "symbols").items()}),
        source=str(path),
        **choices(file, found),
    )


def text_of(path: Path) -> str:
    """Read a file as UTF-8."""
    if not path.exists():
        raise SpecError(f"no such file: {path}; `symrnn notation --new {path}` writes a start")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise SpecError(f"{path}:{line}: this is not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise SpecError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None


def text_at(file: ProfileFile, found: Mapping[str, Any], key: str) -> str:
    """Return a text in one line, ``""`` where the file has none."""
    value = found.get(key, "")
    if not isinstance(value, str) or "\n" in value:
        raise file.error(f"{key} is a text in one line; got {value!r}", key)
    return value


def choices(file: ProfileFile, found: Mapping[str, Any]) -> dict[str, str]:
    """Return what is chosen."""
    chosen = {key: text_at(file, found, key) for key in CHOICES if key in found}
    for key, value in chosen.items():
        if value not in CHOICES[key]:
            raise file.error(f"unknown {key} '{value}'; one of {', '.join(CHOICES[key])}", key)
    return chosen


def sign(file: ProfileFile, value: Any) -> tuple[str, str]:
    """Return the sign of the elementwise product: one that is known, or LaTeX and Unicode."""
    if isinstance(value, str) and value in SIGNS:
        return SIGNS[value]
    pair = isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)
    if not pair or fault(value[0]) or len(value[1]) != 1:
        raise file.error(rf'hadamard is one of {" ".join(SIGNS)} or a pair of LaTeX and a sign, such as ["\\diamond", "⋄"]', "hadamard")
    return value[0], value[1]


def table(file: ProfileFile, found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return a table, empty where the file has none."""
    value = found.get(name, {})
    if not isinstance(value, dict):
        raise file.error(f"{name} is a table: [{name}] in a line of its own, then a line for each entry", name)
    return value


def functions(file: ProfileFile, found: Mapping[str, Any]) -> dict[str, str]:
    """Return the letters of functions."""
    out = {key: value[0] for key, value in letters(file, found, "functions").items()}
    for name in out:
        try:
            activation(name)
        except SymrnnError as error:
            raise file.error(str(error).replace("activation", "function", 1), name, "functions") from None
    return out


def cells(file: ProfileFile, found: Mapping[str, Any]) -> dict[str, dict[str, Alternatives]]:
    """Return the letters for single cells."""
    inner = table(file, found, "cells")
    for name, value in inner.items():
        if not isinstance(value, dict):
            raise file.error(f"cells holds one table a cell, such as [cells.gru]; {name} is none", name, "cells")
    return {name: letters(file, inner, name, f"cells.{name}") for name in inner}


def letters(file: ProfileFile, found: Mapping[str, Any], key: str, where: str = "") -> dict[str, Alternatives]:
    """Return the letters of one table; each quantity has one, or several in the order in which they are tried."""
    out: dict[str, Alternatives] = {}
    first: dict[str, str] = {}
    for name, value in table(file, found, key).items():
        listed = value if isinstance(value, list) else [value]
        if not listed or not all(isinstance(letter, str) for letter in listed):
            raise file.error(f"the letter of {name} is a text or a list of texts; got {value!r}", name, where or key)
        for letter in listed:
            if reason := fault(letter):
                raise file.error(f"the letter '{letter}' of {name}: {reason}", name, where or key)
        if len(listed) == 1 and listed[0] in first:
            raise file.error(
                f"{name} and {first[listed[0]]} have the same letter '{listed[0]}'; two quantities cannot look alike",
                name, where or key,
            )
        if len(listed) == 1:
            first[listed[0]] = name
        out[name] = tuple(listed)
    return out


def refuse_unknown(profile: Notation, known: Iterable[str], sizes: Iterable[str]) -> None:
    """Refuse a file that gives a letter to what no network has.

    Args:
        profile: A profile that was read from a file; others pass.
        known: Names of quantities.
        sizes: Names of sizes and times.

    Raises:
        SpecError: With file, line and the nearest names.
    """
    if not profile.source:
        return
    quantities, file = set(known), ProfileFile(Path(profile.source), text_of(Path(profile.source)))
    tables = {"letters": profile.letters, **{f"cells.{cell}": given for cell, given in profile.cells.items()}}
    for where, given in tables.items():
        for name in given:
            if name not in quantities:
                raise file.error(str(unknown("quantity", name, quantities)), name, where)
    for name in profile.symbols:
        if name not in sizes:
            raise file.error(str(unknown("size or time", name, sizes)), name, "symbols")


class _Profiles(Mapping[str, Notation]):
    """The profiles that come with symrnn, each read when it is first used."""

    def __getitem__(self, name: str) -> Notation:
        if name == INDEXED.name:
            return INDEXED
        if name not in names():
            raise KeyError(name)
        return shipped(name)

    def __iter__(self) -> Iterator[str]:
        return iter((INDEXED.name, *names()))

    def __len__(self) -> int:
        return 1 + len(names())


@cache
def names() -> tuple[str, ...]:
    """Return the names of the shipped files, the notes first."""
    return tuple(sorted((path.stem for path in FOLDER.glob(f"*{ENDING}")), key=lambda n: (not n.startswith("notes"), n)))


@cache
def shipped(name: str) -> Notation:
    """Read a shipped profile."""
    return read_profile(FOLDER / f"{name}{ENDING}")


PROFILES: Mapping[str, Notation] = _Profiles()


def notation(name: str | Notation) -> Notation:
    """Look a profile up by name, or read the file that a name ending in ``.toml`` is; a profile passes through.

    Raises:
        SpecError: Nobody defines the name, or the file is bad.
    """
    if isinstance(name, Notation):
        return name
    if name.endswith(ENDING):
        return read_profile(Path(name))
    if name not in PROFILES:
        raise unknown("notation", name, PROFILES)
    return PROFILES[name]


def notations_text() -> str:
    """List the profiles, one a line."""
    longest = max(map(len, PROFILES))
    return "".join(f"{name:<{longest}}  {profile.title}\n" for name, profile in PROFILES.items())
