"""Where servers of these tests keep their files, and what is seen of their processes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for temporary files that every user may enter; pytest's own are for one user only."""
    directory = Path(tempfile.mkdtemp(prefix="place-", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``place``, where this process makes its temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place
