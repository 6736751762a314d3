"""Opens the lane on a database that the run has made: tables first, by the migrations of the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from django.core.management import call_command

from statemachine.binding import Binding, OwnFault
from statemachine.world.transactions.lane import TransactionsLane
from statemachine.world.transactions.sessions import in_place_of_the_default, new_wrapper


@contextmanager
def open_on(
    configuration: Mapping[str, Any], binding: Binding, path: str, clock_skew_seconds: int = 0
) -> Iterator[TransactionsLane]:
    """An open lane on the empty database of ``configuration``, an entry of Django's ``DATABASES``.

    ``path`` names the binding.  Raises :class:`~statemachine.binding.OwnFault` when its migrations fail.
    """
    _migrate(configuration, path)
    lane = TransactionsLane(binding, configuration, clock_skew_seconds)
    with lane.open():
        yield lane


def _migrate(configuration: Mapping[str, Any], path: str) -> None:
    with closing(new_wrapper(configuration)) as wrapper, in_place_of_the_default(wrapper):
        try:
            call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)
        except Exception as error:
            raise OwnFault(
                f"--binding {path}: its migrations cannot make an empty database on PostgreSQL "
                f"({type(error).__name__}: {error}); mend them, or play --lane embedded"
            ) from error
