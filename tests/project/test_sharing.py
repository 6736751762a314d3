"""What one worker of pytest-xdist has made is read by the others, and not made again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.sharing import made_once


class Factory:
    """The temporary directories of a worker, ``gw0``, below those of its run."""

    def __init__(self, run: Path) -> None:
        self._run = run

    def getbasetemp(self) -> Path:
        return self._run / "gw0"


@pytest.fixture
def factory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    return Factory(tmp_path)


def test_it_is_made_once(factory: Any) -> None:
    made: list[Path] = []

    def make(place: Path) -> dict[str, Path]:
        made.append(place)
        return {"place": place}

    first, second = (made_once("runs", make, factory) for _ in range(2))
    assert first == second == {"place": made[0]}
    assert len(made) == 1
    assert made_once("others", make, factory)["place"] != made[0]


def test_what_cannot_be_made_fails_everywhere(factory: Any) -> None:
    def fail(place: Path) -> None:
        raise ValueError("no room")

    with pytest.raises(ValueError, match="no room"):
        made_once("runs", fail, factory)
    with pytest.raises(AssertionError, match="another worker could not make runs"):
        made_once("runs", fail, factory)
