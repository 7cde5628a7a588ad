"""Networks: scans over time wired together, with readout and loss."""

from symrnn.network.graph import Block, Given, Network, Relation, Scan
from symrnn.network.naming import name_operands
from symrnn.network.ordering import ordered
from symrnn.network.readout import LOSSES, READOUTS
from symrnn.network.tasks import TASKS, network

__all__ = [
    "LOSSES",
    "READOUTS",
    "TASKS",
    "Block",
    "Given",
    "Network",
    "Relation",
    "Scan",
    "name_operands",
    "network",
    "ordered",
]
