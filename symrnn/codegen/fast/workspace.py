"""The arrays of a workspace: the code that makes them, and how large they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sympy import Basic, Expr, Integer, Max, Min

from symrnn.codegen.arguments import BATCH
from symrnn.codegen.fast.chunks import BLOCK, CHUNK, ENTRIES
from symrnn.codegen.fast.columns import COLUMNS
from symrnn.codegen.fast.views import Views
from symrnn.codegen.values import axes
from symrnn.expr import Series


@dataclass(frozen=True)
class Buffer:
    """An array of a workspace.

    Attributes:
        name: Its name in the code of the workspace.
        holds: What lies in it.
        dims: Its shape.
        integer: Whether it holds integers.
        public: Whether functions read it under its own name.
    """

    name: str
    holds: tuple[str, ...]
    dims: tuple[Expr, ...]
    integer: bool = False
    public: bool = False

    def line(self, number: Any) -> str:
        """Write the line that makes it: of zeros, since values beside the ends are zero."""
        shape = ", ".join(f"min({number(d.args[0])}, {number(d.args[1])})" if isinstance(d, Min) else number(d) for d in self.dims)
        owner = "self." if self.public else ""
        kind = "np.intp" if self.integer else "dtype"
        return f"{owner}{self.name} = np.zeros(({shape}{',' if len(self.dims) == 1 else ''}), {kind})"

    def bytes(self, sizes: Mapping[Basic, Expr], itemsize: int) -> int:
        """Return how large it is for some sizes."""
        entries = Integer(1)
        for d in self.dims:
            entries *= d.xreplace(dict(sizes))
        return int(entries) * (8 if self.integer else itemsize)


def chunk_size(views: Views) -> Expr | None:
    """Return the number of times of a chunk before it is rounded down, where there are chunks."""
    return ENTRIES / (BATCH * Max(*views.chunk_heights)) if views.chunk_heights else None


def buffers(views: Views, integers: set[Basic]) -> list[Buffer]:
    """Return the arrays that a function uses."""
    needed = {code.split("[")[0].split(".")[0] for code in views.used.values()}
    heights = {views.keys[id(place.array)]: place.array.height for place in views.places.of.values()}
    held: dict[str, list[str]] = {}
    for series, place in views.places.of.items():
        held.setdefault(views.keys[id(place.array)], []).append(views.names[series])

    def own(height: Expr) -> tuple[Expr, ...]:
        return (BATCH, height) if views.batch_first else (height, BATCH)

    out = [
        Buffer(key, tuple(held[key]), (*(() if key in views.brief else (views.length(key),)), *own(height)))
        for key, height in heights.items() if key in needed
    ]
    for series, name in views.names.items():
        if isinstance(series, Series) and series not in views.places.of and name in needed:
            out.append(Buffer(name, (name,), (views.length(name), BATCH, *axes(series.shape)), series in integers))
    out += [Buffer(name, (name,), shape, public=True) for name, shape in views.statics.items()]
    out += [Buffer(name, ("copies for gradients",), (height * (BLOCK + more) * BATCH,), public=True) for name, (height, more) in views.kept.items()]
    for name, (height, times) in views.scratch.items():
        if name in views.used:
            time = () if times is None else (Min(times, CHUNK, evaluate=False) if name in views.chunked else times,)
            out.append(Buffer(name, ("values in between",), (*time, *own(height)), public=True))
    return out


def made(views: Views, integers: set[Basic], number: Any) -> list[str]:
    """Write the lines that make the arrays of a workspace, and the names of their parts."""
    out = []
    if views.chunk_heights:
        most = sorted(number(height) for height in views.chunk_heights)
        height = most[0] if len(most) == 1 else f"max({', '.join(most)})"
        out.append(f"self.chunk = max(1, {ENTRIES} // ({number(BATCH)} * {height}))")

    if views.kept:
        out.append(f"self.block = max(1, {COLUMNS} // {number(BATCH)})")

    listed = buffers(views, integers)
    out += [buffer.line(number) for buffer in listed if not buffer.public]
    for name, code in views.used.items():
        if code:
            out.append(f"self.{name} = {code.replace('list(', 'list(self.') if code.startswith('list(') else code}")
    return [*out, *(buffer.line(number) for buffer in listed if buffer.public)]
