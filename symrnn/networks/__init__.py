"""Networks: scans over time wired together, with readout and loss."""

from symrnn.networks.graph import Block, Given, Network, Part, Relation, Scan
from symrnn.networks.naming import name_operands
from symrnn.networks.ordering import ordered
from symrnn.networks.readout import LOSSES, READOUTS
from symrnn.networks.tasks import TASKS, network

__all__ = [
    "LOSSES",
    "READOUTS",
    "TASKS",
    "Block",
    "Given",
    "Network",
    "Part",
    "Relation",
    "Scan",
    "name_operands",
    "network",
    "ordered",
]
