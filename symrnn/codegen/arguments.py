"""What a generated function is given: its arguments, their shapes, and the lines that put them in place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sympy import Expr, Integer, Symbol, expand

from symrnn.codegen.formatting import grouped
from symrnn.codegen.values import Scope, axes
from symrnn.expr import Series, same
from symrnn.networks.graph import Given, Network

SHARED = frozenset({"parameter", "direction"})
"""Kinds that belong to all sequences alike; the others have a batch axis."""
COUNTED = frozenset({"mask", "integer"})
"""Kinds whose 1×1 values are given without an axis of length 1."""
BATCH = Symbol("B", integer=True, positive=True)


@dataclass(frozen=True)
class Argument:
    """One given quantity as an array.

    Attributes:
        given: The quantity.
        name: Its identifier in the code.
        dims: The shape of the array.
    """

    given: Given
    name: str
    dims: tuple[Expr, ...]

    @property
    def kind(self) -> str:
        """The kind of the given quantity."""
        return self.given.kind

    @property
    def shared(self) -> bool:
        """Whether the array has no batch axis."""
        return self.kind in SHARED

    @property
    def lasts(self) -> bool:
        """Whether the array has an axis of time."""
        return self.given.span is not None and not self.given.span.single

    @property
    def may_be_classes(self) -> bool:
        """Whether integers may be given instead of one-hot rows."""
        rows, cols = self.given.quantity.shape
        return self.kind == "target" and same(cols, 1) and not same(rows, 1)

    @property
    def text(self) -> str:
        """The shape as Python writes it."""
        return f"({', '.join(map(str, self.dims))}{',' if len(self.dims) == 1 else ''})"


def dims_of(given: Given) -> tuple[Expr, ...]:
    """Return the shape of the array in which a quantity is given."""
    own = axes(given.quantity.shape)
    if given.kind in SHARED:
        return own
    span = given.span
    length = () if span is None or span.single else (expand(span.hi - span.lo + 1),)
    plain = given.kind in COUNTED and own == (Integer(1),)
    return (BATCH, *length, *(() if plain else own))


def arguments_of(network: Network, names: dict[str, str]) -> tuple[Argument, ...]:
    """Return one argument for each given quantity, in the order of the network."""
    return tuple(Argument(g, names[g.name], dims_of(g)) for g in network.givens)


def positional(arguments: Iterable[Argument]) -> list[Argument]:
    """Return what is given by position: inputs and integers first, then targets."""
    listed = list(arguments)
    return [a for a in listed if a.kind in {"input", "integer"}] + [a for a in listed if a.kind == "target"]


def sizes_from(wanted: set[Expr], arguments: Iterable[Argument], scope: Scope) -> tuple[list[str], set[str], list[Expr]]:
    """Read sizes off the shapes of arrays.

    Returns:
        Lines of code, the arrays that they read, and the sizes that no array tells.
    """
    rank = {"input": 0, "parameter": 1, "direction": 1, "integer": 2, "target": 3, "mask": 4}
    arrays = sorted((a for a in arguments if a.kind in rank), key=lambda a: rank[a.kind])
    open_sizes, lines, read = set(wanted), [], set()
    for array in arrays:
        found = lines_of(array, open_sizes, scope)
        if found:
            read.add(array.name)
            lines += found
            open_sizes -= {d for d in array.dims if d.is_Symbol}
    for size in sorted(open_sizes, key=str):
        derived = derived_size(size, arrays, open_sizes, scope)
        if derived is not None:
            read.add(derived[0])
            lines.append(derived[1])
            open_sizes.discard(size)
    return lines, read, sorted(open_sizes, key=str)


def lines_of(array: Argument, wanted: set[Expr], scope: Scope) -> list[str]:
    """Read those sizes that are axes of one array."""
    new = [d in wanted and d not in array.dims[:k] for k, d in enumerate(array.dims)]
    first = new.index(False) if False in new else len(new)
    letters = [scope.names.sizes[d] if is_new else "" for d, is_new in zip(array.dims, new, strict=True)]
    lines = []
    if first > 1:
        whole = "" if first == len(new) else f"[:{first}]"
        lines.append(f"{', '.join(letters[:first])} = {array.name}.shape{whole}")
    else:
        first = 0
    lines += [f"{letter} = {array.name}.shape[{k}]" for k, letter in enumerate(letters) if letter and k >= first]
    return lines


def derived_size(size: Expr, arrays: list[Argument], unknown: set[Expr], scope: Scope) -> tuple[str, str] | None:
    """Solve for a size that is part of the length of an axis: ``D`` in ``D + H``, ``H`` in ``4*H``."""
    for array in arrays:
        for k, dim in enumerate(array.dims):
            times = expand(dim).coeff(size)
            rest = expand(dim - times * size)
            if times.is_Integer and times > 0 and not rest.free_symbols & (unknown | {size}):
                axis = Symbol(f"{array.name}.shape[{k}]")
                solved = str(axis - rest.xreplace({s: Symbol(scope.names.sizes[s]) for s in rest.free_symbols}))
                whole = solved if times == 1 else f"{solved if rest == 0 else f'({solved})'} // {times}"
                return array.name, f"{scope.names.sizes[size]} = {whole}"
    return None


def unpacked(arguments: Iterable[Argument], read: set[str]) -> list[str]:
    """Take the parameters that are read out of their dictionary."""
    keys = {a.name: f'params["{a.given.name}"]' for a in arguments if a.shared and a.name in read}
    return grouped(list(keys), lambda names: f"{', '.join(names)} = {', '.join(keys[name] for name in names)}", most=3)


def prepared(argument: Argument, scope: Scope) -> list[str]:
    """Fill in what was left out, and turn integers into one-hot rows."""
    name, lines = argument.name, []
    if argument.kind == "initial":
        dims = f"({', '.join(scope.number(d) for d in argument.dims)})"
        lines.append(f"{name} = np.zeros({dims}, {scope.dtype()}) if {name} is None else {name}")
    if argument.may_be_classes:
        classes = scope.number(argument.given.quantity.shape[0])
        lines.append(f"if {name}.ndim == {len(argument.dims) - 1}:  # classes, counted from 0")
        lines.append(f"    {name} = np.eye({classes}, dtype={scope.dtype()})[{name}]")
    return lines


def placed(argument: Argument, scope: Scope, *, first: bool) -> list[str]:
    """Put a quantity where formulas read it: a series into a dictionary by time."""
    given, name = argument.given, argument.name
    flat = argument.kind in COUNTED and axes(given.quantity.shape) == (Integer(1),)
    column = f".reshape({scope.number(BATCH)}, 1)" if flat else ""
    column += f".astype({scope.dtype()})" if argument.kind == "mask" else ""
    if not isinstance(given.quantity, Series) or given.span is None:
        return [f"{name} = {name}{column}"] if column else []
    target = scope.names.quantities[given.quantity]
    if given.span.single:
        time = scope.number(given.span.lo)
        return [f"{target} = {{{time}: {name}{column}}}" if first else f"{target}[{time}] = {name}{column}"]
    letter, inner = scope.bound(Symbol("t", integer=True))
    place = inner.number(expand(Symbol("t", integer=True) - given.span.lo))
    times = f"range({scope.number(given.span.lo)}, {scope.number(given.span.hi + 1)})"
    made = f"{{{letter}: {name}[:, {place}]{column} for {letter} in {times}}}"
    return [f"{target} = {made}" if first else f"{target}.update({made})"]
