"""Turn ``JOBS_DATABASE_URL``, one text that names the database, into Django's settings.

A module of its own, because the settings read it before Django is configured.  Whether a database answers
there is not checked.  A URL may hold a password, so no message repeats one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from urllib.request import url2pathname

RULE = "sqlite:///ABSOLUTE/PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME"
BUSY_SECONDS = 20
"""How long a statement waits for SQLite's one writer; less than the margin of the lease."""

SQLITE_OPTIONS: Mapping[str, Any] = {
    # A deferred transaction that reads first and writes later fails at once when another one wrote
    # in between, whatever the timeout; one that begins as a writer waits for its turn.
    "transaction_mode": "IMMEDIATE",
    "timeout": BUSY_SECONDS,
    "init_command": "PRAGMA journal_mode=WAL",
}
CONNECTION_KEYS = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
"""What Django takes beside its OPTIONS; ``?host=/run/postgresql`` names a socket's directory."""

REDIRECTING = ("dbname", "service", "servicefile")
"""Parameters by which libpq opens another database than ``NAME``."""


def database(url: str) -> dict[str, Any]:
    """Return Django's ``DATABASES["default"]`` for ``url``.

    Raises ``ValueError`` without the URL in it when the URL does not keep to :data:`RULE`.
    """
    try:
        split = urlsplit(url)
        return _READERS[split.scheme](split)
    except (KeyError, ValueError):
        # What urllib says about a port can be a piece of a password with a slash in it.
        raise ValueError(RULE) from None


def shown(url: str) -> str:
    """Return ``url`` without anything that might be secret."""
    scheme, separator, _ = url.partition("://")
    if scheme == "sqlite":
        return url
    return f"{scheme}://…" if separator and scheme.isalpha() else f"a text of {len(url)} characters"


def password_of(url: str) -> str | None:
    """Return the password in ``url``, None without one.  Raises ``ValueError`` as :func:`database` does."""
    return database(url).get("PASSWORD")


def _sqlite(split: SplitResult) -> dict[str, Any]:
    path = url2pathname(split.path)
    if split.netloc or split.query or path in {"", "/"}:
        raise ValueError(RULE)
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": dict(SQLITE_OPTIONS)}


def _postgresql(split: SplitResult) -> dict[str, Any]:
    name = unquote(split.path.removeprefix("/"))
    if not name or "/" in name or split.fragment:
        raise ValueError(RULE)
    # Raises ValueError when the port is no number.
    port = split.port
    places = {
        "HOST": split.hostname and unquote(split.hostname),
        "PORT": port and str(port),
        "USER": split.username and unquote(split.username),
        "PASSWORD": split.password and unquote(split.password),
    }
    options = dict(parse_qsl(split.query, strict_parsing=bool(split.query)))
    if not options.keys().isdisjoint(REDIRECTING):
        raise ValueError(RULE)
    places |= {CONNECTION_KEYS[key]: options.pop(key) for key in CONNECTION_KEYS if key in options}
    found = {key: value for key, value in places.items() if value}
    return {"ENGINE": "django.db.backends.postgresql", "NAME": name, "OPTIONS": options, **found}


_READERS: Mapping[str, Callable[[SplitResult], dict[str, Any]]] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "postgres": _postgresql,
}
