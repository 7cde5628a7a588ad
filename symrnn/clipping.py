"""Clipping of gradients: what is done to them after they are computed. It is no part of any derivative.

Source: R. Pascanu, T. Mikolov and Y. Bengio, On the difficulty of training recurrent neural networks, ICML 2013,
algorithm 1 (by the norm); T. Mikolov, Statistical language models based on neural networks, thesis, Brno 2012 (by value).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sympy import Expr, sympify
from sympy.core.sympify import SympifyError

from symrnn.errors import SpecError, unknown

WAYS: Mapping[str, str] = MappingProxyType({
    "norm": "all gradients of parameters together are scaled down to a norm of at most the limit",
    "value": "each entry is cut off at the limit",
})


@dataclass(frozen=True)
class Clipping:
    """A named step after the backward pass: the gradients of the parameters are clipped.

    By ``norm``: ``g ← g · min(1, c / ‖g‖)``, with the norm over the gradients of all parameters together. By ``value``: each
    entry becomes ``min(c, max(-c, g_ij))``. Judges judge the gradient before it is clipped.

    Attributes:
        limit: The threshold ``c``, a positive number.
        by: A key of ``WAYS``: ``norm`` or ``value``.

    Raises:
        SpecError: A limit that is no positive number, or another way.
    """

    limit: Expr
    by: str = "norm"

    def __post_init__(self) -> None:
        """Accept plain numbers."""
        if self.by not in WAYS:
            raise unknown("way to clip", self.by, WAYS)
        object.__setattr__(self, "limit", positive(self.limit))


def positive(limit: Any) -> Expr:
    """Return a limit as a number, or refuse it."""
    try:
        number = None if isinstance(limit, bool | str) else sympify(limit)
    except (SympifyError, TypeError):
        number = None
    if not (isinstance(number, Expr) and number.is_number and number.is_finite and number.is_positive):
        raise SpecError(f"the limit of a clipping must be a positive number; got {limit!r}")
    return number


def as_clipping(clip: Any) -> Clipping | None:
    """Return what ``derive(…, clip=…)`` was given as a clipping: a number means by the norm."""
    return clip if clip is None or isinstance(clip, Clipping) else Clipping(clip)
