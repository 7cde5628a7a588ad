"""Fast code: in place, in arrays that are kept between calls."""

from symrnn.codegen.fast.function import FastFunction, arranged
from symrnn.codegen.fast.memory import memory_plan, memory_text, window_length
from symrnn.codegen.fast.module import FEW, LAYOUTS, fast_module

__all__ = ["FEW", "LAYOUTS", "FastFunction", "arranged", "fast_module", "memory_plan", "memory_text", "window_length"]
