"""Mistakes in gradients that were written by hand, by name: wrong derivations of a known cell that give the same numbers."""

from symrnn.diagnosis.explaining import explain

__all__ = ["explain"]
