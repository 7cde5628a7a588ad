"""Fast code: in place, in arrays that are kept between calls."""

from symrnn.codegen.fast.module import LAYOUTS, fast_module

__all__ = ["LAYOUTS", "fast_module"]
