"""The numeric judge: float64 code against complex steps, differences and PyTorch."""

from symrnn.verify.numeric.judge import judge_numeric

__all__ = ["judge_numeric"]
