"""Blending: ``z ⊙ h + (1 - z) ⊙ n`` is ``z ⊙ (h - n) + n``: one product less."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from symrnn.expr import Hadamard, Node, Ones, Plus, Scaled
from symrnn.networks.graph import Block, Scan
from symrnn.scheduling.form import Form
from symrnn.traverse import rebuilt


def blended(form: Form) -> Form:
    """Write each sum of two values with weights ``z`` and ``1 - z`` with one product."""
    blocks: list[Block] = []
    for block in form.blocks:
        if isinstance(block, Scan):
            blocks.append(Scan(tuple(replace(e, rhs=rebuilt(e.rhs, one_product)) for e in block.equations), block.step))
        else:
            blocks.append(block)
    return replace(form, blocks=tuple(blocks))


def one_product(node: Any) -> Any:
    """Return a sum in which two products with weights that add up to 1 are one."""
    if not isinstance(node, Plus):
        return node
    for term in node.args:
        weight = next((factor for factor in term.args if complement_of(factor) is not None), None) if isinstance(term, Hadamard) else None
        if weight is None:
            continue
        z = complement_of(weight)
        other = next((o for o in node.args if isinstance(o, Hadamard) and z in o.args), None)
        if z is not None and other is not None and other is not term:
            n, h = without(term, weight), without(other, z)
            rest = [o for o in node.args if o is not term and o is not other]
            return Plus(Hadamard(z, Plus(h, Scaled(-1, n))), n, *rest)
    return node


def complement_of(node: Any) -> Node | None:
    """Return ``z`` of ``1 - z``."""
    if not (isinstance(node, Plus) and len(node.args) == 2 and isinstance(node.args[0], Ones)):
        return None
    number, z = node.args[1].args if isinstance(node.args[1], Scaled) else (0, None)
    return z if number == -1 else None


def without(product: Any, factor: Any) -> Node:
    """Return a product without one of its factors."""
    rest = list(product.args)
    rest.remove(factor)
    return Hadamard(*rest) if len(rest) > 1 else rest[0]
