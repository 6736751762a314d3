"""Directories to run in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.commandline import REPO, SHORT_CONFTEST, write


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """An empty directory whose conftest registers the profile ``short``."""
    return write(tmp_path, conftest=SHORT_CONFTEST)


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a checkout holds, so that ``pytest statemachine/`` leaves its traces there."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in ("statemachine", "models_under_test", "docs"):
        shutil.copytree(REPO / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "pyproject.toml", copy)
    return copy
