"""The closed set of nodes that every formula is made of; all are SymPy matrix expressions."""

from symrnn.expr.algebra import Hadamard, Plus, Product, Scaled, Transposed, split_scalar
from symrnn.expr.maps import Diag, Elementwise, Identity, LogSoftmax, OneHot, Softmax, Total
from symrnn.expr.node import Node, Ones, Zeros, dim, same
from symrnn.expr.quantities import At, Leaf, Series, Static, t
from symrnn.expr.sequences import Column, Columns, Gather, Rows, Stacked, TimeSum, bound_index, time_sum
from symrnn.expr.stopping import Divides, StopGradient, complement, is_condition, weighted, without_stops

__all__ = [
    "At",
    "Column",
    "Columns",
    "Diag",
    "Divides",
    "Elementwise",
    "Gather",
    "Hadamard",
    "Identity",
    "Leaf",
    "LogSoftmax",
    "Node",
    "OneHot",
    "Ones",
    "Plus",
    "Product",
    "Rows",
    "Scaled",
    "Series",
    "Softmax",
    "Stacked",
    "Static",
    "StopGradient",
    "TimeSum",
    "Total",
    "Transposed",
    "Zeros",
    "bound_index",
    "complement",
    "dim",
    "is_condition",
    "same",
    "split_scalar",
    "t",
    "time_sum",
    "weighted",
    "without_stops",
]
