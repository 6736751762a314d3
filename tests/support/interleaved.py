"""The transactions lane on a private PostgreSQL server, a database of its own for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.world.databases.postgresql import database
from statemachine.world.lane import Lane

OpenInterleaved = Callable[..., AbstractContextManager[Lane]]

UNLOCKED = "tests.support.unlocked:Unlocked"


@pytest.fixture
def open_interleaved(transactional_db: None, postgresql_server: str) -> OpenInterleaved:
    """``with open_interleaved(defect, path) as lane:`` opens a system under test statement by statement."""
    from statemachine.world.transactions.lane import open_on

    @contextmanager
    def open_one(defect: str | None = None, path: str = DEFAULT_BINDING) -> Iterator[Lane]:
        with (
            database(postgresql_server) as made,
            open_on(made.django_settings(), load(path, defect), path) as lane,
        ):
            yield lane

    return open_one
