"""``python -m models_under_test``: the worker, and what operators do around it."""

from __future__ import annotations

import sys

from models_under_test.commandline import main

if __name__ == "__main__":
    sys.exit(main())
