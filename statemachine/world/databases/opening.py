"""A lane outside of pytest, for benchmarks and commands: same binding, same safety, own database.

The database is gone afterwards.  Only a killed process leaves one behind, on a server that was named
(``postgresql.py``).
"""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import statemachine
from statemachine.binding import DEFAULT_BINDING, Binding, OwnFault, load
from statemachine.world.databases import safety
from statemachine.world.lane import Lane


def load_here(path: str, defect: str | None = None) -> Binding:
    """Return the binding, if it may be used in this environment.

    Raise ``BindingError``, and ``safety.Refused`` when the environment names other settings than its own.
    """
    with private_if_set_up():
        binding = load(path, defect)
    check_environment(binding, path)
    return binding


@contextmanager
def private_if_set_up() -> Iterator[None]:
    """Make databases private first if code within sets Django up, as the module of a binding may."""
    from django.apps import apps
    from django.conf import settings
    from django.db import connections

    populate = apps.populate

    def populate_privately(installed_apps: Any = None) -> None:
        if not apps.ready:
            safety.make_private(settings.DATABASES)
            safety.check_private(connections.all())
        populate(installed_apps)

    apps.populate = populate_privately
    try:
        yield
    finally:
        vars(apps).pop("populate", None)


def check_environment(binding: Binding, path: str) -> None:
    """Raise ``safety.Refused`` when the environment names other settings than those of ``binding``."""
    found = {"the environment's DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE")}
    safety.check_settings_module(binding.settings_module, path, found)


def choose_settings(binding: Binding, path: str) -> str:
    """Make the settings module of ``binding`` Django's, load it, and make its databases private.

    Return a description of these.  Only then may :func:`set_up` follow: code of the apps may write as soon as
    it is imported.  Raise :class:`OwnFault` when the module cannot be loaded or names no database, and
    ``safety.Refused`` when one cannot be made private.
    """
    wanted = binding.settings_module
    os.environ["DJANGO_SETTINGS_MODULE"] = wanted
    from django.conf import settings

    try:
        databases = settings.DATABASES
    except Exception as error:  # noqa: BLE001  a settings module is foreign code
        raise OwnFault(
            f"--binding {path}: its settings module {wanted} cannot be loaded "
            f"({type(error).__name__}: {error}); "
            "run from the directory that holds it, with its requirements installed"
        ) from None
    loaded = settings.SETTINGS_MODULE or "settings.configure()"
    if loaded != wanted:
        raise safety.Refused(
            f"--binding {path}: Django was configured by {loaded} before the run did it, and the binding "
            f"names {wanted}: leave django.setup() and settings out of the binding's module"
        )
    if not databases or not databases.get("default"):
        raise OwnFault(
            f"--binding {path}: {wanted} names no database in DATABASES{' as default' if databases else ''}; "
            "name one of SQLite"
        )
    return safety.make_private(databases)


def set_up(path: str) -> None:
    """Import the apps of the chosen settings and call their ``ready()``, on private databases.

    ``path`` names the binding in errors.  Raise :class:`OwnFault` when code of the apps fails, and
    ``safety.Refused`` when a connection has a file open.
    """
    import django
    from django.apps import apps
    from django.db import DatabaseError, connections

    if apps.ready:
        # Set up by other code, which may have connected: a new name moves no connection that is open.
        safety.check_private(one for one in connections.all() if one.connection is not None)
        return
    try:
        safety.check_private(connections.all())
        django.setup()
    except safety.Refused:
        raise
    except DatabaseError as error:
        raise OwnFault(
            f"--binding {path}: {_place_in(error)} used the database while Django was set up "
            f"({type(error).__name__}: {error}): the run's own is new then and has no tables yet; query it "
            "in a function that is called later, or catch the error, as the first migrate needs too"
        ) from error
    except Exception as error:
        raise OwnFault(
            f"--binding {path}: django.setup() raised {type(error).__name__}: {error}; mend its settings, or "
            "the app of INSTALLED_APPS that it names"
        ) from error


def _place_in(error: BaseException) -> str:
    """Return file and line of the innermost call that was made outside of Django and of this package."""
    import django

    ours = tuple(f"{Path(str(module)).parent}{os.sep}" for module in (django.__file__, statemachine.__file__))
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not frame.filename.startswith((*ours, "<frozen"))]
    return f"{theirs[-1].filename}:{theirs[-1].lineno}" if theirs else "an app"


@contextmanager
def open_lane(
    path: str = DEFAULT_BINDING, defect: str | None = None, clock_skew_seconds: int = 0
) -> Iterator[Lane]:
    """Open a lane on a SQLite database in memory.

    Raise ``BindingError`` and ``safety.Refused`` as a run would.
    """
    binding = load_here(path, defect)
    choose_settings(binding, path)
    with private_database(path):
        lane = Lane(binding, clock_skew_seconds)
        with lane.open():
            yield lane


@contextmanager
def open_interleaved(
    path: str = DEFAULT_BINDING,
    defect: str | None = None,
    server_url: str | None = None,
    clock_skew_seconds: int = 0,
) -> Iterator[Lane]:
    """Open a transactions lane on a new database of the PostgreSQL server at ``server_url``.

    Without a URL the server is a private one, and gone afterwards as well.  Raise ``BindingError`` and
    ``safety.Refused`` as a run would.
    """
    from statemachine.world.databases.postgresql import database

    with (
        database(server_url) as made,
        open_interleaved_on(made.django_settings(), path, defect, clock_skew_seconds) as lane,
    ):
        yield lane


@contextmanager
def open_interleaved_on(
    configuration: Mapping[str, Any],
    path: str = DEFAULT_BINDING,
    defect: str | None = None,
    clock_skew_seconds: int = 0,
) -> Iterator[Lane]:
    """As :func:`open_interleaved`, on an empty database that the caller has made.

    ``configuration`` is an entry of Django's ``DATABASES``.  It takes the place of the alias ``default``;
    the other aliases are databases in memory.
    """
    binding = load_here(path, defect)
    choose_settings(binding, path)
    with private_database(path):
        # Imported only now: the embedded lane runs where psycopg and greenlet are not installed.
        from statemachine.world.transactions.lane import open_on

        with open_on(configuration, binding, path, clock_skew_seconds) as lane:
            yield lane


@contextmanager
def private_database(path: str) -> Iterator[None]:
    """Make migrated databases in memory for the chosen settings, gone afterwards.

    ``path`` names the binding in errors.  Raise ``safety.Refused``, and :class:`OwnFault` when apps or
    migrations of the settings fail.
    """
    from django.db import connections
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.test.utils import setup_databases, teardown_databases

    set_up(path)
    try:
        created = setup_databases(verbosity=0, interactive=False)
    except Exception as error:
        raise OwnFault(
            f"--binding {path}: its migrations cannot make an empty database ({type(error).__name__}: "
            f"{error}); try python manage.py migrate on a new SQLite file"
        ) from error
    try:
        safety.check_private(connections.all())
        yield
    finally:
        teardown_databases(created, verbosity=0)
        for connection in connections.all(initialized_only=True):
            # SQLite's own close() leaves a database in memory open, and with it all that is in it.
            BaseDatabaseWrapper.close(connection)
