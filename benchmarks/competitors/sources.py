"""Print generated code and the shapes of its parameters as JSON: run by ``memory.py``."""

from __future__ import annotations

import json
import sys

import symrnn


def main() -> None:
    """Generate what is asked for."""
    asked = json.loads(sys.argv[1])
    _, _, D, H = asked["sizes"]
    derivation = symrnn.derive(symrnn.network(symrnn.cell(asked["cell"]), task="many-to-many", loss="cross-entropy"))
    program = symrnn.to_numpy(derivation, style="fast", wrt="parameters", layout=asked["layout"])
    print(json.dumps({"source": program.source, "shapes": program.shapes({"D": D, "H": H, "K": D})}))


if __name__ == "__main__":
    main()
