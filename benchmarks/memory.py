"""How much memory does generated code take? ``python benchmarks/memory.py --sizes large --cells lstm``.

Loss and all gradients, twice, by generated code and by ``torch.nn``, each in a process of its own with one thread. What
counts is the largest size of the process less that after imports, parameters and data. This program imports neither NumPy nor
SymPy: a process begins with the peak of the one that started it.

Units: megabytes (10⁶ bytes); ratios are the memory of symrnn by that of PyTorch, and below 1 symrnn takes less.
"""

from __future__ import annotations

import json

from competitors.pages import lines, parser, write

from symrnn.benchmarks.sizes import size_of
from symrnn.benchmarks.tables import table


def peaks(size: str, cell: str, dtype: str, layout: str | None) -> tuple[int, int]:
    """Return the bytes of symrnn and of PyTorch."""
    asked = dict(sizes=size_of(size), cell=cell, dtype=dtype, layout=layout)
    generated = json.loads(lines("competitors.sources", 1, json.dumps(asked))[-1])
    ours, theirs = (
        int(lines("competitors.peak", 1, given=json.dumps({**asked, **generated, "name": name}))[-1]) for name in ("symrnn", "torch")
    )
    return ours, theirs


def main() -> None:
    """Measure, print, and write the page if asked to."""
    made = parser(__doc__, "large")
    made.add_argument("--layout", choices=["batch-first", "feature-first"], help="by the number of sequences by default")
    options = made.parse_args()
    sizes, cells, dtypes = (getattr(options, name).split(",") for name in ("sizes", "cells", "dtypes"))

    rows = []
    for size, cell, dtype in ((s, c, d) for s in sizes for c in cells for d in dtypes):
        ours, theirs = peaks(size, cell, dtype, options.layout)
        rows.append([size, cell, dtype, f"{ours / 1e6:.0f}", f"{theirs / 1e6:.0f}", f"{ours / theirs:.2f}"])
    text = table(["size", "cell", "dtype", "symrnn, MB", "torch.nn, MB", "ratio"], rows)
    print(text)
    if options.write:
        write("benchmarks/memory.py", text)


if __name__ == "__main__":
    main()
