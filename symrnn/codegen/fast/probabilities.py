"""Softmax and its logarithm in one step: both from the same exponentials, in place."""

from __future__ import annotations

from collections.abc import Callable

from sympy import Basic

from symrnn.codegen.fast.steps import Probabilities, Ref, Step
from symrnn.equations import Equation
from symrnn.expr import At, LogSoftmax, Softmax, t
from symrnn.networks.graph import Scan
from symrnn.scheduling.form import Form, recurrent

HELPER = '''
def probabilities(a, axis, softmax, logarithm):
    """Write softmax(a), and its logarithm, which may take the place of a; the largest entry is taken out first."""
    np.subtract(a, a.real.max(axis=axis, keepdims=True), logarithm)
    np.exp(logarithm, softmax)
    total = softmax.sum(axis=axis, keepdims=True)
    np.divide(softmax, total, softmax)
    np.subtract(logarithm, np.log(total), logarithm)
'''


def pairs(form: Form) -> dict[Basic, tuple[Equation, Equation]]:
    """Return a softmax and its logarithm, outside of recurrences and over the same times, by both quantities that they define."""
    equations = [e for block in form.blocks if isinstance(block, Scan) and not recurrent(block) for e in block.equations if is_of_value(e)]
    logarithms = {(e.rhs.args, e.span): e for e in equations if isinstance(e.rhs, LogSoftmax)}
    found: dict[Basic, tuple[Equation, Equation]] = {}
    for e in equations:
        if isinstance(e.rhs, Softmax) and (other := logarithms.get((e.rhs.args, e.span))) is not None:
            found |= {e.quantity: (e, other), other.quantity: (e, other)}
    return found


def together(e: Equation, pair: tuple[Equation, Equation], form: Form, ref: Callable[[Basic], Ref]) -> list[Step]:
    """Lower a softmax and its logarithm where the first of them is defined."""
    if e != min(pair, key=form.equations.index):
        return []
    softmax, logarithm = pair
    return [Probabilities(ref(softmax.rhs.args[0].series), ref(softmax.quantity), ref(logarithm.quantity), pair)]


def is_of_value(e: Equation) -> bool:
    """Tell whether the formula is that of one value at the generic time."""
    if not isinstance(e.rhs, Softmax | LogSoftmax) or e.span is None:
        return False
    (operand, *masks) = e.rhs.args
    return not masks and isinstance(operand, At) and operand.time == t
