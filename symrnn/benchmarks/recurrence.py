"""What a cell is for a library that differentiates: what is done before the loop over time, and one step of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Arrays = dict[str, Any]
State = tuple[Any, ...]


class Library(NamedTuple):
    """What a library calls them."""

    np: Any
    """Where the names of NumPy are."""
    sigmoid: Callable[[Any], Any]
    split: Callable[[Any, int], Any]
    """Cut an array (B, n H) into n arrays (B, H)."""


class Recurrence(NamedTuple):
    """A cell.

    Attributes:
        weights: What gradients are taken in; the readout is ``W_out`` (K, H), ``b_out`` (K,).
        states: The length of each state.
        before: From the weights and x (N, D), a row for each time and sequence: what each step reads of its own time, as rows,
            and what all steps read.
        step: From what all steps read, the state, and what this step reads: the new state, and the output (B, H).
        read: From gradients in the weights to those by the names of symrnn.
    """

    weights: Arrays
    states: tuple[int, ...]
    before: Callable[[Mapping[str, Any], Any], tuple[State, State]]
    step: Callable[[State, State, State], tuple[State, Any]]
    read: Callable[[Mapping[str, Any]], Arrays]
