"""A throw-away PostgreSQL server from the binaries that a Debian package brings, on a socket of its own.

PostgreSQL does not run as root, so root lends it to a user without rights.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """The directory of the newest server that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """The URL of a server that nobody else knows."""
    user = _unprivileged()
    # A socket's path may have 107 characters, which those of pytest's own directories can exceed.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        shutil.chown(folder, user)
        data, socket = folder / "data", folder
        _as(user, programs / "initdb", "-D", data, "-A", "trust", "-U", "owner", "-N")
        server = f"-k {socket} -h '' -c fsync=off"
        _as(user, programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w", "-o", server, "start")
        try:
            yield f"postgresql://owner@/postgres?host={socket}"
        finally:
            _as(user, programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _unprivileged() -> str:
    me = pwd.getpwuid(os.getuid())
    return "nobody" if me.pw_uid == 0 else me.pw_name


def _as(user: str, program: Path, *arguments: object) -> None:
    command = [str(program), *map(str, arguments)]
    become: Sequence[str] = ["runuser", "-u", user, "--"] if os.getuid() == 0 else []
    # A server that inherited the pipes would keep them open for ever.
    done = subprocess.run(
        [*become, *command], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60
    )
    assert done.returncode == 0, command
