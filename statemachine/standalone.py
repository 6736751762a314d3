"""A lane outside of pytest, for benchmarks and commands: same binding, same safety, own database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from statemachine import safety
from statemachine.binding import DEFAULT_BINDING, Binding, load
from statemachine.example import Lane


def load_here(path: str, defect: str | None = None) -> Binding:
    """The binding, if it may be used in this environment.

    Raises ``BindingError``, and ``safety.Refused`` when the environment names other settings than its own.
    """
    binding = load(path, defect)
    found = {"the environment's DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE")}
    safety.check_settings_module(binding.settings_module, path, found)
    return binding


@contextmanager
def open_lane(
    path: str = DEFAULT_BINDING, defect: str | None = None, clock_skew_seconds: int = 0
) -> Iterator[Lane]:
    """An open lane on a database in memory, which is gone afterwards.

    Raises ``BindingError`` and ``safety.Refused`` as a run would.
    """
    binding = load_here(path, defect)
    os.environ["DJANGO_SETTINGS_MODULE"] = binding.settings_module

    import django
    from django.db import connections
    from django.test.utils import setup_databases, teardown_databases

    django.setup()
    safety.make_private(connections.settings)
    created = setup_databases(verbosity=0, interactive=False)
    try:
        safety.check_private(connections.all())
        lane = Lane(binding, clock_skew_seconds)
        with lane.open():
            yield lane
    finally:
        teardown_databases(created, verbosity=0)
