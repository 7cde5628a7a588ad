"""A small vocabulary to wire networks of one's own."""

from symrnn.networks.wiring.assembly import wire
from symrnn.networks.wiring.attention import SCORES, Attention
from symrnn.networks.wiring.ends import Readout
from symrnn.networks.wiring.given import Input, Tokens
from symrnn.networks.wiring.layer import Layer
from symrnn.networks.wiring.simple import MERGES, Dense, Embedding, Last, Merge, Previous
from symrnn.networks.wiring.wires import Item

__all__ = [
    "MERGES", "SCORES", "Attention", "Dense", "Embedding", "Input", "Item", "Last", "Layer", "Merge", "Previous", "Readout", "Tokens", "wire",
]
