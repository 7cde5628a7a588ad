"""PyTorch, where it is installed, and its forms of the functions that formulas use.

PyTorch is not a dependency: it is loaded by name when it is first used. The forms are written independently of the
activation table, hold for real and complex tensors, and can be differentiated twice.
"""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from symrnn.activations import is_unspecified
from symrnn.errors import NotSupportedError

Tensor = Any


def has_torch() -> bool:
    """Tell whether PyTorch is installed."""
    return importlib.util.find_spec("torch") is not None


@cache
def torch() -> Any:
    """Load PyTorch.

    Raises:
        NotSupportedError: It is not installed.
    """
    if not has_torch():
        raise NotSupportedError("PyTorch is not installed; install torch to compare with its autograd")
    return importlib.import_module("torch")


def shifted_exp(a: Tensor) -> tuple[Tensor, Tensor]:
    """Return the largest real part of each column, and ``exp`` of what is above it."""
    top = a.real.amax(-2, keepdim=True).detach()
    return top, (a - top).exp()


def log_softmax(a: Tensor) -> Tensor:
    """``a_i - log Σ_k exp(a_k)``."""
    top, e = shifted_exp(a)
    return a - top - e.sum(-2, keepdim=True).log()


def softmax(a: Tensor, mask: Tensor | None = None) -> Tensor:
    """``exp(a_i) / Σ_k exp(a_k)``; with a mask, over the rows that count."""
    if mask is None:
        e = shifted_exp(a)[1]
    else:
        top = torch().where(mask != 0, a.real, -math.inf).amax(-2, keepdim=True).detach()
        e = mask * torch().where(mask != 0, a - top, 0 * a).exp()
    return e / e.sum(-2, keepdim=True)


def softplus(z: Tensor) -> Tensor:
    """``log(1 + exp(z))``."""
    top = z.real.clamp(min=0).detach()
    return top + ((-top).exp() + (z - top).exp()).log()


def where_positive(z: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """``yes`` where ``z > 0``, else ``no``."""
    return torch().where(z.real > 0, yes, no)


FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType({
    "tanh": lambda z: z.tanh(),
    "sigmoid": lambda z: z.sigmoid(),
    "relu": lambda z: where_positive(z, z, 0 * z),
    "leaky_relu": lambda z: where_positive(z, z, z / 100),
    "softplus": softplus,
    "elu": lambda z: where_positive(z, z, where_positive(z, 0 * z, z).exp() - 1),
    "step": lambda z: (z.real > 0).to(z.dtype),
    "sin": lambda z: z.sin(),
    "cos": lambda z: z.cos(),
    "exp": lambda z: z.exp(),
    "log": lambda z: z.log(),
    "reciprocal": lambda z: z.reciprocal(),
    "rsqrt": lambda z: z.rsqrt(),
})


def elementwise(name: str, z: Tensor) -> Tensor:
    """Apply one function; for an unspecified ``φ`` and its derivatives the witness is the sine.

    Raises:
        NotSupportedError: There is no PyTorch form.
    """
    if is_unspecified(name):
        return (z + name.count("'") * math.pi / 2).sin()
    if name not in FUNCTIONS:
        raise NotSupportedError(f"there is no PyTorch form of {name}; add it to FUNCTIONS in symrnn/verify/numeric/torch_functions.py")
    return FUNCTIONS[name](z)
