"""Start what real workers need: database, queue server, schema, and the fleets of a binding.

This process becomes the operator of the run: its Django is configured for the run's own database, which
Django allows once in a process.  So it is a process of its own (a command), never pytest's.

A run is broken off by Ctrl-C or SIGTERM and still cleans up; after SIGKILL nothing can.
"""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import cast

from statemachine.binding import Binding, BindingError
from statemachine.binding.fleet import Fleet, FleetBinding, Stage
from statemachine.processes.databases import Database, private_database
from statemachine.processes.servers import SQSServer, sqs_server
from statemachine.world.databases.opening import load_here
from statemachine.world.databases.postgresql import check_name
from statemachine.world.databases.safety import Refused

INTERRUPTS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class PreparedStage:
    """Everything that workers need runs; no worker does yet."""

    stage: Stage
    binding: FleetBinding
    database: Database
    sqs: SQSServer
    fleets: Sequence[Fleet]


@contextmanager
def prepared_stage(
    binding_path: str,
    *,
    defect: str | None = None,
    server: str | None = None,
    visibility_seconds: int = 3,
    margin_seconds: int = 1,
) -> Iterator[PreparedStage]:
    """Start what workers need, migrate, create the queues; remove all of it afterwards.

    Raises ``BindingError`` for a binding without fleets,
    :class:`~statemachine.world.databases.safety.Refused` for a database that is not the run's own and where
    there are no POSIX signals, ``NotInstalled`` without moto, and ``KeyboardInterrupt`` for SIGTERM as well.
    """
    _check_signals()
    binding = _with_fleets(binding_path, defect)
    with (
        cleaned_up_after(),
        tempfile.TemporaryDirectory(prefix="statemachine-") as folder,
        sqs_server() as sqs,
    ):
        directory = Path(folder)
        with private_database(directory, server) as database:
            stage = Stage(
                database.url, sqs.endpoint, directory, visibility_seconds, margin_seconds, defect=defect
            )
            _configure_django(binding, database, binding.environment(stage))
            fleets = binding.fleets(stage)
            for fleet in fleets:
                fleet.create_queues()
            try:
                yield PreparedStage(stage, binding, database, sqs, fleets)
            finally:
                _disconnect()


def _check_signals() -> None:
    if not hasattr(signal, "SIGSTOP"):
        raise Refused(
            "real workers are frozen and killed by POSIX signals, which this system lacks (there is no "
            "SIGSTOP): run it on Linux or macOS, on Windows in WSL or a container"
        )


def _with_fleets(path: str, defect: str | None) -> FleetBinding:
    binding = load_here(path, defect)
    missing = [name for name in ("environment", "fleets") if not hasattr(binding, name)]
    if missing:
        raise BindingError(
            f"--binding {path}: it lacks {', '.join(missing)}, so there are no worker processes to run; "
            "statemachine/binding/fleet.py says what to write"
        )
    return cast(FleetBinding, binding)


def _configure_django(binding: Binding, database: Database, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    os.environ["DJANGO_SETTINGS_MODULE"] = binding.settings_module

    import django
    from django.core.management import call_command

    # Before apps are set up: their ready() may write, and to no database but the run's own.
    _check_databases(binding, database)
    django.setup()
    call_command("migrate", verbosity=0, interactive=False)


def _check_databases(binding: Binding, database: Database) -> None:
    from django.db import connections

    for alias in connections:
        connection = connections[alias]
        name = connection.settings_dict["NAME"]
        if str(name) != database.name:
            raise Refused(
                f"database {alias!r} of {binding.settings_module} is {name} and not {database.description}: "
                "let the binding's environment(stage) lead the settings to stage.database_url"
            )
        if connection.vendor == "postgresql":
            connection.ensure_connection()
            # Past Django, which warns of queries while apps are set up.
            with connection.connection.cursor() as cursor:
                cursor.execute("SELECT current_database()")
                check_name(cursor.fetchone()[0], database.name)


def _disconnect() -> None:
    from django.db import connections

    connections.close_all()


@contextmanager
def cleaned_up_after() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` for the first SIGINT or SIGTERM within, and ignore all further ones.

    Python dies of SIGTERM without cleaning up, and of a second Ctrl-C while it cleans up: either would leave
    workers and databases behind.
    """
    before = {number: signal.signal(number, _interrupted) for number in INTERRUPTS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # After an interruption they stay ignored: what is left to do is to say so and exit.
            if signal.getsignal(number) is _interrupted:
                signal.signal(number, handler)


def _interrupted(number: int, frame: FrameType | None) -> None:
    for each in INTERRUPTS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
