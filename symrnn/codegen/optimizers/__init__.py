"""Optimizers: formulas of a step, and the code that makes it in place."""

from symrnn.codegen.optimizers.rules import OPTIMIZERS, UpdateRule, rule_of
from symrnn.codegen.optimizers.writing import optimizer_source

__all__ = ["OPTIMIZERS", "UpdateRule", "optimizer_source", "rule_of"]
