"""NumPy code from derivations and networks."""

from symrnn.codegen.module import memory, network_source, numpy_source
from symrnn.codegen.runtime import NumpyProgram, to_numpy

__all__ = ["NumpyProgram", "memory", "network_source", "numpy_source", "to_numpy"]
