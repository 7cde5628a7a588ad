"""What an equation does, in words: by the role of its quantity, by what it reads, and for gates by what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from symrnn.equations import Equation
from symrnn.expr import At, Elementwise, LogSoftmax, Node, Plus, Product, Scaled, Softmax, Static, t
from symrnn.lecture.subject import Subject, at_running_time, written_at
from symrnn.lecture.uses import MULTIPLIES, Use, is_gate, is_old, masked, uses_of
from symrnn.sign_text import function_text
from symrnn.traverse import leaves, quantity_of


def sentences(subject: Subject, equation: Equation) -> str:
    """Describe one equation in a paragraph."""
    rule = gate if is_gate(equation, subject.network) else BY_ROLE.get(equation.role or subject.roles[equation.quantity], other)
    return " ".join(rule(subject, equation))


def function_of(subject: Subject, node: Any) -> str:
    """Write the name of a nonlinearity for a sentence."""
    if isinstance(node, Softmax):
        return r"$\operatorname{softmax}$"
    return f"${function_text(node.function, subject.style)}$"


def terms_of(node: Any) -> tuple[Any, ...]:
    """Return the terms of a sum, or the formula itself."""
    return node.args if isinstance(node, Plus) else (node,)


def read_values(subject: Subject, node: Any) -> list[Any]:
    """Return the values of a formula that have a time or are computed, each once."""
    given = {g.quantity for g in subject.network.givens if g.kind == "parameter"}
    return [leaf for leaf in dict.fromkeys(map(at_running_time, leaves(node))) if quantity_of(leaf) not in given]


def pre_activation(subject: Subject, equation: Equation) -> Iterator[str]:
    """A weighted sum: what each of its terms reads."""
    q = subject.formula(equation.lhs)
    terms = terms_of(equation.rhs)
    if not any(isinstance(leaf, Static) for leaf in leaves(equation.rhs)):
        yield subject.words("forward.pre_activation_plain", q=q)
        return
    yield subject.words("forward.pre_activation", q=q, terms="; ".join(term_text(subject, term) for term in terms))


def term_text(subject: Subject, term: Any) -> str:
    """Say what one term of a weighted sum reads."""
    states = set(subject.states)
    inputs = {g.quantity for g in subject.network.givens if g.kind in {"input", "integer"}}
    read = read_values(subject, term)
    old = [leaf for leaf in read if is_old(leaf) and quantity_of(leaf) in states]
    fresh = [leaf for leaf in read if quantity_of(leaf) in inputs]
    rest = [leaf for leaf in read if leaf not in old and leaf not in fresh]
    if not read:
        key = "term_bias" if isinstance(term, Static) else "term_other"
    else:
        key = "term_values" if rest else "term_both" if old and fresh else "term_state" if old else "term_input"
    values = {"values": subject.listed(read)} if key == "term_values" else {}
    return subject.words(f"forward.{key}", term=subject.formula(term), **values)


def gate(subject: Subject, equation: Equation) -> Iterator[str]:
    """Between closed and open; then what the gate does in each product that it stands in."""
    q, rhs = subject.formula(equation.lhs), equation.rhs
    if isinstance(rhs, Elementwise) and rhs.function.name == "sigmoid":
        key = "value_gate" if equation.role == "value" else "gate_open"
        yield subject.words(f"forward.{key}", q=q, function=function_of(subject, rhs))
    elif isinstance(rhs, Elementwise):
        yield subject.words("forward.gate_other", q=q)
        yield from bounds_of_values(subject, rhs)
    else:
        yield subject.words("forward.gate_computed", q=q, values=subject.listed(read_values(subject, rhs)))
    uses = uses_of(equation, subject.network)
    for use in uses:
        yield use_text(subject, use)
    if not uses:
        readers = [e.lhs for e in subject.network.equations if equation.quantity in {quantity_of(leaf) for leaf in leaves(e.rhs)}]
        if readers:
            yield subject.words("forward.gate_read", readers=subject.listed(readers))


def use_text(subject: Subject, use: Use) -> str:
    """Say what a gate does in one product."""
    new = subject.formula(use.reader.lhs)
    old, other = (subject.formula(node) if node is not None else "" for node in (use.old, use.other))
    values = {
        "forget": {"old": old, "new": new}, "update": {"old": old, "new": new, "candidate": other},
        "update_new": {"old": old, "new": new, "candidate": other}, "input": {"candidate": other, "new": new},
        "output": {"value": other, "new": new}, "reset": {"old": old, "reader": new},
    }.get(use.kind, {"value": other, "reader": new})
    key = use.kind if use.kind != MULTIPLIES else "multiplies"
    return subject.words(f"forward.gate_{key}", **values)


def candidate(subject: Subject, equation: Equation) -> Iterator[str]:
    """What could be written."""
    yield subject.words("forward.candidate", q=subject.formula(equation.lhs))
    yield from bounds_of_values(subject, equation.rhs)


def bounds_of_values(subject: Subject, rhs: Any) -> Iterator[str]:
    """Say between which values a nonlinearity keeps its output."""
    if not isinstance(rhs, Elementwise):
        return
    name = rhs.function.name
    key = {"tanh": "forward.range_tanh", "relu": "forward.range_relu", "sigmoid": "forward.function_sigmoid"}.get(name, "")
    if name.startswith("phi"):
        key = "forward.function_open"
    if key:
        yield subject.words(key, function=function_of(subject, rhs))


def state_terms(subject: Subject, equation: Equation) -> str:
    """Say of each term of a sum whether it is kept, written or added."""
    texts = []
    own = {equation.quantity, *(state for state in subject.states if equation.quantity in masked(subject.network, state))}
    for term in terms_of(equation.rhs):
        read = [leaf for leaf in leaves(term) if isinstance(leaf, At)]
        old = any(is_old(leaf) and leaf.series in own for leaf in read)
        new = any(subject.roles.get(leaf.series) == "candidate" for leaf in read)
        key = "state_old" if old else "state_new" if new else "state_other"
        texts.append(subject.words(f"forward.{key}", term=subject.formula(term)))
    return "; ".join(texts)


def cell_state(subject: Subject, equation: Equation) -> Iterator[str]:
    """The memory: a sum of what is kept and what is written."""
    q, rhs = subject.formula(equation.lhs), equation.rhs
    plain = not isinstance(rhs, Plus) or any(isinstance(node, Product) for node in rhs.atoms(Node))
    if plain:
        yield subject.words("forward.cell_state_plain", q=q)
    else:
        yield subject.words("forward.cell_state", q=q, terms=state_terms(subject, equation))


def hidden_state(subject: Subject, equation: Equation) -> Iterator[str]:
    """What is handed on."""
    q, rhs = subject.formula(equation.lhs), equation.rhs
    if isinstance(rhs, Plus):
        yield subject.words("forward.hidden_state_sum", q=q, terms=state_terms(subject, equation))
    else:
        yield subject.words("forward.hidden_state", q=q)
        yield from bounds_of_values(subject, rhs)


def output(subject: Subject, equation: Equation) -> Iterator[str]:
    """Probabilities, or plain numbers."""
    q, rhs = subject.formula(equation.lhs), equation.rhs
    if isinstance(rhs, Softmax):
        yield subject.words("forward.output_softmax", q=q)
    elif isinstance(rhs, Elementwise) and rhs.function.name == "sigmoid":
        yield subject.words("forward.output_sigmoid", q=q, function=function_of(subject, rhs))
    else:
        yield subject.words("forward.output_linear", q=q)


def loss(subject: Subject, equation: Equation) -> Iterator[str]:
    """The loss of a step by its form; that of the sequence as a sum."""
    q, rhs = subject.formula(equation.lhs), equation.rhs
    targets = [g.quantity for g in subject.network.givens if g.kind == "target"]
    read = [leaf for leaf in leaves(rhs) if quantity_of(leaf) in targets]
    if equation.span is None and not read:
        yield subject.words("forward.loss_total" if type(rhs).__name__ != "At" else "forward.loss_last", q=q)
    elif rhs.atoms(LogSoftmax) and read:
        yield subject.words("forward.loss_cross_entropy", q=q, target=subject.formula(read[0]))
    elif any(isinstance(node, Elementwise) and node.function.name == "softplus" for node in rhs.atoms(Node)):
        yield subject.words("forward.loss_binary", q=q)
    elif isinstance(rhs, Scaled) and read:
        yield subject.words("forward.loss_squared", q=q)
    else:
        yield subject.words("forward.loss_step", q=q)


def value(subject: Subject, equation: Equation) -> Iterator[str]:
    """A name of its own for a nonlinearity; anything else says what it reads."""
    q = subject.formula(equation.lhs)
    if isinstance(equation.rhs, Elementwise) and isinstance(equation.lhs, At) and equation.lhs.time == t:
        yield subject.words("forward.value", q=q)
    else:
        yield subject.words("forward.other", q=q, values=subject.listed(read_values(subject, equation.rhs)) or q)


def context(subject: Subject, equation: Equation) -> Iterator[str]:
    """The weighted average."""
    weights = [leaf for leaf in leaves(equation.rhs) if subject.roles.get(quantity_of(leaf)) == "weights"]
    yield subject.words("forward.context", q=subject.formula(equation.lhs), weights=subject.listed(weights or [equation.lhs]))


def simple(key: str) -> Callable[[Subject, Equation], Iterator[str]]:
    """Return the rule of a role that one sentence serves."""
    return lambda subject, equation: iter([subject.words(f"forward.{key}", q=subject.formula(written_at(equation)))])



def other(subject: Subject, equation: Equation) -> Iterator[str]:
    """What is read, of a quantity whose role has no sentence."""
    values = subject.listed(read_values(subject, equation.rhs))
    yield subject.words("forward.other", q=subject.formula(equation.lhs), values=values) if values else \
        subject.words("forward.equation", q=subject.formula(equation.lhs))


BY_ROLE: dict[str, Callable[[Subject, Equation], Iterator[str]]] = {
    "pre-activation": pre_activation, "candidate": candidate, "cell state": cell_state, "hidden state": hidden_state,
    "output": output, "loss": loss, "value": value, "context": context, "embedding": simple("embedding"), "scores": simple("scores"),
    "weights": simple("weights"), "states": simple("states"), "input": simple("input"), "initial state": simple("initial"),
    "initial": simple("initial"),
}
"""What is said, by role."""

__all__ = ["function_of", "sentences"]
