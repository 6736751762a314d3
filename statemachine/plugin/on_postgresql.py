"""The transactions lane inside of a pytest run: opened where it can be, skipped where it has no server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from statemachine.binding import BindingError, load
from statemachine.plugin import xdist as distributed
from statemachine.report.session import Session
from statemachine.search.lanes import TRANSACTIONS
from statemachine.world.databases import safety
from statemachine.world.databases.availability import missing_because, packages_missing
from statemachine.world.databases.postgresql import database, named_server
from statemachine.world.lane import Lane, Lost


@contextmanager
def on_postgresql(config: pytest.Config, session: Session) -> Iterator[tuple[Lane, str]]:
    """The transactions lane, open, and what its database is; skips the test where there is no server."""
    named = named_server(session.database_server)
    missing = missing_because(named)
    if named and packages_missing():
        distributed.stop(config, f"--database-server needs {packages_missing()}: pip install '.[postgres]'")
    if missing and config.getoption("--lane"):
        distributed.stop(config, f"--lane {TRANSACTIONS.name}: {missing}")
    if missing:
        session.notes.append(f"skipped: {missing}")
        pytest.skip(missing)
    from statemachine.world.transactions.lane import open_on

    # A binding of its own: one is opened once.
    path = session.binding_path
    binding = load(path, session.defect)
    try:
        with (
            database(named) as made,
            open_on(made.django_settings(), binding, path, session.clock_skew_seconds) as lane,
        ):
            yield lane, made.description
    except (BindingError, safety.Refused) as error:
        distributed.stop(config, str(error))
    except Lost:
        # Whoever plays the lane says so; nothing is left there to be cleaned up.
        pass
