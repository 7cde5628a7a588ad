"""What three gradient checkers say of a backward pass that keeps only the last K of T = 20 terms. Run by hand.

The program is a tanh RNN, ``h_t = tanh(U x_t + W h_{t-1} + b)``, with 8 units, 3 inputs and 20 steps; its output is the last
state. Its backward walks back K steps and stops: with K = 20 it is right. PyTorch's ``gradcheck`` and HIPS autograd's
``check_grads`` (first order, reverse mode) run at their default tolerances, where ``W`` is a random matrix times a number that
makes its spectral radius, the largest modulus of its eigenvalues, 0.1, 0.5 or 0.9. ``verify_gradient`` gets the same
arguments, of which it takes the shapes: it draws its own points. In the last column it is made to look at the same point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from symrnn.verify import Report, verify_gradient
from symrnn.verify.handwritten.inputs import drawn, inputs_of_examples
from symrnn.verify.handwritten.judging import Plan, point_seed

try:
    import torch
except ImportError:
    torch = None
try:
    import autograd
    from autograd.test_util import check_grads
except ImportError:
    autograd = None

UNITS, INPUTS, STEPS = 8, 3, 20
RADII = (0.1, 0.5, 0.9)
KEPT = (1, 2, 4, 8, 12, 16, 19)
NAMES = ("x", "h0", "U", "W", "b")


@dataclass(frozen=True)
class Point:
    """Where gradients are checked.

    Attributes:
        arguments: ``x``, ``h0``, ``U``, ``W`` and ``b``, in this order, in float64.
        factor: What the drawn ``W`` was multiplied by.
    """

    arguments: tuple[Any, ...]
    factor: float


def point(radius: float) -> Point:
    """Return the first point that ``verify_gradient`` draws (entries from 1/4 to 3/4, either sign), with ``W`` scaled to a spectral radius.

    Args:
        radius: The largest modulus of the eigenvalues of ``W``.
    """
    shapes = ((STEPS, INPUTS), (UNITS,), (UNITS, INPUTS), (UNITS, UNITS), (UNITS,))
    inputs = inputs_of_examples({name: np.zeros(shape) for name, shape in zip(NAMES, shapes, strict=True)})
    found = {slot.name: drawn(slot, inputs.sizes, point_seed(Plan(), 0)).astype(float) for slot in inputs.slots}
    factor = radius / float(np.abs(np.linalg.eigvals(found["W"])).max())
    return Point(tuple((found | {"W": factor * found["W"]}).values()), factor)


def forward(x: Any, h0: Any, U: Any, W: Any, b: Any) -> tuple[Any, Any]:
    """Run the RNN; return the last state, and what the backward needs."""
    states = [h0]
    for x_t in x:
        states.append(np.tanh(U @ x_t + W @ states[-1] + b))
    return states[-1], (x, states, U, W)


def backward(dh: Any, cache: Any, kept: int) -> tuple[Any, ...]:
    """Walk back; stop after so many steps."""
    x, states, U, W = cache
    dx, dU, dW, db = np.zeros_like(x), np.zeros_like(U), np.zeros_like(W), np.zeros_like(dh)
    for t in reversed(range(len(x) - kept, len(x))):
        da = dh * (1 - states[t + 1] ** 2)
        dx[t] = U.T @ da
        dU += np.outer(da, x[t])
        dW += np.outer(da, states[t])
        db += da
        dh = W.T @ da
    dh0 = dh if kept == len(x) else np.zeros_like(dh)
    return dx, dh0, dU, dW, db


def relative_error(place: Point, kept: int) -> float:
    """Return ``‖what is missing in ∂L/∂W‖ / ‖∂L/∂W‖`` for ``L`` the sum of the last state's entries, without cancellation."""
    h, cache = forward(*place.arguments)
    x, states, U, W = cache
    whole = backward(np.ones_like(h), cache, STEPS)[3]
    dh = np.ones_like(h)
    for t in reversed(range(STEPS - kept, STEPS)):
        dh = W.T @ (dh * (1 - states[t + 1] ** 2))
    early = STEPS - kept
    missing = backward(dh, (x[:early], states[: early + 1], U, W), early)[3]
    return float(np.linalg.norm(missing) / np.linalg.norm(whole))


