"""The order of the work, and what is computed at once: passes from one form of a network to another of the same value."""

from symrnn.scheduling.form import Form
from symrnn.scheduling.passes import PASSES, scheduled

__all__ = ["PASSES", "Form", "scheduled"]
