"""Windows of a sequence: what one of them needs from those beside it.

A recurrence reads the state at the end of the window before it; a backward pass reads adjoints at the beginning of the window
behind it. With both, a window is computed like a whole sequence, and its sums are added to those of the others: so only the
states between windows have to be kept (Chen, Xu, Zhang and Guestrin, 2016, arXiv:1604.06174).
"""

from __future__ import annotations

from typing import Any

from sympy import Expr, Integer

from symrnn.errors import NotSupportedError
from symrnn.expr import (
    At,
    Divides,
    Hadamard,
    Node,
    Plus,
    Product,
    Rows,
    Scaled,
    Stacked,
    Static,
    TimeSum,
    Transposed,
    Zeros,
    t,
)
from symrnn.scheduling.form import Form, read_by
from symrnn.times import Span
from symrnn.traverse import leaves


def offsets(form: Form) -> dict[Any, set[Expr]]:
    """Return the distances from ``t`` at which each series is read; a fixed time is given as it is."""
    found: dict[Any, set[Expr]] = {}
    for e in form.equations:
        indices = [part.args[1] for part in e.rhs.atoms(TimeSum)] if e.rhs.has(TimeSum) else []
        for leaf in leaves(e.rhs):
            if isinstance(leaf, At):
                index = next((i for i in [t, *indices] if i in leaf.time.free_symbols), None)
                found.setdefault(leaf.series, set()).add(leaf.time if index is None else leaf.time - index)
    return found


def edges_of(form: Form) -> list[Any]:
    """Return the series that are read at ``t+1``: what a window needs from the one behind it."""
    read = offsets(form)
    return sorted((series for series, found in read.items() if Integer(1) in found), key=str)


def states_of(form: Form) -> list[Any]:
    """Return the series that are read at ``t-1``: what a window needs from the one before it."""
    read = offsets(form)
    return sorted((series for series, found in read.items() if Integer(-1) in found), key=str)


def check_windows(form: Form) -> Expr:
    """Return the length of the sequence, where it can be computed in windows.

    Raises:
        NotSupportedError: With the reason why it cannot.
    """
    beside = {(e.quantity, e.span) for e in form.equations if isinstance(e.rhs, Zeros)}
    spans = {e.span for e in form.equations if e.span is not None and (e.quantity, e.span) not in beside}
    spans |= {g.span for g in form.network.givens if g.span is not None and g.kind != "initial"}
    if len(spans) != 1 or next(iter(spans)).lo != 1 or not next(iter(spans)).hi.is_Symbol:
        listed = ", ".join(sorted(map(str, spans)))
        raise NotSupportedError(f"checkpoints need values at each time of one sequence 1…T; this network has values at {listed}")
    length: Expr = next(iter(spans)).hi
    for series, found in offsets(form).items():
        if not found <= {Integer(-1), Integer(0), Integer(1)}:
            raise NotSupportedError(f"checkpoints need reads at t-1, t and t+1; {series.key} is read at {', '.join(map(str, found))}")
    initial = {g.quantity for g in form.network.givens if g.kind == "initial"}
    if (missing := [q.key for q in states_of(form) if q not in initial]):
        raise NotSupportedError(f"checkpoints need an initial state for what is read at t-1; {missing[0]} has none")
    check_sums(form)
    for e in form.equations:
        if e.rhs.has(Divides):
            raise NotSupportedError(f"checkpoints need formulas that do not depend on the number of the time; see the equation of {e.name}")
        bad = any(length in number.free_symbols for number in (part.args[0] for part in e.rhs.atoms(Scaled)))
        if bad or any(Span(*part.args[2:]) != Span(Integer(1), length) for part in e.rhs.atoms(TimeSum)):
            raise NotSupportedError(f"checkpoints need plain sums over 1…{length}, not means; see the equation of {e.name}")
    return length


def check_sums(form: Form) -> None:
    """Refuse what reads a sum over the times before it is whole, such as a mean over the times that a mask counts.

    Raises:
        NotSupportedError: With the quantity.
    """
    sums = {e.quantity for e in form.equations if e.span is None and e.rhs.has(TimeSum)}
    for e in form.equations:
        if (e.span is not None and read_by(e.rhs) & sums) or (e.span is None and not adds_up(e.rhs, sums)):
            raise NotSupportedError(f"checkpoints need sums over the times that nothing but sums reads; see the equation of {e.name}")
        if e.span is None and read_by(e.rhs) & sums:
            sums.add(e.quantity)


def adds_up(node: Any, sums: set[Any]) -> bool:
    """Tell whether a formula of the sums over all windows is the sum of its values for each of them, or reads no such sum."""
    if isinstance(node, TimeSum):
        return not read_by(node) & sums
    if not node.has(TimeSum) and not read_by(node) & sums:
        return True
    inner = [part for part in node.args if isinstance(part, Node)]
    if isinstance(node, Product | Hadamard):  # linear in each factor
        return len(own := [part for part in inner if part.has(TimeSum) or read_by(part) & sums]) == 1 and adds_up(own[0], sums)
    return isinstance(node, Static) or (isinstance(node, Plus | Scaled | Rows | Stacked | Transposed) and all(adds_up(part, sums) for part in inner))
