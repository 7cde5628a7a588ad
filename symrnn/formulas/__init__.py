"""Formulas that somebody printed: read back in any notation, and compared with the derived ones."""

from symrnn.formulas.reading import read_formula
from symrnn.formulas.surface import FormulaError

__all__ = ["FormulaError", "read_formula"]
