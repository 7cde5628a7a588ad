"""Sweeps of the flow over settings: many points, on several cores or machines, with a table that grows line by line."""

from symrnn.sweeps.plan import NAMES, Point, Sweep, read_range
from symrnn.sweeps.running import BACKENDS, run_sweep
from symrnn.sweeps.table import COLUMNS, read_sweep

__all__ = ["BACKENDS", "COLUMNS", "NAMES", "Point", "Sweep", "read_range", "read_sweep", "run_sweep"]
