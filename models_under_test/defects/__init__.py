"""Planted bugs, a module each: proof that an invariant can fail.

Each is the smallest change that a tired engineer could make: a subclass of one part of the correct
system, which knows nothing of it.  The docstring tells its story and names, in backquotes on its
last line, the invariant that catches it, and the lane when the embedded one cannot see it (``in the
transactions lane``).  The module's ``PARTS`` says which part it replaces.  The history that shows it is in
``minimal/``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

_HERE = Path(__file__).parent

STORIES: Mapping[str, str] = {
    path.stem: ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    for path in sorted(_HERE.glob("*.py"))
    if not path.stem.startswith("__")
}
"""Name of each defect → its docstring, read without importing it (that would need Django)."""
