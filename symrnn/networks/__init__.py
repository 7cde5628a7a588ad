"""Networks: scans over time wired together, with readout and loss."""

from symrnn.networks.architectures import NETWORKS, Architecture, architecture, network
from symrnn.networks.graph import Block, Given, Network, Part, Relation, Scan
from symrnn.networks.naming import name_operands
from symrnn.networks.ordering import ordered
from symrnn.networks.plan import TASKS, Plan
from symrnn.networks.readout import LOSSES, READOUTS

__all__ = [
    "LOSSES",
    "NETWORKS",
    "READOUTS",
    "TASKS",
    "Architecture",
    "Block",
    "Given",
    "Network",
    "Part",
    "Plan",
    "Relation",
    "Scan",
    "architecture",
    "name_operands",
    "network",
    "ordered",
]
