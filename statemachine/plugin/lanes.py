"""The lanes that play examples, as the tests of ``pytest statemachine/`` see them: opened, and played.

What a lane plays and what that shows is said where the lane itself is (``search/``, ``world/``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import pytest

from statemachine.binding import BindingError, load
from statemachine.plugin.ending import stop, unknown
from statemachine.plugin.progress import Progress
from statemachine.plugin.replay_player import ReplayPlayer
from statemachine.plugin.search_player import SearchPlayer
from statemachine.plugin.strategies import strategy_for
from statemachine.report.asked import Asked
from statemachine.report.outcome import Outcome
from statemachine.search.lanes import TRANSACTIONS
from statemachine.search.triage.alone import FreshProcess, set_aside
from statemachine.world.databases import safety
from statemachine.world.databases.availability import missing_because, packages_missing
from statemachine.world.databases.postgresql import database, named_server
from statemachine.world.exits import GivenUp
from statemachine.world.lane import Lane, Lost


class LanePlayer:
    """Plays what is asked of an open lane: a search, or a saved history."""

    def __init__(
        self,
        config: pytest.Config,
        outcome: Outcome,
        lane: Lane,
        process: FreshProcess | None = None,
    ) -> None:
        self.config = config
        self.outcome = outcome
        self.lane = lane
        self.process = process
        """Where a finding is played alone; None where no process could be set aside."""

    def play(self) -> None:
        """Fail the test, with a report for a traceback, unless the verdict is PASS or FIXED."""
        try:
            self._play()
        except Lost as error:
            self._stop(error)
        except GivenUp as why:
            # Of a replay, or between two steps: a search counts its own and goes on.
            if self.outcome.run is not None:
                self.outcome.run.tally.lost.append(str(why))
                self.outcome.run.finished = True
            unknown(self.outcome, str(why))
        except (Exception, pytest.fail.Exception):
            # Without its server a lane shows what no system under test has done.
            try:
                self.lane.check()
            except Lost as error:
                self._stop(error)
            raise

    def _play(self) -> None:
        asked = self.outcome.asked
        if asked.saved is not None:
            ReplayPlayer(self.config, self.outcome, self.lane).play(*asked.saved)
            return
        progress = Progress(self.config)
        strategy = strategy_for(asked, self.lane, progress, self.config.getoption("maxfail") or 0)
        SearchPlayer(self.config, self.outcome, self.lane, progress, self.process).play(strategy)

    def _stop(self, lost: Lost) -> NoReturn:
        stop(self.config, f"--lane {self.outcome.asked.lane}: {lost}")


@contextmanager
def embedded(asked: Asked) -> Iterator[tuple[Lane, FreshProcess | None]]:
    """Open the embedded lane; yield it with the process where a finding is played alone."""
    lane = Lane(asked.binding, asked.clock_skew_seconds)

    @contextmanager
    def opened() -> Iterator[Lane]:
        with lane.open():
            yield lane

    with set_aside(opened) as process, opened():
        yield lane, process


@contextmanager
def interleaved(
    config: pytest.Config, asked: Asked, notes: list[str], outcome: Outcome | None = None
) -> Iterator[tuple[Lane, str, FreshProcess | None]]:
    """Open the transactions lane; yield it, a description of its database, and the process for a finding.

    Skips the test where there is no server for it, and says so in ``notes`` and ``outcome``.
    """
    named = named_server(asked.database_server)
    missing = missing_because(named)
    if named and packages_missing():
        stop(config, f"--database-server needs {packages_missing()}: pip install '.[postgres]'")
    if missing and config.getoption("--lane"):
        stop(config, f"--lane {TRANSACTIONS.name}: {missing}")
    if missing:
        notes.append(f"skipped: {missing}")
        if outcome is not None:
            outcome.skipped = True
        pytest.skip(missing)
    from statemachine.world.transactions.lane import open_on

    # A binding can be opened once only, and the embedded lane has opened the one of the command line.
    path = asked.binding_path
    binding = load(path, asked.defect)

    @contextmanager
    def opened() -> Iterator[tuple[Lane, str]]:
        with (
            database(named) as made,
            open_on(made.django_settings(), binding, path, asked.clock_skew_seconds) as lane,
        ):
            yield lane, made.description

    @contextmanager
    def opened_there() -> Iterator[Lane]:
        with opened() as (lane, _):
            yield lane

    try:
        with set_aside(opened_there) as process, opened() as (lane, description):
            yield lane, description, process
    except (BindingError, safety.Refused) as error:
        stop(config, str(error))
    except Lost:
        # LanePlayer has said so, and a server that is gone has nothing to be cleaned up.
        pass
