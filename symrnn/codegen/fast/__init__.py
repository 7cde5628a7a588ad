"""Fast code: in place, in arrays that are kept between calls."""

from symrnn.codegen.fast.function import FastFunction
from symrnn.codegen.fast.memory import memory_plan, memory_text, window_length
from symrnn.codegen.fast.module import FEW, LAYOUTS, fast_module
from symrnn.codegen.fast.plan import Plan, arranged

__all__ = ["FEW", "LAYOUTS", "FastFunction", "Plan", "arranged", "fast_module", "memory_plan", "memory_text", "window_length"]
