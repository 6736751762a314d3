"""``JOBS_DEFECT=name python -m models_under_test.defects worker …``: a real worker with a planted bug.

An entry point of its own, so that the correct worker does not know of planted bugs.
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
    """Run the command line with the parts of the defect that ``JOBS_DEFECT`` names.  Return the exit code."""
    # Removed from the environment: the worker refuses JOBS_ variables that it does not know.
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
