"""``JOBS_DEFECT=name python -m models_under_test.defects worker …``: a real worker with a planted bug.

It is an entry point of its own, so that the correct worker need not know that there are any.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from models_under_test.commandline import MISCONFIGURED, main

VARIABLE = "JOBS_DEFECT"
CATALOGUES = (
    "models_under_test.defects",
    "models_under_test.defects.video",
    "models_under_test.defects.messaging",
)


def run() -> int:
    """Run the command line with the parts of the defect that ``JOBS_DEFECT`` names; its exit code."""
    # Taken out of the environment: it is no variable of the worker's own.
    name = os.environ.pop(VARIABLE, "")
    homes = {story: catalogue for catalogue in CATALOGUES for story in import_module(catalogue).STORIES}
    if name not in homes:
        sys.stderr.write(f"{VARIABLE} is {name!r}: it must be one of {', '.join(homes)}\n")
        return MISCONFIGURED

    def parts() -> Mapping[str, Any]:
        replaced: Mapping[str, Any] = import_module(f"{homes[name]}.{name}").PARTS
        return replaced

    return main(parts=parts)


if __name__ == "__main__":
    sys.exit(run())
