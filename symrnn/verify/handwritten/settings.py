"""``args.toml``: shapes of the arguments, and whatever the code does not say by itself.

A number at the top is a size; a list is the shape of an argument; a table with other names is a dict of arrays. A table
with ``integers``, ``one_hot``, ``positive``, ``probabilities``, ``zeros`` or ``real`` says what kind of numbers; ``as =
"list"`` hands over a list; ``list = "T", of = [...]`` is a list of arrays, a list of lists one of arrays of their shapes;
``values = [...]`` are numbers that are handed over as they are; ``size = "V"`` is the number of a letter. Where a shape may
stand, a text such as ``"D (i f o g) H"`` is one, and says how the array lies; other texts, and ``text = "C"``, stand for themselves.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from symrnn.errors import SpecError, unknown
from symrnn.verify.handwritten.inputs import KINDS, Inputs, Size, Slot, evaluated, letters_of, with_usual
from symrnn.verify.handwritten.patterns import Pattern, is_pattern
from symrnn.verify.handwritten.report import ACCEPTABLE
from symrnn.verify.handwritten.structures import leaves, written

TABLES = {
    "globals": None, "layout": None, "accept": tuple(ACCEPTABLE), "forward": ("call", "returns"), "backward": ("call", "returns"),
}
WORDS = ("loss", "setup", "only_definitions", "seed", "bits")
TYPES = {"loss": str, "setup": str, "only_definitions": bool, "seed": int, "bits": int}


@dataclass(frozen=True)
class Settings:
    """What ``args.toml`` says.

    Attributes:
        sizes: Numbers by letter.
        arguments: Templates by name.
        globals: Slots of globals by name.
        numbers: Globals that are the number of a letter, by name.
        forward: ``call`` and ``returns`` of the forward.
        backward: Likewise.
        accept: Verdicts that are accepted.
        loss: Name of the loss.
        setup: Statements that make what is called, such as ``net = RNN(D, H)``.
        only_definitions: Whether of the file only imports, functions, classes and constants are run.
        seed: Of the random numbers.
        bits: Precision.
        cell: Name of the cell that the code is meant to be, or ``path.py:NAME``.
        layout: Name of a convention, such as ``cs231n``; empty for none.
        patterns: How arrays lie, as text, by name.
    """

    sizes: Mapping[str, int] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    globals: Mapping[str, Slot] = field(default_factory=dict)
    numbers: Mapping[str, Size] = field(default_factory=dict)
    forward: Mapping[str, Any] = field(default_factory=dict)
    backward: Mapping[str, Any] = field(default_factory=dict)
    accept: Mapping[str, Any] = field(default_factory=dict)
    loss: str = ""
    setup: str = ""
    only_definitions: bool = False
    seed: int = 0
    bits: int = 333
    cell: str = ""
    layout: str = ""
    patterns: Mapping[str, str] = field(default_factory=dict)


def read_data(path: str | Path) -> dict[str, Any]:
    """Read the tables of a file of settings.

    Raises:
        SpecError: It cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"cannot read {path}: {(error.strerror or str(error)).lower()}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} is no TOML: {error}") from None


def settings_of(data: Mapping[str, Any], source: str = "args.toml") -> Settings:
    """Make settings of what a TOML file says.

    Args:
        data: The tables.
        source: Name of the file, for messages.

    Raises:
        SpecError: Something in it is not known, or of the wrong type.
    """
    named = {word: data[word] for word in ("cell", "layout") if isinstance(data.get(word), str) and not is_pattern(data[word])}
    data = {key: value for key, value in data.items() if key not in named}
    check_words(data, source)
    rest = {key: value for key, value in data.items() if key not in WORDS and key not in TABLES}
    sizes = {key: value for key, value in rest.items() if isinstance(value, int) and not isinstance(value, bool)}
    found = {key: template((key,), value, source) for key, value in rest.items() if key not in sizes}
    kept = {key: template((key,), value, source) for key, value in data.get("globals", {}).items()}
    for key, value in kept.items():
        if not isinstance(value, Slot | Size):
            raise SpecError(f"{source}: [globals] {key} needs the shape of an array, such as [\"H\", \"D\"]; got {data['globals'][key]!r}")
    return Settings(
        sizes, found, {key: value for key, value in kept.items() if isinstance(value, Slot)},
        {key: value for key, value in kept.items() if isinstance(value, Size)},
        data.get("forward", {}), data.get("backward", {}), data.get("accept", {}),
        patterns=patterns_in(rest) | patterns_in(data.get("globals", {})) | layout_of(data, source),
        **named, **{word: data[word] for word in WORDS if word in data})


def check_words(data: Mapping[str, Any], source: str) -> None:
    """Refuse words and tables whose entries are not known, or of the wrong type.

    Raises:
        SpecError: With the word.
    """
    for word, kind in TYPES.items():
        if word in data and not isinstance(data[word], kind):
            raise SpecError(f"{source}: {word} is {data[word]!r}; expected {'true or false' if kind is bool else kind.__name__}")
    for table, known in TABLES.items():
        if not isinstance(data.get(table, {}), Mapping):
            raise SpecError(f"{source}: [{table}] is a table; got {data[table]!r}")
        for key in data.get(table, {}):
            if known is not None and key not in known:
                raise unknown(f"key in [{table}] of {source}", key, known)
    for kind, names in data.get("accept", {}).items():
        if names is not True and names is not False and not (isinstance(names, list) and all(isinstance(n, str) for n in names)):
            raise SpecError(f"{source}: [accept] {kind} is true or a list of names such as [\"dWh\"]; got {names!r}")
    for table in ("forward", "backward"):
        check_pass(data.get(table, {}), table, source)


