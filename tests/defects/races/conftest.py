"""Lanes on a private PostgreSQL server, with a database of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.world.transactions.lane import TransactionsLane
from statemachine.world.transactions.sessions import new_wrapper

OpenRaces = Callable[..., AbstractContextManager[TransactionsLane]]

TEMPLATE = "statemachine_template"


@pytest.fixture(scope="module")
def open_races(postgresql_server: str, django_db_blocker: Any) -> Iterator[OpenRaces]:
    """``with open_races(defect) as lane:`` opens the system under test on a fresh PostgreSQL database."""
    where = conninfo_to_dict(postgresql_server)
    numbers = count(1)

    def configured(name: str) -> dict[str, Any]:
        engine = "django.db.backends.postgresql"
        return {"ENGINE": engine, "NAME": name, "USER": where["user"], "HOST": where["host"]}

    with (
        django_db_blocker.unblock(),
        psycopg.connect(postgresql_server, autocommit=True) as server,
    ):
        server.execute(f"CREATE DATABASE {TEMPLATE}")
        _migrate(configured(TEMPLATE))

        @contextmanager
        def open_one(defect: str | None = None) -> Iterator[TransactionsLane]:
            name = f"statemachine_{next(numbers)}"
            server.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
            lane = TransactionsLane(load(DEFAULT_BINDING, defect), configured(name))
            with lane.open():
                yield lane
            server.execute(f"DROP DATABASE {name}")

        yield open_one
        server.execute(f"DROP DATABASE {TEMPLATE}")


def _migrate(configuration: dict[str, Any]) -> None:
    before, connections["default"] = connections["default"], new_wrapper(configuration)
    try:
        call_command("migrate", verbosity=0)
    finally:
        connections["default"].close()
        connections["default"] = before
