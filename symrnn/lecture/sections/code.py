"""The generated code with links from its lines to the equations, a run of it, and its second reading."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from symrnn.codegen import NumpyProgram
from symrnn.codegen.arguments import BATCH, positional
from symrnn.codegen.naming import names_of
from symrnn.errors import NotSupportedError
from symrnn.expr import Product, Transposed
from symrnn.lecture.checking import program_of
from symrnn.lecture.document import Block, Code, Heading, Table, Text
from symrnn.lecture.subject import SHORT, Subject
from symrnn.leftout import for_reading
from symrnn.readings import second_reading
from symrnn.traverse import quantity_of

ASSIGNED = re.compile(r"^ +(\w+)(?:\[[^\]]*\])? \+?= ")
RUN_SIZES = {"B": 2, "D": 3, "H": 4, "K": 5, "T": 6, "S": 7, "V": 8, "M": 8, "A": 3, "F": 4}
"""Sizes of the run, by letter; any other letter gets 3."""


def code(subject: Subject) -> Iterator[Block]:
    """Show the code, run it, and read it back."""
    words, program = subject.words, program_of(subject.derivation)
    yield Heading(subject.title("code.heading"), subject.anchored("code"))
    column, row = product(subject)
    yield Text(words("code.text", column=column, row=row))
    yield Code(program.source, "python", words("code.caption", name=subject.name), tuple(links(subject, program)), runs=True)
    if (run := run_source(program)) is not None:
        source, name = run
        yield Text(words("code.run_text", q=f"`{name}`"))
        yield Code(source, "python", words("code.run_caption"), runs=True)
    if subject.level != SHORT and subject.cell is not None and subject.matches:
        yield from second(subject)


def product(subject: Subject) -> tuple[str, str]:
    """Return a product of the network as a formula and as code."""
    for e in subject.network.equations:
        for node in e.rhs.atoms(Product):
            if len(node.args) == 2 and node.args[0] in subject.network.parameters and node.args[1].is_Atom is not None:
                matrix, vector = node.args
                return subject.formula(node), f"{vector.name} @ {matrix.name}.T" if hasattr(vector, "name") else f"… @ {matrix.name}.T"
    return subject.formula(Transposed(subject.network.parameters[0])) if subject.network.parameters else "", "x @ W.T"


def links(subject: Subject, program: NumpyProgram) -> Iterator[tuple[int, str]]:
    """Yield for each line of the code that assigns a quantity the anchor of what it computes."""
    names = names_of(for_reading(subject.derivation).as_network(), BATCH).quantities
    anchors: dict[str, list[str]] = defaultdict(list)
    for equation, _, anchor in subject.forward_lines:
        anchors[names[equation.quantity]].append(anchor)
    for adjoint in subject.derivation.adjoints:
        key = names.get(quantity_of(adjoint.lhs))
        if key is not None:
            anchors[key] += [subject.anchors[line] for line in subject.ordered(adjoint)]
    times: dict[str, int] = defaultdict(int)
    for number, line in enumerate(program.source.splitlines(), 1):
        if line.startswith("def "):
            times.clear()
        found = ASSIGNED.match(line)
        if found and found[1] in anchors and not re.search(r"= (?:0|\{)", line) and "np.zeros" not in line and "for t in range" not in line:
            own = anchors[found[1]]
            yield number, own[min(times[found[1]], len(own) - 1)]
            times[found[1]] += 1


def run_source(program: NumpyProgram) -> tuple[str, str] | None:
    """Write a run on random numbers with a difference quotient; nothing where the arguments are not plain arrays."""
    arguments = positional(program.arguments)
    if any(a.kind not in {"parameter", "input", "target"} for a in program.arguments if a.kind not in {"initial"}):
        return None
    sizes = {str(s): RUN_SIZES.get(str(s), 3) for a in program.arguments for d in a.dims for s in d.free_symbols}
    shared = [a for a in program.arguments if a.shared]
    if not shared or set(re.findall(r"^def loss\((.*?)\):", program.source, re.S | re.M)) & {""}:
        return None
    lines = ["rng = np.random.default_rng(0)", *(f"{letter} = {number}" for letter, number in sorted(sizes.items())), "params = {"]
    lines += [f'    "{a.given.name}": 0.5 * rng.standard_normal({shape_of(a)}),' for a in shared]
    lines += ["}"]
    for a in arguments:
        if a.may_be_classes and "np.eye(" in program.source:
            rows = str(a.given.quantity.shape[0])
            lines.append(f"{a.name} = rng.integers(0, {rows}, {shape_of(a, classes=True)})")
        else:
            lines.append(f"{a.name} = rng.standard_normal({shape_of(a)})")
    call = f"(params, {', '.join(a.name for a in arguments)})" if arguments else "(params)"
    name = shared[0].given.name
    place = ", ".join(["0"] * len(shared[0].dims))
    lines += [
        f"value, gradients = loss_and_gradients{call}",
        "step = 1e-6",
        f'params["{name}"][{place}] += step',
        f"above = loss{call}",
        f'params["{name}"][{place}] -= 2 * step',
        f"below = loss{call}",
        f'params["{name}"][{place}] += step',
        f'print(value, gradients["{name}"][{place}], (above - below) / (2 * step))',
    ]
    return "\n".join(lines) + "\n", name


def shape_of(argument: Any, *, classes: bool = False) -> str:
    """Write the shape of an array of the run."""
    dims = argument.dims[:-1] if classes else argument.dims
    return f"({', '.join(str(d) for d in dims)}{',' if len(dims) == 1 else ''})"


def second(subject: Subject) -> Iterator[Block]:
    """What latexify-py reads in a forward step."""
    words = subject.words
    yield Heading(words("code.second"), subject.anchored("second"), 2)
    try:
        readings = second_reading(subject.cell, subject.style.notation)  # type: ignore[arg-type]
    except NotSupportedError as error:
        yield Text(words("code.second_missing" if "install" in str(error) else "code.second_refused"))
        return
    same = sum(reading.agrees for reading in readings)
    yield Text(words("code.second_text", count=same, total=len(readings)))
    header = tuple(words(f"code.second_head_{key}") for key in ("name", "python", "formula", "verdict"))
    rows = tuple((
        f"`{r.name}`", f"`{r.source}`", f"${plain(r.theirs)}$", words("code.second_same" if r.agrees else "code.second_different"),
    ) for r in readings)
    yield Table(header, rows, words("code.second_caption"), subject.anchored("tab-second"))


def plain(latex: str) -> str:
    r"""Leave out ``\mathopen{}`` and ``\mathclose{}``, which change nothing but blanks."""
    return re.sub(r"\\math(?:open|close)\{\}\s*", "", latex)


__all__ = ["code"]
