"""A PostgreSQL server for one run: nobody else knows it, and nothing of it is left afterwards.

It listens on a unix socket in a directory of its own and never runs as root: root lends it to an existing
user without rights.  It is made to be fast and to be thrown away, so it shows nothing about durability; and
it detects no deadlock by itself for ten minutes, so that whoever schedules its transactions does.
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
OWNER = "owner"
PORT = 5432
"""Part of the socket's name; no port of any network."""
WITHOUT_RIGHTS = ("nobody",)
"""Users to whom root may lend a server.  None is ever created."""
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": str(CONNECTIONS),
    "deadlock_timeout": "600s",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "16MB",
    # Shared memory in its own directory goes with it, even after kill -9.
    "dynamic_shared_memory_type": "mmap",
    # Nobody but the run opens a transaction or waits for a lock.
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
    """``url`` leads to its database ``postgres``; ``folder`` holds all its files; ``pid`` is its process."""

    url: str
    folder: Path
    pid: int


@contextmanager
def private_server(
    binaries: Binaries | None = None, connections: int = CONNECTIONS
) -> Iterator[PrivateServer]:
    """A server out of ``binaries`` (default: what ``find`` finds), for as long as this process lives.

    It bears so many ``connections`` at a time.
    Raises :class:`~statemachine.world.databases.safety.Refused` where none can be started.
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
        yield _told(watchdog, found)
    finally:
        _end(watchdog)


def unprivileged_user(names: Sequence[str] = WITHOUT_RIGHTS) -> str | None:
    """The first of ``names`` that exists and is not root; None where no such user does."""
    import pwd

    for name in names:
        with suppress(KeyError):
            if pwd.getpwnam(name).pw_uid != 0:
                return name
    return None


def _identity(names: Sequence[str] = WITHOUT_RIGHTS) -> Mapping[str, Any]:
    """As whom the server runs: empty for this process's user, who is not root."""
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
    """Where temporary files go: the usual place, unless a socket there has too long a name or is shut."""
    tried = dict.fromkeys((tempfile.gettempdir(), "/tmp", "/var/tmp"))
    for path in map(Path, tried):
        socket = path / "statemachine-pg-12345678" / f".s.PGSQL.{PORT}"
        # PostgreSQL reads a list of directories there, in which quotes, commas and spaces mean something.
        plain = re.fullmatch(r"[\w/.+-]+", str(path), re.ASCII)
        if not plain or len(str(socket)) > LONGEST_SOCKET or not os.access(path, os.W_OK | os.X_OK):
            continue
        if not any_user or enterable(path):
            return path
    raise Refused(
        f"no directory of {', '.join(tried)} can hold a PostgreSQL server's socket (a short and plain path "
        "that its user may enter): set TMPDIR to one that can"
    )


def _told(watchdog: subprocess.Popen[str], binaries: Binaries) -> PrivateServer:
    line = watchdog.stdout.readline() if watchdog.stdout else ""
    told = json.loads(line or '{"failed": "its watchdog ended at once"}')
    if "failed" in told:
        raise Refused(
            f"the PostgreSQL of {binaries.directory} does not start: {told['failed']}; mend it, or name a "
            "server with --database-server"
        )
    folder = told["folder"]
    # What is not named would be taken from PGPORT and PGOPTIONS.
    url = f"postgresql://{OWNER}@/postgres?host={quote(folder, safe='')}&port={PORT}&options="
    return PrivateServer(url, Path(folder), told["pid"])


def _end(watchdog: subprocess.Popen[str]) -> None:
    with suppress(BrokenPipeError):
        # A fork of this process may still hold the pipe, so that its end alone would not be heard.
        print("end", file=watchdog.stdin, flush=True)
    for pipe in (watchdog.stdin, watchdog.stdout):
        with suppress(BrokenPipeError):
            if pipe:
                pipe.close()
    watchdog.wait()
