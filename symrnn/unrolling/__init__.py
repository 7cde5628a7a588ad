"""Unrolling: states put into themselves, the backward pass time by time, gradients as sums over paths, a drawing."""

from symrnn.unrolling.formats import unrolled_as
from symrnn.unrolling.unrolled import FORMATS, SUBSTITUTIONS, Unrolled, unroll

__all__ = ["FORMATS", "SUBSTITUTIONS", "Unrolled", "unroll", "unrolled_as"]
