"""The transactions lane on a private PostgreSQL, and a look at that server from outside of the lane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from itertools import count
from types import MappingProxyType
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.world.transactions.lane import TransactionsLane
from statemachine.world.transactions.sessions import new_wrapper

OpenTransactions = Callable[..., AbstractContextManager[TransactionsLane]]

_TEMPLATE = "statemachine_tests"
_NAMES = count(1)


class Outside:
    """The sessions and locks in the database of a lane, seen by a connection that is not one of them."""

    def __init__(self, connection: Any, database: str) -> None:
        self._connection = connection
        self._database = database

    def _all(self, query: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._connection.execute(query, {"database": self._database}).fetchall()
        return rows

    @property
    def transactions(self) -> list[tuple[Any, ...]]:
        """(pid, state, last statement) of each session with an open transaction."""
        return self._all(
            "SELECT pid, state, query FROM pg_stat_activity WHERE datname = %(database)s"
            " AND backend_type = 'client backend' AND xact_start IS NOT NULL"
        )

    @property
    def locks(self) -> list[tuple[Any, ...]]:
        """(pid, kind, mode) of all that is locked there."""
        return self._all(
            "SELECT pid, locktype, mode FROM pg_locks"
            " WHERE database = (SELECT oid FROM pg_database WHERE datname = %(database)s)"
        )

    @property
    def sessions(self) -> list[int]:
        """The process ids of all who are connected."""
        found = self._all(
            "SELECT pid FROM pg_stat_activity WHERE datname = %(database)s"
            " AND backend_type = 'client backend' ORDER BY pid"
        )
        return [pid for (pid,) in found]


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def names(url: str) -> set[str]:
    """The names of all databases of a server."""
    return {name for (name,) in rows(url, "SELECT datname FROM pg_database")}


@contextmanager
def _migrated(server: str) -> Iterator[None]:
    where = conninfo_to_dict(server)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        before = connections["default"]
        with closing(new_wrapper(_configuration(where, _TEMPLATE))) as wrapper:
            connections["default"] = wrapper
            try:
                call_command("migrate", verbosity=0)
            finally:
                connections["default"] = before
        yield
        admin.execute(f"DROP DATABASE {_TEMPLATE} WITH (FORCE)")


def _configuration(where: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": where["user"],
        "HOST": where["host"],
    }


@pytest.fixture(scope="session")
def migrated_server(postgresql_server: str, django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The URL of a server with a database to copy, in which the tables are."""
    with django_db_blocker.unblock(), _migrated(postgresql_server):
        yield postgresql_server


@pytest.fixture(scope="session")
def open_transactions(migrated_server: str, django_db_blocker: Any) -> OpenTransactions:
    """``with open_transactions(path, defect=..., options=...) as lane:`` opens a system under test.

    ``options`` are those of Django's database settings; ``lane.outside`` is a look from outside.
    """
    where = conninfo_to_dict(migrated_server)

    @contextmanager
    def open_one(
        path: str = DEFAULT_BINDING,
        *,
        defect: str | None = None,
        options: Mapping[str, Any] = MappingProxyType({}),
    ) -> Iterator[TransactionsLane]:
        name = f"statemachine_test_{next(_NAMES)}"
        with django_db_blocker.unblock(), psycopg.connect(migrated_server, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
            configuration = {**_configuration(where, name), "OPTIONS": dict(options)}
            lane = TransactionsLane(load(path, defect), configuration)
            lane.outside = Outside(admin, name)  # type: ignore[attr-defined]
            try:
                with lane.open():
                    yield lane
            finally:
                locks = lane.outside.locks  # type: ignore[attr-defined]
                admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
                # Before its database goes: the lane itself has left nothing, however it ended.
                assert locks == []

    return open_one