def layout_of(data: Mapping[str, Any], source: str) -> dict[str, str]:
    """Return the table ``[layout]``: patterns by the name of the array.

    Raises:
        SpecError: An entry is no pattern.
    """
    found = {}
    for name, text in data.get("layout", {}).items():
        if not isinstance(text, str):
            raise SpecError(f"{source}: [layout] {name} is a pattern such as \"D (i f o g) H\"; got {text!r}")
        found[name] = pattern(f"[layout] {name}", text, source).text
    return found


def pattern(name: str, text: str, source: str) -> Pattern:
    """Read a pattern.

    Raises:
        SpecError: It cannot be read; with the name of the array.
    """
    try:
        return Pattern.parse(text)
    except SpecError as error:
        raise SpecError(f"{source}: {name}: {error}; a text that is none is {{ text = \"...\" }}") from None


def patterns_in(value: Any, path: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the patterns that stand for shapes, by the name of the array; of a list of arrays, that of its entries."""
    if isinstance(value, str):
        return {written(path): value} if path and is_pattern(value) else {}
    if not isinstance(value, Mapping):
        return {}
    if set(value) in ({"text"}, {"size"}):
        return {}
    shapes = [value[key] for key in (*KINDS, "of" if "list" in value else "") if key in value]
    if shapes:
        return patterns_in(shapes[0], path)
    return {name: text for key, inner in value.items()
            for name, text in patterns_in(inner, (*path, f"[{key!r}]") if path else (key,)).items()}


def check_pass(table: Mapping[str, Any], name: str, source: str) -> None:
    """Refuse a table of a pass whose entries have the wrong type.

    Raises:
        SpecError: ``call`` is no text, or ``returns`` no list of texts.
    """
    if not isinstance(table.get("call", ""), str):
        raise SpecError(f"{source}: [{name}] call is an expression such as \"{name}(x, h0)\"; got {table['call']!r}")
    returns = table.get("returns", [])
    if not (isinstance(returns, list) and all(isinstance(entry, str) for entry in returns)):
        raise SpecError(f"{source}: [{name}] returns is a list of names such as [\"dx\", \"dWh\"]; got {returns!r}")


def template(path: tuple[str, ...], value: Any, source: str) -> Any:
    """Return the template of one argument.

    Raises:
        SpecError: It is no shape, number, text or table of these.
    """
    if isinstance(value, list) and any(isinstance(part, (list, dict)) for part in value):
        return [template((*path, f"[{index}]"), part, source) for index, part in enumerate(value)]
    if isinstance(value, list):
        return Slot(path, shape_of(path, value, source))
    if isinstance(value, Mapping) and "values" in value and set(value) <= {"values", "as"}:
        return Slot(path, np.shape(value["values"]), "kept", kept=np.array(value["values"]), aslist=value.get("as") == "list")
    if isinstance(value, str) and is_pattern(value):
        return Slot(path, pattern(written(path), value, source).shape)
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"text"} and isinstance(value["text"], str):
        return value["text"]
    if set(value) == {"size"} and isinstance(value["size"], str) and value["size"].isidentifier():
        return Size(value["size"])
    if "list" in value and "of" in value:
        return Listed(path, value["list"], value["of"], source)
    kinds = [kind for kind in KINDS if kind in value and kind != "kept"]
    if kinds and set(value) <= {*kinds, "below", "as"} and len(kinds) == 1:
        return Slot(path, shape_of(path, value[kinds[0]], source), kinds[0], value.get("below", 2), aslist=value.get("as") == "list")
    return {key: template((*path, f"[{key!r}]"), inner, source) for key, inner in value.items()}


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of arrays, one for each time: its length is known when sizes are."""

    path: tuple[str, ...]
    length: int | str
    shape: Any
    source: str

    def slots_at(self, sizes: Mapping[str, int]) -> list[Any]:
        """Return the slots of the list."""
        return [template((*self.path, f"[{i}]"), self.shape, self.source) for i in range(evaluated(self.length, sizes))]


def shape_of(path: tuple[str, ...], value: Any, source: str) -> tuple[int | str, ...]:
    """Return a shape.

    Raises:
        SpecError: It is no list of letters and numbers, and no pattern.
    """
    if isinstance(value, str):
        return pattern(written(path), value, source).shape
    good = isinstance(value, list) and all(isinstance(size, (int, str)) and not isinstance(size, bool) for size in value)
    if not good:
        raise SpecError(f"{source}: the shape of {''.join(path)} is a list of letters and numbers such as [\"N\", \"T\", \"D\"]; got {value!r}")
    for size in value:
        letters_of(size)
    return tuple(value)


def inputs_of(settings: Settings, names: list[str]) -> Inputs:
    """Return the arguments of a forward pass, of what the settings say.

    Args:
        settings: Of ``args.toml``.
        names: What the forward takes.
    """
    plain = dict(settings.arguments)
    listed = [value for value in plain.values() if isinstance(value, Listed)]
    counted = [leaf for value in plain.values() for _, leaf in leaves(value) if isinstance(leaf, Size)]
    slots = [*Inputs({n: v for n, v in plain.items() if not isinstance(v, Listed)}).slots, *settings.globals.values(), *(Slot((), (entry.length,)) for entry in listed),
             *(Slot((), (number.letter,)) for number in (*counted, *settings.numbers.values())),
             *(template((), entry.shape, entry.source) for entry in listed)]
    sizes = with_usual(settings.sizes, [slot for slot in slots if isinstance(slot, Slot)])
    made = plain | {name: Size(name) for name in names if name in sizes and name not in plain}
    return Inputs(made, sizes)
