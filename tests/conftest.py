"""Lanes for tests that play by hand; Django, settings and safety come from the plugin itself."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.world.databases.availability import missing_because
from statemachine.world.databases.private_server import private_server
from statemachine.world.lane import Lane
from tests.support.interleaved import open_interleaved
from tests.support.places import checkout, short
from tests.support.postgresql import migrated_server, open_transactions

__all__ = ["checkout", "migrated_server", "open_interleaved", "open_transactions", "short"]

OpenLane = Callable[..., AbstractContextManager[Lane]]


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """What a shell starts in the background ignores Ctrl-C, and so would all that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def open_lane(transactional_db: None) -> OpenLane:
    """``with open_lane(defect) as lane:`` opens the system under test on the run's own database.

    Another one than the default by the path of its binding: ``open_lane(defect, path)``.
    """

    @contextmanager
    def open_one(defect: str | None = None, path: str = DEFAULT_BINDING) -> Iterator[Lane]:
        lane = Lane(load(path, defect))
        with lane.open():
            yield lane

    return open_one


@pytest.fixture
def lane(open_lane: OpenLane) -> Iterator[Lane]:
    """The correct system, open."""
    with open_lane() as lane:
        yield lane


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a private PostgreSQL server, for as long as the tests run."""
    missing = missing_because(None, lane="the test")
    if missing:
        pytest.skip(missing)
    with private_server() as server:
        yield server.url
