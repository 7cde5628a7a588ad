"""How much memory does generated code take? ``python benchmarks/memory.py --sizes large --cells lstm``.

Loss and all gradients, twice, by generated code and by ``torch.nn``, each in a process of its own with one thread. What
counts is the largest size of the process less that after imports, parameters and data. This program imports neither NumPy nor
symrnn itself: a process begins with the peak of the one that started it.

Units: megabytes (10⁶ bytes); ratios are the memory of symrnn by that of PyTorch, and below 1 symrnn takes less.
"""

from __future__ import annotations

import argparse
import json

from competitors import CELLS, DTYPES, SIZES
from competitors.processes import PAGE, choice, lines
from competitors.tables import table, write


def peaks(size: str, cell: str, dtype: str, layout: str | None) -> tuple[int, int]:
    """Return the bytes of symrnn and of PyTorch."""
    asked = dict(sizes=SIZES[size], cell=cell, dtype=dtype, layout=layout)
    generated = json.loads(lines("competitors.sources", 1, json.dumps(asked))[-1])
    ours, theirs = (
        int(lines("competitors.peak", 1, given=json.dumps({**asked, **generated, "name": name}))[-1]) for name in ("symrnn", "torch")
    )
    return ours, theirs


def main() -> None:
    """Measure, print, and write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=choice(SIZES), default=["large"], help=", ".join(SIZES) + "; large by default")
    parser.add_argument("--cells", type=choice(CELLS), default=list(CELLS), help=", ".join(CELLS))
    parser.add_argument("--dtypes", type=choice(DTYPES), default=list(DTYPES), help=", ".join(DTYPES))
    parser.add_argument("--layout", choices=["batch-first", "feature-first"], help="by the number of sequences by default")
    parser.add_argument("--write", action="store_true", help=f"write the table into docs/reference/{PAGE.name}")
    options = parser.parse_args()

    rows = []
    for size, cell, dtype in ((s, c, d) for s in options.sizes for c in options.cells for d in options.dtypes):
        ours, theirs = peaks(size, cell, dtype, options.layout)
        rows.append([size, cell, dtype, f"{ours / 1e6:.0f}", f"{theirs / 1e6:.0f}", f"{ours / theirs:.2f}"])
    text = table(["size", "cell", "dtype", "symrnn, MB", "torch.nn, MB", "ratio"], rows)
    print(text)
    if options.write:
        write(PAGE, "benchmarks/memory.py", text)


if __name__ == "__main__":
    main()
