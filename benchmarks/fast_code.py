"""How fast is generated code? ``python benchmarks/fast_code.py --against torch,jax --sizes charrnn,mid``.

Loss (softmax cross-entropy at each step, summed) and the gradients in all parameters, for several cells at the same
weights and data, by symrnn and by others; each is compared with ``torch.nn`` in double precision before any time is taken.
Everyone runs in one process, turn by turn, after a warm-up; the time is the median of the rounds. There is one process
for each number of threads, with the variables that set it, and without ``OPENBLAS_CORETYPE``, which would slow down NumPy's
matrix product and nothing else. ``symrnn bench`` is the same for users.

Units: milliseconds a call; ratios are the time of symrnn by that of the other, and below 1 symrnn is faster.
"""

from __future__ import annotations

from competitors.pages import timed
from competitors.times import show

if __name__ == "__main__":
    show("benchmarks/fast_code.py", "symrnn.benchmarks.gradients", timed(__doc__).parse_args())
