"""``python -m symrnn`` is the command line."""

import sys

from symrnn.cli import main

sys.exit(main())
