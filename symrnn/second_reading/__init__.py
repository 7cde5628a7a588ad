"""Forward steps in Python, read back as formulas by latexify-py, beside our own formulas."""

from symrnn.second_reading.comparison import SecondReading, compare_function, readings_text, second_reading
from symrnn.second_reading.source import read_function, step_of_file
from symrnn.second_reading.tokens import tokens

__all__ = ["SecondReading", "compare_function", "read_function", "readings_text", "second_reading", "step_of_file", "tokens"]
