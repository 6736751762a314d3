"""What a run refuses to touch: it writes to no database that it did not make itself.

The embedded lane therefore gets a SQLite database in memory, whatever the settings name, and refuses what
could lead elsewhere.
"""

from __future__ import annotations

import os
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
    """Set every alias to a database in memory; return a description of them for the header.

    ``databases`` is Django's ``DATABASES``, and Django must not have connected yet.  Aliases that the
    settings set to the same database, or to one another by ``TEST: {MIRROR}``, get the same one.

    Raise :class:`Refused` for an engine whose test database would live on a server that this run did not
    start, and for settings that lead to another database than their ``NAME`` says.
    """
    for alias, configuration in databases.items():
        _check_engine(alias, configuration)
    for alias, leader in _leaders(databases).items():
        configuration = databases[alias]
        configuration["NAME"] = f"file:memorydb_{leader}?mode=memory&cache=shared"
        # Without NAME: Django would delete and recreate the file without asking.  Without DEPENDENCIES: in
        # memory no database is made on another one.
        kept = {name: value for name, value in _test(configuration).items() if name != "DEPENDENCIES"}
        configuration["TEST"] = {**kept, "NAME": None, "MIRROR": None if leader == alias else leader}
    return "SQLite in memory, made for this run"


def _check_engine(alias: str, configuration: Mapping[str, Any]) -> None:
    engine = configuration.get("ENGINE", "")
    if engine != "django.db.backends.sqlite3":
        raise Refused(
            f"database {alias!r} ({configuration.get('NAME')}) uses {engine or 'no ENGINE'}: the embedded "
            "lane runs on a SQLite database of its own and never connects to a server; give the binding a "
            "settings module whose databases all use django.db.backends.sqlite3"
        )
    if "database" in (configuration.get("OPTIONS") or {}):
        raise Refused(
            f"database {alias!r} has the key database among its OPTIONS, which would be used in place of the "
            "run's own: name the file in NAME"
        )


def _leaders(databases: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return for each alias whose database it is to have: ``default``, or the first of the same database."""
    places = {alias: _place(alias, databases) for alias in databases}
    same = {alias: [other for other in databases if places[other] == places[alias]] for alias in databases}
    return {alias: "default" if "default" in group else group[0] for alias, group in same.items()}


def _place(alias: str, databases: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what is equal for aliases of the same database only."""
    passed = [alias]
    while mirrored := _test(databases[passed[-1]]).get("MIRROR"):
        if mirrored not in databases or mirrored in passed:
            raise Refused(
                f"database {passed[-1]!r} has TEST: {{'MIRROR': {mirrored!r}}}, which leads to no database: "
                f"name another alias of DATABASES ({', '.join(databases)}) that mirrors none"
            )
        passed.append(mirrored)
    name = str(databases[passed[-1]].get("NAME") or "")
    shared = "cache=shared" in name if "mode=memory" in name else name not in ("", ":memory:")
    if not shared:
        return f"memory of {passed[-1]}"
    return name if name.startswith("file:") else os.path.realpath(name)


def _test(configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = configuration.get("TEST") or {}
    return found


def check_private(connections: Iterable[Any]) -> None:
    """Refuse databases that are in use now and are not in memory.

    A project's ``conftest.py`` may override ``django_db_setup`` to reuse a database of its own, and a
    connection may ``ATTACH`` a file as it begins.
    """
    for connection in connections:
        if connection.vendor != "sqlite" or not connection.is_in_memory_db():
            raise Refused(
                f"database {connection.alias!r} is {connection.settings_dict['NAME']}, which this run did "
                "not make and will not empty: is django_db_setup overridden by a conftest.py? run elsewhere"
            )
        # Only if need be: pytest-django refuses it outside of tests even where the connection is open.
        if connection.connection is None:
            connection.ensure_connection()
        # Past Django, which warns of queries while apps are set up.
        attached = connection.connection.execute("PRAGMA database_list").fetchall()
        files = [file for _, _, file in attached if file]
        if files:
            raise Refused(
                f"database {connection.alias!r} has {files[0]} open as well, which this run did not make: "
                "leave ATTACH out of its OPTIONS"
            )
