"""Planted bugs, a module each: proof that an invariant can fail.

Each is the smallest change that a tired engineer could make: a subclass of one part of the correct system,
which does not know of it.  The docstring says what was done and why it is wrong.  Its last line names, in
backquotes, the invariant that catches the bug, and the lane if the embedded one cannot see it (``in the
transactions lane``).  The module's ``PARTS`` maps the part that it replaces.  The shortest history that shows
the bug is in ``minimal/``.  Those of the other pipelines are in ``video/`` and ``messaging/``.

To add a bug, add a module here and a history to the module of ``minimal/`` that fits; ARCHITECTURE.md says
what else goes with it.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path


def stories_in(folder: Path) -> Mapping[str, str]:
    """Return the docstring of each defect by its name, read without importing it: that needs Django."""
    return {
        path.stem: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in sorted(folder.glob("*.py"))
        if path.stem != "minimal" and not path.stem.startswith("__")
    }


STORIES = stories_in(Path(__file__).parent)
