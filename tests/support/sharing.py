"""What takes long to make is made once for all workers of pytest-xdist, and read by each of them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.support.commandline import TIMEOUT_SECONDS
from tests.support.waiting import until

Made = TypeVar("Made")


def made_once(name: str, make: Callable[[Path], Made], factory: pytest.TempPathFactory) -> Made:
    """Return what ``make`` returns for a new directory, or what it has returned to another worker.

    ``name`` says what is made.  Who comes while another worker makes it waits for that.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return make(factory.mktemp(name))
    place = factory.getbasetemp().parent / f"shared-{name}"  # beside the directories of the workers
    kept, failed = place / "made.pickle", place / "failed"
    try:
        place.mkdir()
    except FileExistsError:
        until(lambda: kept.exists() or failed.exists(), seconds=TIMEOUT_SECONDS)
        assert not failed.exists(), f"another worker could not make {name}"
        made: Made = pickle.loads(kept.read_bytes())
        return made
    try:
        made = make(place)
    except BaseException:
        failed.touch()
        raise
    written = kept.with_suffix(".part")
    written.write_bytes(pickle.dumps(made))
    written.rename(kept)  # whoever sees it sees all of it
    return made
