"""What does not depend on the layout: how the work is arranged, where values lie, and the steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sympy import Basic, Expr

from symrnn.codegen.arguments import BATCH, SHARED
from symrnn.codegen.fast.lowering import Lowering
from symrnn.codegen.fast.merging import merged
from symrnn.codegen.fast.places import Places
from symrnn.codegen.fast.steps import Item, Nest
from symrnn.codegen.functions import Function
from symrnn.codegen.naming import names_of
from symrnn.equations import Equation
from symrnn.expr import Series, Static
from symrnn.networks.graph import Network
from symrnn.scheduling import Form, scheduled
from symrnn.traverse import leaves, quantity_of


@dataclass
class Plan:
    """The steps of a function.

    Attributes:
        form: How the work is arranged.
        batched: What differs between the sequences of a batch.
        places: Where values lie.
        items: The steps.
        scratch: Heights and numbers of times of the arrays for values in between, by name.
        texts: The formulas of comments that were written already.
    """

    form: Form
    batched: frozenset[Basic] = field(init=False)
    places: Places = field(init=False)
    items: list[Item] = field(init=False)
    scratch: dict[str, tuple[Expr, Expr | None]] = field(init=False)
    texts: dict[Equation, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find places, and the steps."""
        self.batched = batched_in(self.form)
        self.places = Places(self.form)
        shared = {q: name for q, name in names_of(self.form, BATCH).quantities.items() if isinstance(q, Static) and q not in self.batched}
        lowering = Lowering(self.form, self.places, shared, self.places.arrays)
        self.items = [replace(item, body=merged(item.body)) if isinstance(item, Nest) else item for item in together(lowering.items())]
        self.scratch = dict(lowering.scratch)


def arranged(network: Network, function: Function) -> Form:
    """Arrange the work of a function."""
    results = {r.quantity: r.span for r in function.results}
    return scheduled(network, {**({network.loss: None} if function.loss else {}), **results})


def together(items: Sequence[Item]) -> list[Item]:
    """Join neighbours that are done for the same times at once."""
    out: list[Item] = []
    for item in items:
        last = out[-1] if out else None
        if isinstance(last, Nest) and isinstance(item, Nest) and last.step == item.step == 0 and last.span == item.span:
            out[-1] = replace(last, body=(*last.body, *item.body))
        else:
            out.append(item)
    return out


def batched_in(form: Form) -> frozenset[Basic]:
    """Return what differs between the sequences of a batch: every series, and statics that depend on one."""
    found: set[Basic] = {g.quantity for g in form.network.givens if g.kind not in SHARED}
    found |= {e.quantity for e in form.equations if isinstance(e.quantity, Series)}
    size = -1
    while len(found) != size:
        size = len(found)
        found |= {e.quantity for e in form.equations if any(quantity_of(leaf) in found for leaf in leaves(e.rhs))}
    return frozenset(found)
