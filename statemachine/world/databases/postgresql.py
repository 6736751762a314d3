"""A database of a run's own on a PostgreSQL server: made under a random name, and dropped afterwards.

The server is one that was named for this purpose, else a private one.  An ambient ``DATABASE_URL`` is never
read: it may name a database that somebody needs.  Of the databases that were there before, only the one in
the server's URL is opened, to create and drop the run's own (``server_url.py`` reads that URL).

A run that is killed leaves its database, ``statemachine_...``, behind on a server that was named.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from statemachine.world.databases.private_server import private_server
from statemachine.world.databases.safety import Refused
from statemachine.world.databases.server_url import ServerURL, forget_redirections, read

SERVER_VARIABLE = "STATEMACHINE_DATABASE_URL"
OLDEST = 13
"""The first version that drops a database while connections to it are open (``WITH (FORCE)``)."""


@dataclass
class PostgreSQLDatabase:
    """A database that was made for one run."""

    url: str = field(repr=False)
    """May hold a password, and is therefore left out of the ``repr``."""
    name: str
    description: str
    """For the header of a run, without a password."""
    _admin: Any = field(repr=False)
    host: str = ""
    """Of the server; empty for a socket."""

    def in_transaction(self) -> bool:
        """Return whether another connection to this database has a transaction open now."""
        found = self._admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND xact_start IS NOT NULL "
            "AND backend_type = 'client backend'",
            (self.name,),
        ).fetchone()
        return bool(found[0])

    def django_settings(self) -> dict[str, Any]:
        """Return this database's entry of Django's ``DATABASES``, with the password if the URL has one."""
        from psycopg.conninfo import conninfo_to_dict

        options: dict[str, Any] = conninfo_to_dict(self.url)
        places = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
        found = {key: str(options.pop(name, "") or "") for key, name in places.items()}
        return {"ENGINE": "django.db.backends.postgresql", **found, "OPTIONS": options}


def named_server(option: str | None) -> str | None:
    """Return the URL of ``--database-server``, else of the environment; None when neither names a server."""
    return option or os.environ.get(SERVER_VARIABLE) or None


@contextmanager
def database(named: str | None, *, otherwise: str = "a private server") -> Iterator[PostgreSQLDatabase]:
    """Make a new database, and drop it afterwards whatever happens in between.

    It is made on the server at the URL ``named``, on a private one for None.  ``otherwise`` says in errors
    what a run that names no server uses.

    Raise :class:`~statemachine.world.databases.safety.Refused` for a server that cannot be used, and for a
    database that cannot be dropped.
    """
    _check_psycopg(named, otherwise)
    forget_redirections()
    with ExitStack() as stack:
        url = stack.enter_context(private_server()).url if named is None else named
        server = read(url, otherwise)
        admin = stack.enter_context(_connected(server))
        name = f"statemachine_{secrets.token_hex(6)}"
        made = PostgreSQLDatabase(
            server.url_of(name), name, _description(admin, name, private=named is None), admin, server.host
        )
        try:
            _create(admin, server, name)
            _check_reached(server, name)
            yield made
        except BaseException as error:
            # An error of the drop must not hide this one, so it is added as a note.
            _drop(admin, server, name, _say_nothing if named is None else error.add_note)
            raise
        _drop(admin, server, name, _say_nothing if named is None else _refuse)


def check_name(answering: str, name: str) -> None:
    """Raise :class:`.Refused` unless ``answering``, the server's ``current_database()``, is ``name``.

    To be asked on every connection before its first statement that writes: a pooler, or ``dbname`` among
    Django's ``OPTIONS``, leads a connection to another database than its name says.
    """
    if answering != name:
        raise Refused(
            f"a connection to the run's own database {name} reached the database {answering}, where nothing "
            "was written: name the PostgreSQL server itself, not a pooler, and leave dbname out of OPTIONS"
        )


def _check_reached(server: ServerURL, name: str) -> None:
    import psycopg

    try:
        with closing(psycopg.connect(server.conninfo_of(name), autocommit=True)) as own:
            found = own.execute("SELECT current_database()").fetchone()
    except psycopg.Error as error:
        raise Refused(
            f"the PostgreSQL server at {server.place} does not open the database that it has made "
            f"({_first_line(error)}): name the server itself, or leave --database-server out"
        ) from None
    check_name(str(found and found[0]), name)


def _create(admin: Any, server: ServerURL, name: str) -> None:
    import psycopg

    try:
        admin.execute(f'CREATE DATABASE "{name}"')
    except psycopg.Error as error:
        raise Refused(
            f"the PostgreSQL server at {server.place} makes no database ({_first_line(error)}): "
            "name a user that may create one, or leave --database-server out"
        ) from None


def _drop(admin: Any, server: ServerURL, name: str, tell: Callable[[str], None]) -> None:
    import psycopg

    try:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    except psycopg.Error as error:
        tell(
            f"database {name} on the PostgreSQL server at {server.place} was not dropped "
            f"({_first_line(error)}): drop it by hand"
        )


def _refuse(message: str) -> None:
    raise Refused(message)


def _say_nothing(message: str) -> None:
    """On a private server nothing is left behind: its databases end with it."""


def _check_psycopg(named: str | None, otherwise: str) -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError:
        way = "pip install '.[postgres]'"
        raise Refused(
            f"a private PostgreSQL server needs psycopg: {way}"
            if named is None
            else f"--database-server needs psycopg: {way}, or leave it out for {otherwise}"
        ) from None


@contextmanager
def _connected(server: ServerURL) -> Iterator[Any]:
    import psycopg

    try:
        admin = psycopg.connect(server.login_conninfo, autocommit=True, connect_timeout=10)
    except psycopg.Error as error:
        raise Refused(
            f"the PostgreSQL server at {server.place} cannot be used ({_first_line(error)}): "
            "start it, or leave --database-server out"
        ) from None
    with closing(admin):
        _check_version(admin.info.server_version, server.place)
        yield admin


def _check_version(version: int, where: str) -> None:
    if version < OLDEST * 10_000:
        raise Refused(
            f"the PostgreSQL server at {where} is version {_version(version)}, and a run drops its database "
            f"with FORCE, which began with {OLDEST}: name a newer one, or leave --database-server out"
        )


def _description(admin: Any, name: str, private: bool) -> str:
    version = f"PostgreSQL {_version(admin.info.server_version)}"
    if private:
        return f"{version}, private server made for this run, database {name}"
    host = admin.info.host
    where = f"{host}:{admin.info.port}" if host and not host.startswith(("/", "@")) else "a unix socket"
    return f"{version} at {where}, database {name}, made for this run"


def _version(number: int) -> str:
    """Return a version as people write it: 150018 is 15.18."""
    return f"{number // 10_000}.{number % 10_000}"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
