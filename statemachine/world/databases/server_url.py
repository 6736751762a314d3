"""The URL of a PostgreSQL server, read as libpq reads it: which server, and which database to log in to.

The URL alone says where a run goes.  Of the environment libpq takes who logs in (``PGUSER``, ``PGPASSWORD``,
``PGPASSFILE``) and how (``PGSSLMODE`` and its like), and nothing that leads elsewhere.

Not checked is what the server itself does with a name; ``postgresql.check_name`` asks it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from statemachine.world.databases.safety import Refused

LOGIN = "postgres"
"""The database to log in to when the URL has no path: every server has it."""

REDIRECTING = ("PGSERVICE", "PGSERVICEFILE", "PGHOSTADDR", "PGDATABASE", "PGOPTIONS")
"""Variables by which libpq goes to another server or database than it is told, or changes its sessions."""

_ONLY_IN_THE_URL = {"PGHOST": ("host", "hostaddr"), "PGPORT": ("port",)}
"""Variables that choose the server where a URL leaves all of these out."""

_NOT_IN_THE_QUERY = {
    "dbname": "which would be used in place of the run's own",
    "service": "whose file may name another server",
    "servicefile": "which may name another server",
}
"""Parameters that lead to another database than the run's, and how."""


@dataclass(frozen=True)
class ServerURL:
    """A URL on which Python and libpq agree."""

    _split: SplitResult = field(repr=False)
    _parameters: Mapping[str, Any] = field(repr=False)
    """Those of libpq, without ``dbname``."""
    _login: str

    @property
    def place(self) -> str:
        """Host and port, without a password."""
        return f"{self.host or 'its socket'}:{self._parameters.get('port') or 5432}"

    @property
    def host(self) -> str:
        """The name of the host; empty for a socket."""
        host = str(self._parameters.get("host") or self._parameters.get("hostaddr") or "")
        return "" if host.startswith(("/", "@")) else host

    @property
    def login_conninfo(self) -> str:
        """What to give psycopg to log in; may hold a password."""
        return self._conninfo(self._login)

    def conninfo_of(self, name: str) -> str:
        """Return what to give psycopg to open the database ``name``; may hold a password."""
        return self._conninfo(name)

    def _conninfo(self, name: str) -> str:
        from psycopg.conninfo import make_conninfo

        return make_conninfo(**{**self._parameters, "dbname": name})

    def url_of(self, name: str) -> str:
        """Return the URL of the database ``name`` on this server; may hold a password."""
        query = f"?{self._split.query}" if self._split.query else ""
        return f"{self._split.scheme}://{self._split.netloc}/{name}{query}"


def read(url: str, otherwise: str = "a private server") -> ServerURL:
    """Read the URL of ``--database-server``.

    ``otherwise`` says in errors what a run that names no server uses.  Raise :class:`.Refused`, without a
    password, for a URL of another kind, for one that Python and libpq read differently, and for one by which
    a connection could reach another database than the run's.
    """
    scheme = url.partition("://")[0] if re.match("[a-z0-9+]+://", url) else "nameless"
    if scheme not in ("postgresql", "postgres"):
        raise Refused(
            f"--database-server names a {scheme} server: "
            f"write postgresql://USER@HOST:PORT/postgres, or leave it out for {otherwise}"
        )
    if "#" in url:
        raise Refused(
            "--database-server has a # in it, and libpq takes what follows for a part of the address: write "
            "postgresql://USER@HOST:PORT/postgres without it, and %23 for a # of the password"
        )
    split, parameters = _split(url), _parameters_of(url)
    given = {name for name, _ in parse_qsl(split.query, keep_blank_values=True)}
    for name, why in _NOT_IN_THE_QUERY.items():
        if name in given:
            raise Refused(
                f"--database-server has {name}= as well, {why}: write "
                "postgresql://USER@HOST:PORT/postgres without it"
            )
    by_python = dict(_places(split))
    # An @ in the path comes after a password with a slash, whose first part both take for a port.
    if "@" in split.path or any(
        name not in given and parameters.get(name, "") != value for name, value in by_python.items()
    ):
        raise _unreadable()
    if "," in f"{parameters.get('host', '')}{parameters.get('hostaddr', '')}":
        raise Refused(
            "--database-server names several hosts, and a database that is made on one is not on the others: "
            "name one host"
        )
    for variable, names in _ONLY_IN_THE_URL.items():
        if os.environ.get(variable) and not any(parameters.get(name) for name in names):
            raise Refused(
                f"--database-server names no {names[0]}, and the environment's {variable} would choose it: "
                f"write the {names[0]} into the URL, or unset {variable}"
            )
    login = parameters.pop("dbname", "") or LOGIN
    return ServerURL(split, parameters, login)


def forget_redirections() -> None:
    """Take the variables of :data:`REDIRECTING` out of this process's environment, for good.

    Its connections would obey them, and so would those of the processes that it starts.
    """
    for variable in REDIRECTING:
        os.environ.pop(variable, None)


def _split(url: str) -> SplitResult:
    # urllib drops tabs and line ends without a word, and libpq ends at the first NUL.
    if re.search(r"[\x00-\x20\x7f]", url):
        raise _unreadable()
    try:
        split = urlsplit(url)
        _ = split.port
    except ValueError:
        raise _unreadable() from None
    return split


def _parameters_of(url: str) -> dict[str, Any]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        return dict(conninfo_to_dict(url))
    except psycopg.Error:
        raise _unreadable() from None


def _places(split: SplitResult) -> Iterator[tuple[str, str]]:
    """Yield libpq's parameters that stand before the query, as Python reads them."""
    yield "user", unquote(split.username or "")
    yield "password", unquote(split.password or "")
    where = split.netloc.rpartition("@")[2]
    yield "host", unquote(where[1:].partition("]")[0] if where[:1] == "[" else where.partition(":")[0])
    yield "port", str(split.port or "")
    yield "dbname", unquote(split.path.removeprefix("/"))


def _unreadable() -> Refused:
    # The messages of urllib and libpq about such a URL may quote a piece of its password.
    return Refused(
        "--database-server cannot be read: write postgresql://USER:PASSWORD@HOST:PORT/postgres, with "
        "every / @ : ? # of the password as %2F %40 %3A %3F %23, and after a ? what libpq knows"
    )
