"""Forward steps in Python, read back as formulas by latexify-py, beside our own formulas."""

from symrnn.second_reading.comparison import SecondReading, compare_function, second_reading
from symrnn.second_reading.source import read_function
from symrnn.second_reading.tokens import tokens

__all__ = ["SecondReading", "compare_function", "read_function", "second_reading", "tokens"]
