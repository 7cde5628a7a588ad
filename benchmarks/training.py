"""How fast is training? ``python benchmarks/training.py --sizes charrnn --cells lstm``.

A step is the loss, all gradients, clipping by norm and Adam. Ours is generated code, as in
``examples/train_characters.py``; PyTorch's is ``torch.nn``, ``clip_grad_norm_`` and ``torch.optim.Adam``, fused. Both make
three steps from the same weights, and must agree, before any time is taken. How times are taken: ``fast_code.py``.

Units: milliseconds a step; ratios are the time of symrnn by that of PyTorch, and below 1 symrnn is faster.
"""

from __future__ import annotations

from competitors.pages import timed
from competitors.times import show

if __name__ == "__main__":
    show("benchmarks/training.py", "competitors.steps_of_training", timed(__doc__, "torch").parse_args())
