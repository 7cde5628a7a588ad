"""Reading a printed formula: LaTeX, Unicode text, or an expression of nodes."""

from __future__ import annotations

from typing import Any

from sympy import Basic

from symrnn import writer
from symrnn.derivation import Derivation
from symrnn.errors import SpecError
from symrnn.expr import Leaf, Node
from symrnn.formulas.letters import Letters
from symrnn.formulas.same import equal_values
from symrnn.formulas.shaping import Value, lifted, shaped, unknowns
from symrnn.formulas.surface import FormulaError, parse
from symrnn.formulas.terms import Terms
from symrnn.networks import Network
from symrnn.notation import Notation
from symrnn.traverse import quantity_of

UNDECIDED = "how many rows a 0, a 1 or an e has is not said, and nothing beside it decides it"


def read_formula(
    text: str | Node, network: Network | Derivation, *, notation: str | Notation = "indexed", shape: tuple[Any, Any] | None = None
) -> Node:
    """Read a formula in the letters of a network.

    Args:
        text: LaTeX or Unicode text as symrnn prints it, with the freedom that people take, or an expression of nodes.
        network: Whose quantities the letters are, or its derivation.
        notation: The notation in which it is written: a name or a profile.
        shape: Rows and columns that it must have. Without it a formula such as ``1`` or ``0`` is 1×1.

    Returns:
        The formula; in a notation with rows, of columns all the same.

    Raises:
        FormulaError: The text is damaged, reads what the network does not have, or has two readings whose shapes fit; the
            error knows the column.
        SpecError: Unknown notation, or an expression that reads what the network does not have.
    """
    whole = network.as_network() if isinstance(network, Derivation) else network
    if isinstance(text, Node):
        return checked(text, whole)
    letters = Letters.of(whole, notation)
    return read_with(text, letters, shape)


def read_with(text: str, letters: Letters, shape: tuple[Any, Any] | None) -> Node:
    """Read a formula in some letters."""
    if not text.strip():
        raise FormulaError(text, 1, "the formula is empty")
    terms = Terms(text, letters)
    try:
        tree = parse(text)
        values = terms.sum(tree.children[0])
    except FormulaError as error:
        raise FormulaError(text, error.column, error.reason) from None
    return decided(values, terms, shape)


def decided(values: list[Value], terms: Terms, shape: tuple[Any, Any] | None) -> Node:
    """Return the only reading whose shape fits.

    Raises:
        FormulaError: There is none, or there are two.
    """
    fitting: dict[Node, None] = {}
    reason = ""
    for value in values:
        try:
            fitting[shaped(value, shape) if shape is not None else lifted(value, (1, 1))] = None
        except SpecError as error:
            reason = reason or str(error)
    known = [node for node in fitting if not unknowns(node)]
    if not known:
        raise FormulaError(terms.formula, 1, UNDECIDED if fitting else reason)
    different = [node for node in known[1:] if not equal_values(known[0], node)]
    if different:
        place = max(terms.forks, default=0)
        both = ", or ".join(writer.text(node, terms.letters.style) for node in (known[0], different[0]))
        raise FormulaError(terms.formula, place + 1, f"this can be read in two ways: {both}; put brackets")
    return known[0]


def checked(node: Node, network: Network) -> Node:
    """Return an expression that reads nothing but quantities of a network and their adjoints."""
    own = {plainly(q) for q in (*(g.quantity for g in network.givens), *(e.quantity for e in network.equations))}
    for leaf in node.atoms(Leaf):
        if plainly(quantity_of(leaf)) not in own:
            raise SpecError(f"the formula reads {writer.text(leaf)}, which {network.name} does not have")
    return node


def plainly(quantity: Any) -> Basic:
    """Return a quantity without adjoint marks."""
    return quantity.func(quantity.name, (), *quantity.shape)


