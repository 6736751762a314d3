"""Whether there can be a PostgreSQL here, in one line: a lane without one is skipped, and says so.

Apart from the modules that use it, since the line is printed where psycopg is not installed.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from statemachine.world.databases.binaries import find
from statemachine.world.databases.private_server import MISSING, WITHOUT_RIGHTS, unprivileged_user

PACKAGES = ("psycopg", "greenlet")


def packages_missing() -> str:
    """Return the packages that the lane needs and that are not installed; empty when all are."""
    return " and ".join(name for name in PACKAGES if find_spec(name) is None)


def missing_because(named: str | None, lane: str = "the transactions lane") -> str | None:
    """Return why there can be no PostgreSQL server, and how to get one; None when there can.

    A server that is ``named`` (its URL) is never a reason to skip a lane: a user who names one wants to hear
    of an error when it cannot be used.
    """
    if named is not None:
        return None
    if not hasattr(os, "geteuid"):
        return f"{lane} needs a POSIX system, or a server that is named with --database-server"
    missing = packages_missing()
    if missing:
        return f"{lane} needs {missing}: pip install '.[postgres]'"
    as_root = os.geteuid() == 0
    if as_root and unprivileged_user() is None:
        return (
            f"{lane} runs PostgreSQL, which never runs as root, and there is no user {WITHOUT_RIGHTS[0]}: "
            "run it as another user, or name a server with --database-server"
        )
    return None if find(any_user=as_root) else f"{lane} needs {MISSING}"
