"""``python -m models_under_test``: the worker, and the commands of its operators."""

from __future__ import annotations

import sys

from models_under_test.commandline import main

if __name__ == "__main__":
    sys.exit(main())
