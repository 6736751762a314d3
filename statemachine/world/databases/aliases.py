"""Django's names for the database of a run: ``default``, and whatever the settings set to the same database.

A read replica is the usual case.  All these aliases share one connection, as ``TEST: {MIRROR}`` once meant in
Django, so faults and commits are seen by whichever name the code goes.  Not shown is therefore what a replica
does of its own: it lags behind, and a reader of it does not see its own open transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def of_the_default() -> tuple[str, ...]:
    """Return the aliases whose database is that of ``default``, this one first.

    They are told by ``TEST: {MIRROR}``, which ``safety.make_private`` has written.
    """
    from django.db import connections

    configured = connections.settings
    return ("default", *(alias for alias in configured if configured[alias]["TEST"]["MIRROR"] == "default"))


@contextmanager
def in_place_of_the_default(wrapper: Any) -> Iterator[None]:
    """Let Django's alias ``default`` and its mirrors mean this connection, and those before it afterwards."""
    from django.db import connections

    before = {alias: connections[alias] for alias in of_the_default()}
    for alias in before:
        connections[alias] = wrapper
    try:
        yield
    finally:
        for alias, connection in before.items():
            connections[alias] = connection
