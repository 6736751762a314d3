"""Runs that several tests read and none changes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.commandline import (
    CHECKOUT,
    Ran,
    at_once,
    history_in,
    run,
)
from tests.support.scripts import TOLD
from tests.support.sharing import made_once


class Found(NamedTuple):
    """A run that caught a defect, and the directory it ran in."""

    ran: Ran
    cwd: Path

    @property
    def history(self) -> Path:
        return history_in(self.cwd, self.ran)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """For each defect of ``TOLD`` a run with seed 1 that caught it, and its directory.  Read only."""
    return made_once("runs", _found_in, tmp_path_factory)


def _found_in(directory: Path) -> dict[str, Found]:
    places = {defect: directory / defect for defect in TOLD}
    for place in places.values():
        place.mkdir()
    searches = [
        partial(run, *CHECKOUT, "--defect", defect, "--hypothesis-seed=1", cwd=cwd)
        for defect, cwd in places.items()
    ]
    return {defect: Found(ran, places[defect]) for defect, ran in zip(places, at_once(searches), strict=True)}


@pytest.fixture(scope="session")
def checkout_runs(checkout: Path) -> dict[str, Found]:
    """As ``runs``, for two defects only, by ``pytest statemachine/`` in a checkout."""
    defects = ("lease_edge_excluded", "refused_delivery_deletes_message")
    searches = [
        partial(run, "statemachine/", "--defect", defect, "--hypothesis-seed=1", cwd=checkout)
        for defect in defects
    ]
    return {defect: Found(ran, checkout) for defect, ran in zip(defects, at_once(searches), strict=True)}
