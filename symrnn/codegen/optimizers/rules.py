"""Rules by which an optimizer changes parameters: formulas, entry by entry, that hold for every parameter.

Letters: ``p`` the parameters, ``g`` their gradients, ``eta`` the rate, ``k`` the number of the step, counted from 1.

Sources: B. T. Polyak, Some methods of speeding up the convergence of iteration methods, 1964 (momentum; here in the form of
PyTorch, where the rate multiplies the whole velocity); D. P. Kingma and J. Ba, Adam: a method for stochastic optimization,
ICLR 2015, algorithm 1; I. Loshchilov and F. Hutter, Decoupled weight decay regularization, ICLR 2019, algorithm 2.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sympy import Expr, Symbol, sqrt, symbols, sympify

from symrnn.errors import SpecError, unknown

ROLES = frozenset({"p", "g", "eta", "k"})
TAKEN = re.compile(
    r"[sw]\d+|rate|scale|norm|limit|self|np|piece|first|params|steps?|flat|collected|collect|scratch|state|gradients|arrays?|shapes|name|"
    r"wrong|parts|(load_)?state_dict|views_of|norm_of|loss|loss_\w+|clipped|training_step|take|keep|_kept|PARAMS|PARAMETERS|TRAINED|"
    r"Loss\w*|Window|States|product|plus|flattened|probabilities|softmax|log_softmax|sigmoid|file"
)
"""Names that the generated code has for something else, beside those of Python itself."""


@dataclass(frozen=True)
class UpdateRule:
    """How one step of an optimizer changes the parameters, as equations of SymPy symbols, entry by entry.

    The equations are done one after the other. What an equation reads before it has been written is a state, kept from step to
    step, and zero before the first; what is written before it is read is a name for a formula. SymPy symbols are told apart by
    their names: ``p`` are the parameters, ``g`` the gradients, after clipping, ``eta`` is the rate, ``k`` the number of the step,
    from 1 on.

    Attributes:
        name: Name of the generated class, such as ``Adam``.
        equations: Pairs of a symbol and its formula, in order; one is for ``p``.
        constants: What the class takes as keywords, by name, with what they are by default; numbers from 0 on.
        below_one: Those of the constants that must be less than 1.
        letters: How constants are printed; by default ``beta1`` as ``β₁``.
        source: Where the rule comes from.

    Raises:
        SpecError: A name that is no identifier or that is taken, a symbol that nobody defines, two equations for one symbol, none
            for ``p``, or a formula that is used after what it reads has changed.
    """

    name: str
    equations: tuple[tuple[Symbol, Expr], ...]
    constants: Mapping[str, float] = field(default_factory=dict, hash=False)
    below_one: frozenset[str] = frozenset()
    letters: Mapping[str, str] = field(default_factory=dict, hash=False)
    source: str = ""

    def __post_init__(self) -> None:
        """Freeze what is given, and check it."""
        one: dict[str, Symbol] = {}
        object.__setattr__(self, "equations", tuple((with_one(lhs, one), with_one(rhs, one)) for lhs, rhs in self.equations))
        object.__setattr__(self, "constants", MappingProxyType({name: float(value) for name, value in self.constants.items()}))
        object.__setattr__(self, "below_one", frozenset(self.below_one))
        object.__setattr__(self, "letters", MappingProxyType({**self.letters}))
        check_identifiers(self)
        check_symbols(self)
        check_order(self)

    @property
    def states(self) -> tuple[str, ...]:
        """Names of what is kept from step to step."""
        found, written = [], {"p"}
        for number, (lhs, _) in enumerate(self.equations):
            if lhs.name not in written and lhs.name in names_of(rhs for _, rhs in self.equations[:number + 1]):
                found.append(lhs.name)
            written.add(lhs.name)
        return tuple(found)

    @property
    def arrays(self) -> tuple[str, ...]:
        """Names of what has as many entries as the parameters: these, states, gradients, and formulas of them."""
        found = ["p", *self.states, "g"]
        for lhs, rhs in self.equations:
            if lhs.name not in found and names_of([rhs]) & {*found}:
                found.insert(-1, lhs.name)
        return tuple(found)

    @property
    def kept(self) -> frozenset[str]:
        """Names of the arrays that an equation changes: the parameters and the states."""
        return frozenset({"p", *self.states})


def with_one(formula: Expr, one: dict[str, Symbol]) -> Expr:
    """Let symbols be told apart by their names alone: all of one name become the first of them."""
    found = sympify(formula)
    return found.xreplace({symbol: one.setdefault(symbol.name, symbol) for symbol in sorted(found.atoms(Symbol), key=str)})


def names_of(formulas: Iterable[Expr]) -> set[str]:
    """Return the names of the symbols in formulas."""
    return {symbol.name for formula in formulas for symbol in formula.free_symbols}


def check_identifiers(rule: UpdateRule) -> None:
    """Refuse names that cannot stand in code, or that stand for something else there."""
    targets = [lhs.name for lhs, _ in rule.equations if lhs.name != "p"]
    for name in (rule.name, *targets, *rule.constants):
        if not name.isidentifier() or keyword.iskeyword(name):
            raise SpecError(f"rule '{rule.name}': {name!r} is no name in Python; choose another")
        if TAKEN.fullmatch(name) or hasattr(builtins, name) or (name != rule.name and name in ROLES):
            raise SpecError(f"rule '{rule.name}': the generated code uses the name {name}; choose another")
    if strange := [*({*rule.below_one, *rule.letters} - {*rule.constants})]:
        raise unknown("constant", min(strange), rule.constants)


def check_symbols(rule: UpdateRule) -> None:
    """Refuse what nobody defines, and what is defined twice."""
    targets = [lhs.name for lhs, _ in rule.equations]
    for name in targets:
        if targets.count(name) > 1 or name in rule.constants:
            raise SpecError(f"rule '{rule.name}': {name} is defined twice; keep one of them")
    if "p" not in targets:
        raise SpecError(f"rule '{rule.name}' has no equation for p, the parameters; add one")
    known = {*targets, *rule.constants, *ROLES}
    for name in sorted(names_of(rhs for _, rhs in rule.equations)):
        if name not in known:
            raise unknown(f"symbol of the rule '{rule.name}'", name, known)


def check_order(rule: UpdateRule) -> None:
    """Refuse a formula that is used after something that it reads has changed."""
    reads: dict[str, set[str]] = {}
    for number, (lhs, rhs) in enumerate(rule.equations):
        if lhs.name not in rule.kept:
            reads[lhs.name] = names_of([rhs]).union(*(reads.get(name, set()) for name in names_of([rhs])))
            continue
        later = names_of(formula for _, formula in rule.equations[number + 1:])
        for name, read in reads.items():
            if lhs.name in read and name in later:
                raise SpecError(f"rule '{rule.name}': {name} is used after {lhs.name}, which it reads, has changed; write {name} after it")


p, g, m, m_hat = symbols("p g m m_hat", real=True)
v, v_hat, eta, epsilon, momentum, weight_decay = symbols("v v_hat eta epsilon momentum weight_decay", nonnegative=True)
beta1, beta2, k, c1, c2 = symbols("beta1 beta2 k c1 c2", positive=True)
velocity = Symbol("v", real=True)

MOMENTS = (
    (m, beta1 * m + (1 - beta1) * g),
    (v, beta2 * v + (1 - beta2) * g**2),
    (c1, 1 - beta1**k),
    (c2, 1 - beta2**k),
    (m_hat, m / c1),
    (v_hat, v / c2),
)
BETAS = MappingProxyType({"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8})

OPTIMIZERS: Mapping[str, UpdateRule] = MappingProxyType({
    "sgd": UpdateRule(
        "SGD", ((velocity, momentum * velocity + g), (p, p - eta * velocity)), {"momentum": 0.9}, frozenset({"momentum"}),
        {"momentum": "μ"}, "gradient descent with the momentum of Polyak (1964), in the form of PyTorch",
    ),
    "adam": UpdateRule(
        "Adam", (*MOMENTS, (p, p - eta * m_hat / (sqrt(v_hat) + epsilon))), BETAS, frozenset({"beta1", "beta2"}),
        source="Kingma and Ba (2015), algorithm 1",
    ),
    "adamw": UpdateRule(
        "AdamW", (*MOMENTS, (p, (1 - eta * weight_decay) * p - eta * m_hat / (sqrt(v_hat) + epsilon))),
        {**BETAS, "weight_decay": 0.01}, frozenset({"beta1", "beta2"}), {"weight_decay": "λ"},
        "Loshchilov and Hutter (2019), algorithm 2, in the form of PyTorch: the rate multiplies the decay",
    ),
})
"""Rule by name."""


def rule_of(optimizer: str | UpdateRule) -> UpdateRule:
    """Return a rule by name, or the one that is given.

    Raises:
        SpecError: Unknown name.
    """
    if isinstance(optimizer, UpdateRule):
        return optimizer
    if optimizer not in OPTIMIZERS:
        raise unknown("optimizer", optimizer, OPTIMIZERS)
    return OPTIMIZERS[optimizer]
