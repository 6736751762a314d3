"""Databases for tasks that other processes do, on one server: a new database for each task.

The process that deals the tasks out makes and drops them, since one that is killed in the middle of its task
drops nothing.  That a task uses its own database is not checked.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from statemachine.world.databases.postgresql import database
from statemachine.world.databases.private_server import CONNECTIONS, private_server

CONNECTIONS_OF_A_TASK = 6
"""Two sessions, the verifier's own, the watcher's, that of the migrations, and the dealing process's."""
AT_REST = 10
"""Connections beside those of tasks: PostgreSQL keeps 3 for superusers, and a person may look in."""


class TaskDatabases:
    """The databases of the tasks that are under way."""

    def __init__(self, url: str, version: str) -> None:
        self.url = url
        """Of the server."""
        self.version = version
        """Name and number: ``PostgreSQL 17.4``."""
        self._made: dict[Hashable, ExitStack] = {}

    def make(self, task: Hashable) -> dict[str, Any]:
        """Make a database for ``task``; return its entry of Django's ``DATABASES``.

        Raise :class:`~statemachine.world.databases.safety.Refused` when the server makes none.
        """
        with ExitStack() as stack:
            made = stack.enter_context(database(self.url))
            self._made[task] = stack.pop_all()
        return made.django_settings()

    def done(self, task: Hashable) -> None:
        """Drop the database of ``task``, if it has one."""
        made = self._made.pop(task, None)
        if made is not None:
            made.close()

    def close(self) -> None:
        """Drop the databases of tasks that did not end."""
        for task in list(self._made):
            self.done(task)


@contextmanager
def databases_for_tasks(named: str | None, at_once: int) -> Iterator[TaskDatabases]:
    """Use the server at the URL ``named``, else a private one with connections for ``at_once`` tasks.

    Raise :class:`~statemachine.world.databases.safety.Refused` for a server that cannot be used: it is tried
    before any task begins.  Leave the context only after the processes that do the tasks have ended.
    """
    with ExitStack() as stack:
        if named is None:
            most = max(CONNECTIONS, AT_REST + CONNECTIONS_OF_A_TASK * at_once)
            url = stack.enter_context(private_server(connections=most)).url
        else:
            url = named
        with database(url) as tried:
            version = " ".join(tried.description.split()[:2]).rstrip(",")
        databases = TaskDatabases(url, version)
        stack.callback(databases.close)
        yield databases
