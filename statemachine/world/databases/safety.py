"""What a run refuses to touch: it writes to no database that it did not make itself.

The embedded lane therefore gets a SQLite database in memory, whatever the settings name, and refuses what
could lead elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any


class Refused(ValueError):
    """The run would touch, or depend on, something that is not its own; the message names it."""


def check_settings_module(wanted: str, binding: str, found: Mapping[str, str | None]) -> None:
    """Refuse a settings module, named anywhere, that is not the binding's.

    ``found`` maps where a name was found (``the environment's DJANGO_SETTINGS_MODULE``) to the name.
    """
    for place, named in found.items():
        if named and named != wanted:
            raise Refused(
                f"{place} names {named} and the binding {binding} names {wanted}: "
                "unset the first, or give the binding that belongs to it with --binding"
            )


def check_no_reuse(reuse_db: bool) -> None:
    """Refuse ``--reuse-db``: a database that outlives a run is not the run's own."""
    if reuse_db:
        raise Refused(
            "--reuse-db would write to a database that an earlier run left behind: run without it, "
            "the schema is created in memory in under a second"
        )


def make_private(databases: Mapping[str, MutableMapping[str, Any]]) -> str:
    """Point every SQLite alias at a test database in memory; return its description for the header.

    Raise :class:`Refused` for any other engine: its test database would live on a server that this
    run did not start.
    """
    for alias, configuration in databases.items():
        engine = configuration.get("ENGINE", "")
        if engine != "django.db.backends.sqlite3":
            raise Refused(
                f"database {alias!r} ({configuration.get('NAME')}) uses {engine}: the embedded lane runs on "
                "a SQLite database of its own and never connects to a server; give the binding a settings "
                "module whose databases all use django.db.backends.sqlite3"
            )
    for configuration in databases.values():
        # Django would otherwise delete and recreate a file named in TEST without asking.
        configuration.setdefault("TEST", {})["NAME"] = None
    return "SQLite in memory, made for this run"


def check_private(connections: Iterable[Any]) -> None:
    """Refuse databases that are in use now and are not in memory.

    A project's ``conftest.py`` may override ``django_db_setup`` to reuse a database of its own.
    """
    for connection in connections:
        if connection.vendor != "sqlite" or not connection.is_in_memory_db():
            raise Refused(
                f"database {connection.alias!r} is {connection.settings_dict['NAME']}, which this run did "
                "not make and will not empty: is django_db_setup overridden by a conftest.py? run elsewhere"
            )
