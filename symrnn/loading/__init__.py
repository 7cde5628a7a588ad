"""What the command line names: cells, networks, notations, as objects."""

from symrnn.loading.files import load_cell
from symrnn.loading.networks import load_network
from symrnn.loading.profiles import load_notation, quantities

__all__ = ["load_cell", "load_network", "load_notation", "quantities"]
