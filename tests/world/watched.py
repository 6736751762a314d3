"""A connection under watch, for tests of the faults that strike on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

from django.db import DatabaseError, connection, transaction

from models_under_test.models import Tenant
from statemachine.world.django_faults import ConnectionFaults
from statemachine.world.faults import Fault, Strike, WorkerKilled


class Watched:
    """A watched connection; ``seen`` is what it reported, in order, hooks of ``on_commit`` included."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.faults = ConnectionFaults(
            connection,
            committed=lambda: self.seen.append(f"committed {sorted(self.stored())}"),
            struck=lambda fault: self.seen.append(f"struck {fault}"),
        )

    def stored(self) -> set[str]:
        """The codes of the tenants that are committed, as another connection sees them."""
        with closing(sqlite3.connect(connection.settings_dict["NAME"], uri=True)) as elsewhere:
            return {code for (code,) in elsewhere.execute("SELECT code FROM tenant")}

    def call(
        self, block: Callable[[], None], fault: Fault | None = None, at: int = 1
    ) -> BaseException | None:
        """Run ``block`` under ``fault`` as the example does; the exception that it ended with."""
        self.faults.arm(Strike(fault, at) if fault else None, "prepare")
        try:
            block()
        except (WorkerKilled, DatabaseError) as error:
            return error
        else:
            return None
        finally:
            self.dead, self.autocommitted = self.faults.dead, self.faults.autocommitted
            self.boundary, self.statements = self.faults.calls.boundary, self.faults.statements
            self.faults.disarm()

    def write(self, *codes: str) -> None:
        """An atomic block with a hook, as a use case has it."""
        with transaction.atomic(durable=True):
            for code in codes:
                Tenant.objects.create(code=code)
            transaction.on_commit(lambda: self.seen.append("hook"))

    def is_usable(self) -> bool:
        """Whether the connection is at rest, and whether it still commits and runs its hooks."""
        at_rest = not connection.in_atomic_block and connection.get_autocommit()
        at_rest = at_rest and not connection.connection.in_transaction and not connection.needs_rollback
        self.seen.clear()
        before = self.stored()
        error = self.call(lambda: self.write("later"))
        after = before | {"later"}
        return (
            at_rest
            and error is None
            and self.stored() == after
            and self.seen == [f"committed {sorted(after)}", "hook"]
        )
