"""A user's code by a convention that is known by name: its functions are found, and its arguments described."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

from symrnn.conventions import Form, forms_of
from symrnn.errors import SpecError
from symrnn.verify.handwritten.inputs import KINDS
from symrnn.verify.handwritten.naming import alike, best, parameters
from symrnn.verify.handwritten.settings import TABLES, WORDS

SPECIAL = {*KINDS, "list", "values", "size", "text"}
"""Keys of a table that describes one argument; another table is a dict of arrays."""


@dataclass(frozen=True)
class Asked:
    """What the user names.

    Attributes:
        target: A class; empty for functions.
        forward: The forward function or method; empty to find it.
        backward: Likewise.
        cell: A published cell, or ``path.py:NAME``.
        layout: A convention.
    """

    target: str = ""
    forward: str = ""
    backward: str = ""
    cell: str = ""
    layout: str = ""

    @property
    def cell_is_file(self) -> bool:
        """Whether the cell is one of a user's own file."""
        return ".py" in self.cell


@dataclass(frozen=True)
class Known:
    """What a convention says about a user's code.

    Attributes:
        asked: With the names that were found.
        args: What a file of settings would say.
        form: How the cell is written; ``None`` where no convention was named.
        notes: What was decided without being told.
    """

    asked: Asked
    args: Mapping[str, Any]
    form: Form | None = None
    notes: tuple[str, ...] = ()


def forms_asked(asked: Asked) -> tuple[Form, ...]:
    """Return how the cell can be written; of all cells where none, or one of a file, is named."""
    return forms_of(asked.layout, "" if asked.cell_is_file else asked.cell) if asked.layout else ()


def known_of(forms: Sequence[Form], module: ModuleType, asked: Asked, data: Mapping[str, Any], file: str) -> Known:
    """Find a convention's functions in a module, and describe their arguments.

    Args:
        forms: How the cell can be written; none where no convention was named.
        module: The user's code.
        asked: What the user names.
        data: What the user's file of settings says; it wins.
        file: Name of the user's file.

    Raises:
        SpecError: The functions are not there.
    """
    named = asked.target or asked.forward
    if not forms or (named and member(module, named) is None):
        return Known(asked, data)
    if named:
        form = fitting(forms, taken(module, asked), asked)
        notes = [form.title]
    else:
        form, asked, others = found_in(forms, module, asked, file)
        notes = [form.title + (f"; {', '.join(others)} is there as well, and verified where it is named" if others else "")]
    asked = with_backward(form, module, asked, file)
    args, renamed = described(form, taken(module, asked), set(data))
    if asked.backward not in form.backward and asked.backward:
        args.pop("backward", None)
    return Known(asked, merged(args, data), form, (*notes, *renamed))


def member(owner: Any, name: str) -> Any:
    """Return what a dotted name is in a module or class; ``None`` where it is nothing."""
    value = owner
    for part in name.split("."):
        value = getattr(value, part, None)
    return value


def present(form: Form, module: ModuleType) -> tuple[str, str] | None:
    """Return the class and the forward of a form that a module has; ``None`` where it has none."""
    for owner in form.classes:
        made = member(module, owner)
        name = next((name for name in form.forward if isinstance(made, type) and hasattr(made, name)), "")
        if name:
            return owner, name
    name = "" if form.classes else next((name for name in form.forward if callable(member(module, name))), "")
    return ("", name) if name else None


def found_in(forms: Sequence[Form], module: ModuleType, asked: Asked, file: str) -> tuple[Form, Asked, list[str]]:
    """Return the first form that a module has, with its names; and what else it has.

    Raises:
        SpecError: It has none, or those of several cells.
    """
    there = [(form, names) for form in forms if (names := present(form, module))]
    if not there:
        looked = ", ".join(dict.fromkeys(form.wanted for form in forms))
        raise SpecError(f"{file} has nothing that the convention {forms[0].convention} calls a forward pass: looked for {looked}; "
                        "name yours by --forward and --backward, or a class by FILE::CLASS")
    keys = {form.key: frozenset(names for other, names in there if other.key == form.key) for form, _ in there}
    if len(set(keys.values())) > 1:
        raise SpecError(f"{file} has functions of {', '.join(keys)}, by the convention {forms[0].convention}; say which by --cell {next(iter(keys))}")
    form, (owner, name) = there[0]
    others = [owner or name for other, (owner, name) in there if other.kind != form.kind and other.key == form.key]
    return either(form, list(keys)), replace(asked, target=owner, forward=name), others


