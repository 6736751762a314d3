"""Which aliases get which private database, and which settings are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db.utils import ConnectionHandler

from statemachine.world.databases.safety import Refused, check_private, make_private

SQLITE = "django.db.backends.sqlite3"
IN_MEMORY = "file:memorydb_{}?mode=memory&cache=shared"


def of(name: str, **more: Any) -> dict[str, Any]:
    return {"ENGINE": SQLITE, "NAME": name, **more}


@pytest.mark.parametrize(
    ("databases", "leaders"),
    {
        "one": ({"default": of("a")}, {"default": "default"}),
        "a replica of the same file": (
            {"replica": of("./a"), "default": of("a")},
            {"replica": "default", "default": "default"},
        ),
        "a mirror": (
            {"default": of("a"), "replica": of("b", TEST={"MIRROR": "default", "NAME": "c"})},
            {"default": "default", "replica": "default"},
        ),
        "a mirror of a mirror": (
            {
                "default": of("a", TEST={"MIRROR": "primary"}),
                "primary": of("b"),
                "replica": of("c", TEST={"MIRROR": "default"}),
            },
            {"default": "default", "primary": "default", "replica": "default"},
        ),
        "others": (
            {"default": of(":memory:"), "audit": of(":memory:"), "log": of("x"), "logs": of("x", TEST=None)},
            {"default": "default", "audit": "audit", "log": "log", "logs": "log"},
        ),
    }.values(),
)
def test_aliases_of_one_database_have_one_private_database(
    databases: dict[str, dict[str, Any]], leaders: dict[str, str]
) -> None:
    # A process may open several lanes, one after the other.
    for _ in range(2):
        make_private(databases)
        assert {alias: one["NAME"] for alias, one in databases.items()} == {
            alias: IN_MEMORY.format(leader) for alias, leader in leaders.items()
        }
        assert {alias: one["TEST"]["MIRROR"] or alias for alias, one in databases.items()} == leaders
        assert {one["TEST"]["NAME"] for one in databases.values()} == {None}


def test_of_a_test_dictionary_what_makes_the_tables_is_kept() -> None:
    databases = {"default": of("a", TEST={"MIGRATE": False, "DEPENDENCIES": ["default"], "NAME": "prod"})}
    make_private(databases)
    assert databases["default"]["TEST"] == {"MIGRATE": False, "NAME": None, "MIRROR": None}


@pytest.mark.parametrize(
    ("replica", "why"),
    [
        (
            {"ENGINE": "django.db.backends.mysql", "NAME": "p"},
            r"'replica' \(p\) uses django\.db\.backends\.my",
        ),
        ({}, r"'replica' \(None\) uses no ENGINE"),
        (of("a", OPTIONS={"database": "prod"}), "'replica' has the key database among its OPTIONS"),
        (
            of("a", TEST={"MIRROR": "gone"}),
            r"MIRROR': 'gone'}, which leads to no database: .* \(default, rep",
        ),
        (of("a", TEST={"MIRROR": "replica"}), "MIRROR': 'replica'}, which leads to no database"),
    ],
)
def test_what_cannot_be_private_is_refused_for_its_own_reason(replica: dict[str, Any], why: str) -> None:
    databases = {"default": of("a"), "replica": replica}
    with pytest.raises(Refused, match=why):
        make_private(databases)
    assert databases["default"] == of("a"), "nothing is changed before all are looked at"


def test_a_connection_that_was_open_before_is_not_private_by_its_name(
    tmp_path: Path, django_db_blocker: Any
) -> None:
    file = tmp_path / "theirs.sqlite3"
    databases = {"default": of(str(file))}
    connection = ConnectionHandler(databases)["default"]
    with django_db_blocker.unblock():
        connection.ensure_connection()
        make_private(databases)
        with pytest.raises(Refused, match=r"'default' has .*/theirs\.sqlite3 open as well"):
            check_private([connection])
        connection.connection.close()
        connection.connection = None
        check_private([connection])
        connection.connection.close()
