"""Forward steps in Python, read back as formulas by latexify-py, beside our own formulas."""

from symrnn.readings.comparison import SecondReading, compare_function, readings_text, second_reading
from symrnn.readings.source import read_function, step_of_file
from symrnn.readings.tokens import tokens

__all__ = ["SecondReading", "compare_function", "read_function", "readings_text", "second_reading", "step_of_file", "tokens"]
