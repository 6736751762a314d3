"""The commit at which something was measured, asked of git where there is one."""

from __future__ import annotations

import subprocess
from collections.abc import Collection
from pathlib import Path


def commit_of(files: Collection[Path]) -> tuple[str, bool]:
    """The abbreviated commit that holds ``files``, and whether any of them differs from it.

    Empty when there is no git, or when it does not track the first of them: the commit of a
    repository in whose virtual environment the files are installed is not theirs.
    """
    first = next(iter(files), None)
    if first is None or _git(first.parent, "ls-files", "--error-unmatch", first.name) is None:
        return "", False
    top = Path((_git(first.parent, "rev-parse", "--show-toplevel") or "").strip())
    inside = [str(file) for file in files if file.resolve().is_relative_to(top.resolve())]
    commit = _git(top, "rev-parse", "--short", "HEAD") or ""
    return commit.strip(), bool(_git(top, "status", "--porcelain", "--", *inside))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        ran = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout if ran.returncode == 0 else None
