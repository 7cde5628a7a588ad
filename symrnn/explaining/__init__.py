"""What is wrong with a refused backward pass, by line and by formula: the repair and the diagnosis, asked in turn and joined."""

from symrnn.explaining.asking import explain

__all__ = ["explain"]
