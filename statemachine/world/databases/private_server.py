"""A PostgreSQL server for one run; nothing of it is left afterwards.

It listens on a unix socket in a directory of its own.  PostgreSQL refuses to run as root, so for root an
existing user without rights runs it.  ``initdb`` takes 0.5 s and the start 0.1 s.

It is fast because it can be thrown away, so it shows nothing about durability.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from statemachine.world.databases.binaries import Binaries, enterable, find
from statemachine.world.databases.safety import Refused

CONNECTIONS = 50
"""Connections to it at a time, unless a caller asks for more."""
OWNER = "owner"
PORT = 5432
"""Part of the socket's name; no network port is opened."""
WITHOUT_RIGHTS = ("nobody",)
"""Existing users who may run a server for root.  None is ever created."""
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": str(CONNECTIONS),
    # The scheduler ends deadlocks, and always the same way.  Within its patience of 30 s the server must not
    # choose a victim of its own.
    "deadlock_timeout": "600s",
    # Nothing has to survive a crash of the machine.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "16MB",
    # Shared memory as files in its own directory is removed with that, even after kill -9.
    "dynamic_shared_memory_type": "mmap",
    # Only the run may open transactions and take locks: a vacuum at the wrong moment would be a lock wait
    # that no replay repeats.
    "autovacuum": "off",
    "max_parallel_workers": "0",
    "max_logical_replication_workers": "0",
    "jit": "off",
}
LONGEST_SOCKET = 103
"""Bytes of a unix socket's path: 107 on Linux, 103 on macOS."""
MISSING = (
    "a PostgreSQL: install one (apt install postgresql), or pip install '.[postgres]', "
    "or name one with --database-server"
)


@dataclass(frozen=True)
class PrivateServer:
    """A server that is running."""

    url: str
    """Of its database ``postgres``."""
    folder: Path
    """Holds all its files."""
    pid: int


@contextmanager
def private_server(
    binaries: Binaries | None = None, connections: int = CONNECTIONS
) -> Iterator[PrivateServer]:
    """Start a server out of ``binaries`` (default: what ``find`` finds); it ends with the context or process.

    It takes up to ``connections`` connections at a time.

    Raise :class:`~statemachine.world.databases.safety.Refused` where none can be started.
    """
    identity = _identity()
    found = binaries or find(any_user=bool(identity))
    if found is None:
        raise Refused(f"a private server needs {MISSING}")
    task = {
        "programs": str(found.directory),
        "copied": [str(path) for path in found.needs] if identity and not found.open_to_all() else [],
        "within": str(_directory(any_user=bool(identity))),
        "owner": OWNER,
        "settings": {**SETTINGS, "max_connections": str(connections)},
        "identity": identity,
    }
    watchdog = subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(__file__).with_name("watchdog.py")), json.dumps(task)],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    try:
        yield _read_answer(watchdog, found)
    finally:
        _end(watchdog)


def unprivileged_user(names: Sequence[str] = WITHOUT_RIGHTS) -> str | None:
    """Return the first of ``names`` that exists and is not root; None where none does."""
    import pwd

    for name in names:
        with suppress(KeyError):
            if pwd.getpwnam(name).pw_uid != 0:
                return name
    return None


def _identity(names: Sequence[str] = WITHOUT_RIGHTS) -> Mapping[str, Any]:
    """Return the user and groups that run the server, for ``Popen``; empty for this process's own user."""
    if not hasattr(os, "geteuid"):
        raise Refused(
            "a private PostgreSQL server needs a POSIX system: name a server with --database-server, "
            "or run it in WSL or a container"
        )
    if os.geteuid() != 0:
        return {}
    import pwd

    name = unprivileged_user(names)
    if name is None:
        raise Refused(
            f"PostgreSQL never runs as root, and there is no user {' or '.join(names)} to run it as: "
            "run this as another user, or name a server with --database-server"
        )
    user = pwd.getpwnam(name)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _directory(any_user: bool) -> Path:
    """Return a directory for the server's files: the usual one, unless a socket cannot be there."""
    tried = dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp"))
    for path in map(Path, tried):
        socket = path / "statemachine-pg-12345678" / f".s.PGSQL.{PORT}"
        # PostgreSQL reads unix_socket_directories as a list: quotes, commas and spaces have a meaning there.
        plain = re.fullmatch(r"[\w/.+-]+", str(path), re.ASCII)
        if not plain or len(str(socket)) > LONGEST_SOCKET or not os.access(path, os.W_OK | os.X_OK):
            continue
        if not any_user or enterable(path):
            return path
    raise Refused(
        f"no directory of {', '.join(tried)} can hold a PostgreSQL server's socket (a short and plain path "
        "that its user may enter): set TMPDIR to one that can"
    )


def _read_answer(watchdog: subprocess.Popen[str], binaries: Binaries) -> PrivateServer:
    """Return the server that the watchdog has started.  Raise :class:`Refused` with its reason if none."""
    line = watchdog.stdout.readline() if watchdog.stdout else ""
    answer = json.loads(line or '{"failed": "its watchdog ended at once"}')
    if "failed" in answer:
        raise Refused(
            f"the PostgreSQL of {binaries.directory} does not start: {answer['failed']}; mend it, or name a "
            "server with --database-server"
        )
    folder = answer["folder"]
    # libpq would take what the URL does not name from PGPORT and PGOPTIONS.
    url = f"postgresql://{OWNER}@/postgres?host={quote(folder, safe='')}&port={PORT}&options="
    return PrivateServer(url, Path(folder), answer["pid"])


def _end(watchdog: subprocess.Popen[str]) -> None:
    with suppress(BrokenPipeError):
        # Closing the pipe may not be enough: a fork of this process may still hold its other end open.
        print("end", file=watchdog.stdin, flush=True)
    for pipe in (watchdog.stdin, watchdog.stdout):
        with suppress(BrokenPipeError):
            if pipe:
                pipe.close()
    watchdog.wait()
