"""Parameters by a rule of initialisation.

Rules, for a recurrent matrix of n columns and a matrix of an input of m columns; biases are 0 unless said, and columns that
multiply, such as the gains of layer normalisation, are 1:
    gaussian: N(0, 1/n); inputs N(0, 1/m).
    xavier: uniform within ± sqrt(6 / (rows + columns)) (Glorot & Bengio 2010).
    orthogonal: a random orthogonal matrix (Saxe, McClelland & Ganguli 2014); inputs as xavier.
    identity: the identity matrix; inputs N(0, 1/m) (IRNN: Le, Jaitly & Hinton 2015, whose inputs have standard deviation
        0.001: ``gain=0.001 * sqrt(m)``).
    pytorch: everything, biases included, uniform within ± 1/sqrt(H), as ``torch.nn.RNN`` and its like.

What is recurrent is what the Jacobian of a step multiplies by: read off its terms, for any cell. Of a matrix over ``[h; x]`` the
recurrent columns are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from symrnn.errors import DataError, SpecError, unknown
from symrnn.expr import At, Hadamard, Rows, Static, Transposed, t
from symrnn.flow.factors import GATE, WEIGHTS
from symrnn.flow.steps import Chain
from symrnn.traverse import leaves
from symrnn.verify.points import size_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[Any]
    Rng = np.random.Generator


def gaussian(rows: int, columns: int, rng: Rng, recurrent: bool) -> Array:
    """N(0, 1/columns)."""
    return rng.standard_normal((rows, columns)) / math.sqrt(columns)


def xavier(rows: int, columns: int, rng: Rng, recurrent: bool) -> Array:
    """Uniform within ± sqrt(6 / (rows + columns))."""
    return rng.uniform(-1, 1, (rows, columns)) * math.sqrt(6 / (rows + columns))


def orthogonal(rows: int, columns: int, rng: Rng, recurrent: bool) -> Array:
    """A random orthogonal matrix where recurrent, else xavier."""
    if not recurrent:
        return xavier(rows, columns, rng, recurrent)
    q, r = np.linalg.qr(rng.standard_normal((max(rows, columns),) * 2))
    return (q * np.sign(np.diagonal(r)))[:rows, :columns]


def identity(rows: int, columns: int, rng: Rng, recurrent: bool) -> Array:
    """The identity where recurrent, else gaussian."""
    return np.eye(rows, columns) if recurrent else gaussian(rows, columns, rng, recurrent)


def pytorch(rows: int, columns: int, rng: Rng, recurrent: bool) -> Array:
    """Uniform within ± 1/sqrt(rows), which is the size of the state."""
    return rng.uniform(-1, 1, (rows, columns)) / math.sqrt(rows)


INITS: Mapping[str, Callable[[int, int, Rng, bool], Array]] = MappingProxyType(
    {"gaussian": gaussian, "xavier": xavier, "orthogonal": orthogonal, "identity": identity, "pytorch": pytorch}
)


def random_params(
    chain: Chain,
    sizes: Mapping[str, int],
    rng: np.random.Generator,
    *,
    init: str = "gaussian",
    radius: float | None = None,
    gain: float | None = None,
    forget_bias: float | None = None,
) -> dict[str, Array]:
    """Draw the parameters of a network.

    Args:
        chain: The steps of the network.
        sizes: A number for each size letter.
        rng: Source of randomness.
        init: A key of ``INITS``.
        radius: Each recurrent matrix is scaled to this spectral radius; a recurrent vector to this largest entry.
        gain: The matrices that are not recurrent, those of the inputs first of all, are multiplied by this.
        forget_bias: The bias of the gate of the direct path; where the gate is ``1 - z``, its negative is set.

    Raises:
        SpecError: An unknown rule, or a bias that the cell does not have.
        DataError: A radius that is negative, or a number that is not finite.
    """
    if init not in INITS:
        raise unknown("initialisation", init, INITS)
    check_number("radius", radius, least=0.0)
    check_number("gain", gain, least=0.0)
    check_number("forget_bias", forget_bias)
    blocks = recurrent_blocks(chain)
    gains = {arg for e in chain.network.equations for node in e.rhs.atoms(Hadamard) for arg in node.args if isinstance(arg, Static)}
    params: dict[str, Array] = {}
    for static in chain.network.parameters:
        rows, columns = (size_in(size, sizes) for size in static.shape)
        column = bool(static.shape[1] == 1)
        if column and static not in blocks:
            bias = pytorch(rows, 1, rng, False)[:, 0] if init == "pytorch" else np.zeros(rows)
            params[static.name] = np.ones(rows) if static in gains else bias
            continue
        matrix = INITS[init](rows, columns, rng, False) * (1.0 if gain is None else gain)
        for block in blocks.get(static, ()):
            place = places(block, static, sizes)
            matrix.reshape(-1)[place.reshape(-1)] = scaled(recurrent(place.shape, init, rng), radius).reshape(-1)
        params[static.name] = matrix[:, 0] if column else matrix
    if forget_bias is not None:
        set_forget_bias(chain, params, forget_bias)
    return params


def recurrent(shape: tuple[int, ...], init: str, rng: Rng) -> Array:
    """Draw a recurrent matrix, or the column of a diagonal one: ones by the rules that preserve norms, else uniform in ±1."""
    if shape[1] > 1 or shape[0] == 1:
        return INITS[init](shape[0], shape[1], rng, True)
    return np.ones(shape) if init in {"identity", "orthogonal"} else rng.uniform(-1, 1, shape)


def check_number(name: str, value: float | None, *, least: float = -math.inf) -> None:
    """Refuse what is no such number.

    Raises:
        DataError: NaN, infinity, or less than ``least``.
    """
    if value is not None and not (math.isfinite(value) and value >= least):
        raise DataError(f"{name} is a finite number{' from 0 on' if least == 0 else ''}; got {value}")


def recurrent_blocks(chain: Chain) -> dict[Any, list[Any]]:
    """Return the formulas by which the terms of the Jacobian read each parameter, by parameter."""
    found: dict[Any, list[Any]] = {}
    for factor in (factor for term in chain.terms for factor in term.factors if factor.kind == WEIGHTS):
        read = [leaf for leaf in leaves(factor.node) if isinstance(leaf, Static)]
        if len(set(read)) == 1 and factor.node not in found.setdefault(read[0], []):
            found[read[0]].append(factor.node)
    return found


def places(node: Any, static: Any, sizes: Mapping[str, int]) -> Array:
    """Return which entries of a parameter a formula of its rows and columns consists of."""
    if isinstance(node, Transposed):
        return places(node.args[0], static, sizes).T
    if isinstance(node, Rows):
        whole, first, last = node.args
        return places(whole, static, sizes)[size_in(first, sizes) : size_in(last, sizes)]
    if node == static:
        rows, columns = (size_in(size, sizes) for size in static.shape)
        return np.arange(rows * columns).reshape(rows, columns)
    return np.zeros((0, 0), dtype=int)


def scaled(matrix: Array, radius: float | None) -> Array:
    """Scale a matrix to a spectral radius, a column to a largest entry."""
    if radius is None or not matrix.size:
        return matrix
    square = matrix.shape[0] == matrix.shape[1]
    now = np.abs(np.linalg.eigvals(matrix)).max() if square else np.abs(matrix).max()
    return matrix * (radius / now) if now > 0 else matrix


def set_forget_bias(chain: Chain, params: dict[str, Array], bias: float) -> None:
    """Set the bias of the gate of the direct path.

    Raises:
        SpecError: There is no such gate, or it has no bias.
    """
    found = forget_biases(chain)
    if not found:
        raise SpecError(f"forget_bias: the network '{chain.network.name}' has no gate with a bias on its direct path; leave it out")
    for name, sign in found.items():
        params[name] = np.full_like(params[name], sign * bias)


def forget_biases(chain: Chain) -> dict[str, float]:
    """Return the names of the biases of the gates of the direct paths, each with the sign by which it opens its gate."""
    equations = {e.quantity: e for e in chain.network.equations}
    found: dict[str, float] = {}
    for factor in (factor for term in chain.terms if term.new == term.old and term.name.startswith("direct") for factor in term.factors):
        if factor.kind == GATE:
            gate = next(leaf for leaf in leaves(factor.node) if isinstance(leaf, At))
            name = bias_of(gate.series, equations)
            if name is not None:
                found[name] = 1.0 if factor.node == gate else -1.0
    return found


def refuse_given(chain: Chain, given: Iterable[str], *, radius: float | None, gain: float | None, forget_bias: float | None) -> None:
    """Refuse a rule for parameters that are given, which it would leave as they are.

    Raises:
        SpecError: The first such rule.
    """
    blocks = recurrent_blocks(chain)
    ruled = {
        "radius": (radius, [static.name for static in blocks]),
        "gain": (gain, [static.name for static in chain.network.parameters if static.shape[1] != 1 and set(blocks.get(static, ())) != {static}]),
        "forget_bias": (forget_bias, list(forget_biases(chain))),
    }
    for rule, (number, names) in ruled.items():
        both = [name for name in names if name in set(given)]
        if number is not None and both:
            raise SpecError(f"{rule} is a rule for drawing {', '.join(both)}, and given parameters are taken as they are; leave out one of them")


def bias_of(gate: Any, equations: Mapping[Any, Any]) -> str | None:
    """Return the first column of parameters that is added to what a gate is a function of."""
    waiting = [gate]
    while waiting:
        equation = equations.get(waiting.pop(0))
        if equation is None:
            continue
        for term in getattr(equation.rhs, "args", ()):
            if isinstance(term, Static) and term.shape[1] == 1 and type(equation.rhs).__name__ == "Plus":
                return str(term.name)
        waiting += [leaf.series for leaf in leaves(equation.rhs)
                    if isinstance(leaf, At) and leaf.time == t and equations.get(leaf.series) is not None
                    and equations[leaf.series].role in {"pre-activation", "value"}]
    return None
