"""The entrywise judge: scalar derivatives accumulated forward, modulo a prime, against every printed line."""

from symrnn.verify.entrywise.judge import judge_entrywise

__all__ = ["judge_entrywise"]
