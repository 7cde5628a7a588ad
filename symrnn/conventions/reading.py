"""Conventions in TOML: those that come with symrnn, and a user's own.

A file has a ``title`` and a table for each cell, in it one for the ``sequence`` and one for the ``step``: names of functions,
of their results, and under ``args`` whatever ``args.toml`` can say about the arguments.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from symrnn.errors import SpecError, unknown

FOLDER = Path(__file__).parent / "files"
ENDING = ".toml"
KINDS = ("sequence", "step")
LISTS = ("forward", "backward", "class", "returns", "gradients")


@dataclass(frozen=True)
class Form:
    """How one cell is written in a convention, as a sequence or as a step.

    Attributes:
        convention: Its name.
        key: What the convention calls the cell: ``gru``.
        cell: Which of the published cells that is: ``gru-reset-after``; empty where it is open.
        kind: ``sequence`` or ``step``.
        forward: Usual names of the forward function, or method.
        backward: Likewise; none where the forward returns the gradients.
        classes: Usual names of the class; none for functions.
        returns: Names of what the forward returns, where the code does not say them.
        gradients: Names of what the backward returns, likewise.
        args: What a file of settings would say: patterns of arguments by name, ``globals``, ``layout`` and so on.
    """

    convention: str
    key: str
    cell: str
    kind: str
    forward: tuple[str, ...]
    backward: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    returns: tuple[str, ...] = ()
    gradients: tuple[str, ...] = ()
    args: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What it is called in messages: ``lstm as a sequence, by the convention cs231n``."""
        return f"{self.key} as a {self.kind}, by the convention {self.convention}"

    @property
    def wanted(self) -> str:
        """The names of functions or classes that are looked for."""
        return ", ".join(f"class {name}" for name in self.classes) or ", ".join(self.forward)


@dataclass(frozen=True)
class Convention:
    """A convention.

    Attributes:
        name: Such as ``cs231n``.
        title: What it is, in a line.
        forms: Of each cell the sequence, then the step.
    """

    name: str
    title: str
    forms: tuple[Form, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """What it calls its cells."""
        return tuple(dict.fromkeys(form.key for form in self.forms))


@cache
def names() -> tuple[str, ...]:
    """Return the names of the conventions that come with symrnn."""
    return tuple(sorted(path.name.removesuffix(ENDING) for path in FOLDER.glob(f"*{ENDING}")))


@cache
def convention(name: str) -> Convention:
    """Look a convention up by name, or read the file that a name ending in ``.toml`` is.

    Args:
        name: Such as ``cs231n``, or ``my_course.toml``.

    Returns:
        The convention.

    Raises:
        SpecError: Nobody defines it, or the file is bad.
    """
    if name.endswith(ENDING):
        return read(Path(name))
    if name not in names():
        raise SpecError(f"{unknown('layout', name, names())}; your own convention is a file, my_course{ENDING}")
    return read(FOLDER / f"{name}{ENDING}")


def read(path: Path) -> Convention:
    """Read a file.

    Raises:
        SpecError: It cannot be read, is no TOML, or says what a convention does not.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} is no TOML: {error}") from None
    name, title = path.name.removesuffix(ENDING), data.pop("title", "")
    forms = [form for key, table in data.items() for form in forms_in(name, key, table, path)]
    if not isinstance(title, str) or not forms:
        raise SpecError(f"{path}: a convention has a title = \"...\" and tables such as [lstm.sequence]; got {', '.join(data) or 'none'}")
    return Convention(name, title, tuple(forms))


def forms_in(name: str, key: str, table: Any, path: Path) -> list[Form]:
    """Return the forms of one cell.

    Raises:
        SpecError: A key that is not known, or a table that is none.
    """
    if not isinstance(table, Mapping):
        raise SpecError(f"{path}: {key} is a cell, with tables [{key}.sequence] and [{key}.step]; got {table!r}")
    cell = table.get("cell", key)
    for kind, form in table.items():
        if kind not in (*KINDS, "cell"):
            raise unknown(f"key in [{key}] of {path}", kind, (*KINDS, "cell"))
        if not isinstance(form, str if kind == "cell" else Mapping):
            raise SpecError(f"{path}: {kind} in [{key}] is a {'text' if kind == 'cell' else 'table'}; got {form!r}")
    return [form_of(name, key, cell, kind, table[kind], path) for kind in KINDS if kind in table]


def form_of(name: str, key: str, cell: str, kind: str, table: Mapping[str, Any], path: Path) -> Form:
    """Return one form.

    Raises:
        SpecError: A key that is not known, a value of the wrong type, or no forward.
    """
    where = f"[{key}.{kind}] of {path}"
    for word, value in table.items():
        if word not in (*LISTS, "args"):
            raise unknown(f"key in {where}", word, (*LISTS, "args"))
        if word in LISTS and not (isinstance(value, list) and all(isinstance(entry, str) for entry in value)):
            raise SpecError(f"{where}: {word} is a list of names; got {value!r}")
    args = table.get("args", {})
    if not table.get("forward") or not isinstance(args, Mapping):
        raise SpecError(f"{where}: it needs forward = [\"name\"] and a table [{key}.{kind}.args]")
    lists = {"classes" if word == "class" else word: tuple(table.get(word, ())) for word in LISTS}
    return Form(name, key, cell, kind, args=args, **lists)


@cache
def cells() -> tuple[str, ...]:
    """Return the published cells that any convention has."""
    return tuple(sorted({form.cell for name in names() for form in convention(name).forms}))


def forms_of(layout: str, cell: str = "") -> tuple[Form, ...]:
    """Return how a cell is written in a convention.

    Args:
        layout: Name of the convention, or a file.
        cell: The cell, by the convention's word or by that of symrnn; empty for all.

    Returns:
        Its forms, the sequence first.

    Raises:
        SpecError: The convention is not known, or has no such cell.
    """
    found = convention(layout)
    forms = tuple(form for form in found.forms if form.key == cell) or tuple(form for form in found.forms if form.cell == cell)
    if cell and not forms:
        raise SpecError(f"the convention {found.name} has no cell '{cell}'; it has {', '.join(found.keys)}; others are described by --args")
    return forms or found.forms


__all__ = ["Convention", "Form", "cells", "convention", "forms_of", "names"]
