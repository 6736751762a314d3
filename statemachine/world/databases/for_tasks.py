"""Databases for tasks that other processes do, on one server: each task has a new one for itself.

Whoever deals the tasks out makes and drops them, since a process that is ended in the middle of its task
drops nothing.  It does not see to it that a task uses its own.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from statemachine.world.databases.postgresql import database
from statemachine.world.databases.private_server import CONNECTIONS, private_server

CONNECTIONS_OF_A_TASK = 6
"""Two sessions, the verifier's own, the one that looks on, that of the migrations, and the dealer's."""
AT_REST = 10
"""Connections beside those of tasks: what PostgreSQL keeps for superusers, and who looks in."""


class TaskDatabases:
    """``url`` is that of the server, ``version`` its name and number: ``PostgreSQL 17.4``."""

    def __init__(self, url: str, version: str) -> None:
        self.url = url
        self.version = version
        self._made: dict[Hashable, ExitStack] = {}

    def make(self, task: Hashable) -> dict[str, Any]:
        """A new database, as an entry of Django's ``DATABASES``, until ``task`` is :meth:`done`.

        Raises :class:`~statemachine.world.databases.safety.Refused` when the server makes none.
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
        """Drop those of the tasks that never came to their end."""
        for task in list(self._made):
            self.done(task)


@contextmanager
def databases_for_tasks(named: str | None, at_once: int) -> Iterator[TaskDatabases]:
    """On the server at the URL ``named``, else on a private one that bears so many tasks ``at_once``.

    Raises :class:`~statemachine.world.databases.safety.Refused` for a server that cannot be used: it is
    tried before any task begins.  Leave it only after the processes that do the tasks have ended.
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
