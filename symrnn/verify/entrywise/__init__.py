"""The entrywise judge: scalar derivatives accumulated forward, modulo a prime, against every printed line."""

from symrnn.verify.entrywise.judge import judge_entrywise
from symrnn.verify.entrywise.steps import judge_steps_entrywise

__all__ = ["judge_entrywise", "judge_steps_entrywise"]
