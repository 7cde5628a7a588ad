"""The ball judge: code run on dual numbers over balls of hundreds of bits; a mismatch is proved."""

from symrnn.verify.balls.agreement import compare_gradients
from symrnn.verify.balls.judge import judge_balls

__all__ = ["compare_gradients", "judge_balls"]
