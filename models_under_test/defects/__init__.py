"""Planted bugs, a module each: proof that an invariant can fail.

Each is the smallest change that a tired engineer could make: a subclass of one part of the correct
system, which knows nothing of it.  The docstring tells its story and names, in backquotes on its
last line, the invariant that catches it, and the lane when the embedded one cannot see it (``in the
transactions lane``).  The module's ``PARTS`` says which part it replaces.  The history that shows it is in
``minimal/``.  Those of the other pipelines are in ``video/`` and ``messaging/``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path


def stories_in(folder: Path) -> Mapping[str, str]:
    """Name of each defect → its docstring, read without importing it (that would need Django)."""
    return {
        path.stem: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        for path in sorted(folder.glob("*.py"))
        if path.stem != "minimal" and not path.stem.startswith("__")
    }


STORIES = stories_in(Path(__file__).parent)
