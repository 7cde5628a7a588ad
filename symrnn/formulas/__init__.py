"""Formulas that somebody printed: read back in any notation, and compared with the derived ones."""

from symrnn.formulas.comparing import compare_formula
from symrnn.formulas.reading import read_formula
from symrnn.formulas.report import FormulaReport
from symrnn.formulas.surface import FormulaError

__all__ = ["FormulaError", "FormulaReport", "compare_formula", "read_formula"]
