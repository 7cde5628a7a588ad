"""The recurrence of any cell for a library that differentiates, from the cell's equations.

``symrnn.scheduling`` arranges the forward pass as for fast code: gates that read the same are one product, and what reads
the input alone is computed for all times before the loop. The equations become Python by the rules of readable code, which
runs with the library in the place of NumPy.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sympy import Basic, Expr

from symrnn.benchmarks.cases import READOUT, Case
from symrnn.benchmarks.recurrence import Library, Recurrence
from symrnn.codegen.arguments import BATCH
from symrnn.codegen.emit import emit
from symrnn.codegen.naming import RESERVED, Names
from symrnn.codegen.values import Scope, Used, expanded
from symrnn.equations import Equation
from symrnn.errors import NotSupportedError
from symrnn.expr import At, Rows, Series, Static, t
from symrnn.networks.graph import Scan
from symrnn.scheduling import Form, scheduled
from symrnn.scheduling.form import recurrent
from symrnn.traverse import leaves, rebuilt

TAKEN = frozenset({"w", "x", "B", "D", "H", "K", "shared", "state", "now", "split", "before", "len"})
"""Names of the functions that are written here."""


@dataclass(frozen=True)
class Parts:
    """The forward pass of a cell in three parts.

    Attributes:
        fixed: Equations without time, such as weights below one another.
        before: What is computed for all times at once.
        loop: The recurrence.
    """

    fixed: tuple[Equation, ...]
    before: tuple[Equation, ...]
    loop: tuple[Equation, ...]

    @property
    def states(self) -> list[Series]:
        """What a step reads of the one before."""
        return sorted({leaf.series for e in self.loop for leaf in leaves(e.rhs) if isinstance(leaf, At) and leaf.time != t}, key=str)


def parts_of(form: Form, name: str) -> Parts:
    """Divide a form.

    Raises:
        NotSupportedError: It has no loop or several, or something reads other times than this one and the one before.
    """
    scans = [block for block in form.blocks if isinstance(block, Scan)]
    loops = [scan for scan in scans if recurrent(scan)]
    if len(loops) != 1 or scans[-1] is not loops[0] or loops[0].step != 1:
        raise NotSupportedError(f"{name} is not one loop over time that gives the output")
    parts = Parts(
        tuple(block for block in form.blocks if isinstance(block, Equation)),
        tuple(e for scan in scans[:-1] for e in scan.equations), loops[0].equations,
    )
    whole, own = next(iter(form.results.values())), {e.quantity for e in parts.loop}
    for e in (*parts.before, *parts.loop):
        times = {leaf.time for leaf in leaves(e.rhs) if isinstance(leaf, At) and not (leaf.series in own and leaf.time == t - 1)}
        if e.span != whole or times - {t}:
            raise NotSupportedError(f"{name} reads other times than the one before")
    return parts


@dataclass
class Writer:
    """Writes the equations of a cell as two functions.

    Attributes:
        names: The identifiers.
        numbers: The sizes.
        batched: The variables, each of which has rows.
        values: The variable of a series at this time, or at the one before.
        pieces: The variable of some rows of another.
        used: What the code turns out to need.
    """

    names: Names
    numbers: Mapping[Basic, int]
    batched: set[Basic] = field(default_factory=set)
    values: dict[tuple[Series, Expr], Static] = field(default_factory=dict)
    pieces: dict[Any, Static] = field(default_factory=dict)
    used: Used = field(default_factory=Used)

    def variable(self, wanted: str, shape: tuple[Expr, Expr]) -> Static:
        """Return a new variable."""
        made = Static(f"value {len(self.batched)}", (), *shape)
        self.names.quantities[made] = self.names.fresh(wanted)
        self.batched.add(made)
        return made

    def value(self, series: Series, time: Expr = t) -> Static:
        """Return the variable of a series."""
        if (series, time) not in self.values:
            self.values[series, time] = self.variable(series.key if time == t else f"{series.key}_before", series.shape)
        return self.values[series, time]

    def timeless(self, node: Any) -> Any:
        """Put variables in the place of values at a time."""
        return rebuilt(node, lambda part: self.value(part.series, part.time) if isinstance(part, At) else part)

    def cut(self, assignments: Sequence[tuple[Static, Any]]) -> dict[Static, list[Static]]:
        """Find the variables that are read in equal pieces, as gates are, and name these: libraries cut at once."""
        found: dict[Static, set[Any]] = {variable: set() for variable, _ in assignments}
        for part in [part for _, node in assignments for part in node.atoms(Rows)]:
            if part.args[0] in found:
                found[part.args[0]].add(part)
        cuts = {}
        for variable, parts in ((variable, parts) for variable, parts in found.items() if parts):
            ordered = sorted(parts, key=lambda part: self.number(part.args[1]))
            length = self.number(ordered[0].shape[0])
            ends = [(self.number(part.args[1]), self.number(part.args[2])) for part in ordered]
            if ends == [(k * length, (k + 1) * length) for k in range(len(ends))] and ends[-1][1] == self.number(variable.shape[0]):
                name = self.names.quantities[variable]
                self.pieces.update({part: self.variable(f"{name}_{k}", part.shape) for k, part in enumerate(ordered, 1)})
                cuts[variable] = [self.pieces[part] for part in ordered]
        return cuts

    def number(self, size: Expr) -> int:
        """Return a size as a number."""
        return int(size.xreplace(self.numbers))

    def lines(self, assignments: Iterable[tuple[Static, Any]], cuts: Mapping[Static, list[Static]]) -> list[str]:
        """Write assignments, and cut what is made here where its pieces are read here."""
        found, pieces = [], {piece for _, node in assignments for piece in self.rebuilt(node).atoms(Static)}
        for variable, node in assignments:
            scope = Scope(self.names, BATCH, frozenset(self.batched), self.used)
            code = expanded(emit(self.rebuilt(node), scope), scope, batched=variable in self.batched).code
            found.append(f"{self.names.quantities[variable]} = {code}")
            found += self.cutting({variable: cuts[variable]} if pieces & {*cuts.get(variable, ())} else {})
        return found

    def rebuilt(self, node: Any) -> Any:
        """Put variables in the place of pieces."""
        return rebuilt(node, lambda part: self.pieces.get(part, part))

    def cutting(self, cuts: Mapping[Static, list[Static]]) -> list[str]:
        """Write how variables are cut."""
        return [f"({self.listed(pieces)}) = split({self.names.quantities[variable]}, {len(pieces)})" for variable, pieces in cuts.items()]

    def listed(self, variables: Iterable[Basic]) -> str:
        """Write variables one after another, as a tuple."""
        return "".join(f"{self.names.quantities[variable]}, " for variable in variables).strip()


def source_of(parts: Parts, output: Series, x: Static, writer: Writer, parameters: Sequence[Static]) -> str:
    """Write the functions ``before`` and ``step``; what a step reads of its own time is cut into gates there, so that it is one array.

    Raises:
        NotSupportedError: No step reads the input.
    """
    name = writer.names.quantities
    early = [(writer.value(e.quantity), writer.timeless(e.rhs)) for e in parts.before]
    late = [(writer.value(e.quantity), writer.timeless(e.rhs)) for e in parts.loop]
    late = [pair for pair in early if isinstance(pair[1], Rows)] + late
    early = [pair for pair in early if not isinstance(pair[1], Rows)]
    cuts = writer.cut([*early, *late])
    outside = writer.lines([*((e.quantity, e.rhs) for e in parts.fixed), *early], cuts)
    inside = writer.cutting({variable: cuts[variable] for variable, _ in early if variable in cuts}) + writer.lines(late, cuts)
    read = set(re.findall(r"\w+", " ".join(inside)))
    rows = [variable for variable in (x, *(variable for variable, _ in early)) if name[variable] in read]
    if not rows:
        raise NotSupportedError("no step reads the input")
    shared = [name[q] for q in (*parameters, *(e.quantity for e in parts.fixed)) if name[q] in read]
    turned = [one for one in shared if any(f"@ {one}.T" in line for line in inside)]
    for one in turned:  # once a call instead of once a step
        inside = [re.sub(rf"\b{one}\.T\b", f"{one}_T", line) for line in inside]
    common = "".join(f"{one}, " for one in [*shared, *(f"{one}_T" for one in turned)])
    states, new = ([writer.value(series, time) for series in parts.states] for time in (t - 1, t))
    return function("before(w, x)", [
        *(f'{name[p]} = w["{p.key}"]' for p in parameters), *outside, *(f"{one}_T = {one}.T" for one in turned),
        f"return ({writer.listed(rows)}), ({common})",
    ], "x") + function("step(shared, state, now)", [
        f"({common}) = shared", f"({writer.listed(states)}) = state", f"({writer.listed(rows)}) = now", *inside,
        f"return ({writer.listed(new)}), {name[writer.value(output)]}",
    ], "state[0]")


def function(head: str, lines: Sequence[str], like: str) -> str:
    """Write a function; the number of its rows and its dtype, where they are needed, are those of an array."""
    read = set(re.findall(r"\w+", " ".join(lines)))
    opening = [f"{one} = {code}" for one, code in (("B", f"len({like})"), ("dtype", f"{like}.dtype")) if one in read]
    return "\n    ".join([f"def {head}:", *opening, *lines]) + "\n\n\n"


def by_equations(case: Case, call: Library) -> Recurrence:
    """Return the recurrence of a cell for a library.

    Raises:
        NotSupportedError: The cell is not one loop whose steps read this time and the one before.
    """
    given = next(given for given in case.derivation.network.givens if given.kind == "input")
    form = scheduled(case.derivation.network, {case.output: given.span})
    parts = parts_of(form, case.cell)
    parameters = [p for p in form.network.parameters if str(p.key) not in READOUT.values()]
    _, _, D, H = case.sizes
    letters = {size: {"D": D, "H": H, "K": D}[str(size)] for size in form.sizes if str(size) in {"D", "H", "K"}}
    writer = Writer(Names(taken=set(RESERVED | TAKEN)), letters)
    writer.names.sizes.update({BATCH: "B", **{size: str(size) for size in letters}})
    for quantity in (*parameters, *(e.quantity for e in parts.fixed)):
        writer.names.quantities[quantity] = writer.names.fresh(str(quantity.key))
    writer.names.quantities[x := writer.value(given.quantity)] = "x"
    source = source_of(parts, case.output, x, writer, parameters)
    code = compiled("\n\n".join([*(helper.replace(".real", "") for helper in writer.used.helpers.values()), source]),
                    {"np": call.np, "split": call.split, **{str(size): number for size, number in letters.items()}})
    code["sigmoid"] = call.sigmoid
    weights = {str(p.key): case.params[str(p.key)] for p in parameters} | {kind: case.params[name] for kind, name in READOUT.items()}
    states = tuple(writer.number(series.shape[0]) for series in parts.states)
    return Recurrence(weights, states, code["before"], code["step"], lambda found: {READOUT.get(n, n): np.asarray(g) for n, g in found.items()})


def compiled(source: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run a source, and return its names with those that it was given."""
    exec(compile(source, "<the cell's equations>", "exec"), names)
    return names
