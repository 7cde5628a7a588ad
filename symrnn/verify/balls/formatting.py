"""Whether a number is asked for only to be shown, as in ``"loss %f" % loss``."""

from __future__ import annotations

import dis
from types import FrameType

REMAINDERS = (6, 19)
"""Arguments of the instruction ``BINARY_OP`` that stand for ``%`` and ``%=``."""


def is_formatting(frame: FrameType) -> bool:
    """Tell whether code that asks for a float stands at ``%``: of two numbers that would have asked for a remainder."""
    code, at = frame.f_code.co_code, frame.f_lasti
    return dis.opname[code[at]] == "BINARY_OP" and code[at + 1] in REMAINDERS