def ours(place: Point, kept: int) -> Report:
    """Return the report of ``verify_gradient``, called as one calls it: it takes the shapes and draws its own points."""
    def cut(dh: Any, cache: Any) -> tuple[Any, ...]:
        dx, dh0, dU, dW, db = backward(dh, cache, kept)
        return dx, dh0, dU, dW, db

    return verify_gradient(forward, cut, place.arguments)


def ours_there(place: Point, kept: int) -> Report:
    """Return the report of ``verify_gradient`` where the others look: on the same functions behind ``W = factor * V``."""
    def run(x: Any, h0: Any, U: Any, V: Any, b: Any) -> tuple[Any, Any]:
        return forward(x, h0, U, place.factor * V, b)

    def cut(dh: Any, cache: Any) -> tuple[Any, ...]:
        dx, dh0, dU, dW, db = backward(dh, cache, kept)
        dV = place.factor * dW
        return dx, dh0, dU, dV, db

    return verify_gradient(run, cut, place.arguments)


def gradcheck_passes(place: Point, kept: int) -> bool:
    """Tell whether PyTorch's ``gradcheck`` passes the backward at its defaults."""
    class Cut(torch.autograd.Function):
        """The RNN with its cut backward."""

        @staticmethod
        def forward(context: Any, *arguments: Any) -> Any:
            """Run the RNN."""
            h, context.cache = forward(*(argument.numpy() for argument in arguments))
            return torch.from_numpy(h)

        @staticmethod
        def backward(context: Any, *upstream: Any) -> Any:
            """Walk back."""
            return tuple(map(torch.from_numpy, backward(upstream[0].numpy(), context.cache, kept)))

    tensors = tuple(torch.tensor(argument, requires_grad=True) for argument in place.arguments)
    return bool(torch.autograd.gradcheck(Cut.apply, tensors, raise_exception=False))


def check_grads_passes(place: Point, kept: int, seed: int = 0) -> bool:
    """Tell whether HIPS autograd's ``check_grads`` passes the backward, along one random direction."""
    def gradient(index: int) -> Callable[..., Any]:
        return lambda result, *arguments: lambda upstream: backward(upstream, forward(*arguments)[1], kept)[index]

    cut = autograd.extend.primitive(lambda *arguments: forward(*arguments)[0])
    autograd.extend.defvjp(cut, *map(gradient, range(len(NAMES))))
    np.random.seed(seed)  # noqa: NPY002  # check_grads draws from the old generator
    try:
        check_grads(cut, tuple(range(len(NAMES))), modes=["rev"], order=1)(*place.arguments)
    except AssertionError:
        return False
    return True


def said(passes: bool) -> str:
    """Write what a checker says."""
    return "passes" if passes else "refuses"


def rows() -> Iterator[tuple[Any, ...]]:
    """Measure, row by row."""
    for radius in RADII:
        place = point(radius)
        for kept in (*KEPT, STEPS):
            there = next(verdict for verdict in ours_there(place, kept).verdicts if verdict.name == "dV")
            error = f"{relative_error(place, kept):.0e}" if kept < STEPS else "0: right"
            yield (radius, kept, error, said(gradcheck_passes(place, kept)), said(check_grads_passes(place, kept)),
                   said(ours(place, kept).ok), there.title)


def main() -> None:
    """Print the table, as Markdown."""
    if torch is None or autograd is None:
        raise SystemExit("this needs PyTorch and autograd: pip install torch autograd")
    print("| spectral radius of W | K of 20 | relative error | gradcheck | check_grads | symrnn | symrnn on ∂L/∂W, at the same point |")
    print("|---|---|---|---|---|---|---|")
    for row in rows():
        print(f"| {' | '.join(map(str, row))} |", flush=True)


if __name__ == "__main__":
    main()