def either(form: Form, keys: list[str]) -> Form:
    """Return a form that is the same for several cells, with the cell left open."""
    return form if len(keys) == 1 else replace(form, key=" or ".join(keys), cell="")


def fitting(forms: Sequence[Form], takes: Sequence[Any], asked: Asked) -> Form:
    """Return the form that the user names by its function or class; otherwise the one whose arguments fit best.

    Raises:
        SpecError: Forms of several cells fit as well.
    """
    by_name = [form for form in forms if asked.target in form.classes or (not form.classes and asked.forward in form.forward)]
    least = min(misfit(form, takes) for form in by_name or forms)
    best_ones = [form for form in by_name or forms if misfit(form, takes) == least]
    keys = list(dict.fromkeys(form.key for form in best_ones))
    if len(keys) > 1 and any(form.args != best_ones[0].args for form in best_ones):
        raise SpecError(f"{asked.target or asked.forward} may be {' or '.join(keys)}, by the convention {forms[0].convention}; "
                        f"say which by --cell {keys[0]}")
    return either(best_ones[0], keys)


def with_backward(form: Form, module: ModuleType, asked: Asked, file: str) -> Asked:
    """Add the name of the backward, where the convention has one and the user names none.

    Raises:
        SpecError: It is not there.
    """
    if asked.backward or not form.backward:
        return asked
    owner = member(module, asked.target) if asked.target else module
    name = next((name for name in form.backward if callable(member(owner, name))), "")
    if not name:
        raise SpecError(f"{file} has {asked.forward or asked.target}, and not its backward: looked for {', '.join(form.backward)}; "
                        "name yours by --backward")
    return replace(asked, backward=name)


def taken(module: ModuleType, asked: Asked) -> list[Any]:
    """Return the parameters of the forward, then those of the class that it is a method of."""
    owner = member(module, asked.target) if asked.target else None
    if owner is None:
        return list(parameters(member(module, asked.forward)))
    return [*list(parameters(member(owner, asked.forward or "forward")))[1:], *parameters(owner)]


def required(takes: Sequence[Any]) -> list[str]:
    """Return the names of the parameters that have no default."""
    return [p.name for p in takes if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]


def arrays_of(form: Form) -> list[str]:
    """Return the names of the arguments that a form describes."""
    return [name for name in form.args if name not in WORDS and name not in TABLES]


def misfit(form: Form, takes: Sequence[Any]) -> tuple[int, int]:
    """Count how many arguments a form has too many or too few, then how many have another name."""
    needed, arrays = required(takes), arrays_of(form)
    return abs(len(needed) - len(arrays)), len(set(needed) - set(arrays))


def described(form: Form, takes: Sequence[Any], told: set[str]) -> tuple[dict[str, Any], list[str]]:
    """Describe the arguments of a forward by a form: by their names, by names that mean the same, then by the order.

    Args:
        form: How the cell is written.
        takes: The parameters of the code.
        told: Names that the user describes.

    Returns:
        What a file of settings would say, and what was decided.
    """
    names = [p.name for p in takes]
    arrays = arrays_of(form)
    found = {array: array for array in arrays if array in names}
    free = [name for name in required(takes) if name not in found and name not in told]
    for array in [array for array in arrays if array not in found]:
        if near := best(array, free, alike):
            found[array] = near
            free.remove(near)
    left = [array for array in arrays if array not in found and array not in told]
    ordered = dict(zip(left, free, strict=True)) if len(left) == len(free) else {}
    notes = [f"{name} is taken for {array}, by the order" for array, name in ordered.items()]
    renames = found | ordered
    args = {renames.get(name, name): value for name, value in form.args.items() if name in renames or name not in arrays}
    return args, notes


def merged(args: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Add what the user says to what the convention says; the user wins."""
    found = dict(args)
    for key, value in data.items():
        before = found.get(key)
        both = isinstance(value, Mapping) and isinstance(before, Mapping) and not (SPECIAL & (set(value) | set(before)))
        found[key] = {**before, **value} if both else value  # type: ignore[dict-item]  # both are tables
    return found


__all__ = ["Asked", "Known", "forms_asked", "known_of"]
