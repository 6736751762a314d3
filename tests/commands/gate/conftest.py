"""Runs of the gate, four at a time; each is read by several tests and changed by none."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.commandline import Ran, command, write

AT_ONCE = 4

THEIRS = """
import sys
from models_under_test.binding import AIJobsBinding
from models_under_test.fleets import PipelineFleet

class Unmigrated(AIJobsBinding):
    settings_module = "unmigrated_settings"

class Crashing(PipelineFleet):
    def command(self, worker):
        return (sys.executable, "-S", "-c", "import sys; sys.exit('MODEL_PATH is not set')")

class Crash(AIJobsBinding):
    def fleets(self, stage):
        return [Crashing(self, stage)]
"""

UNMIGRATED_SETTINGS = """
from models_under_test.settings import *
MIGRATION_MODULES = {"models_under_test": None}
"""

NEEDS_MORE = "import django_extensions\n"

WALKS: Mapping[str, tuple[str, ...]] = {
    # The longest first.
    "a defect": ("--defect", "released_message_deleted", "--skip", "video", "messaging"),
    "the correct system": (),
    "on PostgreSQL": (),
    "stopped by TERM": ("--stop", "term", "--skip", "video", "messaging"),
    "stopped by Ctrl-C": ("--stop", "ctrl-c", "--skip", "video", "messaging"),
    "workers that crash": ("--binding", "theirs:Crash"),
    "without AI": ("--skip", "ai"),
    "an unknown pipeline": ("--skip", "audio"),
    "unmigrated": ("--binding", "theirs:Unmigrated"),
    "a missing module": ("--binding", "needs_more:Binding"),
    "an unreachable database": ("--database-server", "postgresql://me:s3cr3t@127.0.0.1:1/postgres"),
}
"""Most of a walk is waiting, for a message to get to the DLQ above all."""


@dataclass(frozen=True)
class Walked:
    """A walk of the gate, and what it wrote to gate-report.md."""

    ran: Ran
    report: str


@pytest.fixture(scope="session")
def walks(tmp_path_factory: pytest.TempPathFactory, postgresql_server: str) -> Mapping[str, Walked]:
    """The outcome of each of :data:`WALKS`."""
    more = {"on PostgreSQL": ("--database-server", postgresql_server)}

    # Not in the threads: the first directory that a factory makes clears away all that were there.
    places = {name: tmp_path_factory.mktemp("gate") for name in WALKS}

    def walk(name: str) -> Walked:
        place = places[name]
        write(place, theirs=THEIRS, unmigrated_settings=UNMIGRATED_SETTINGS, needs_more=NEEDS_MORE)
        ran = command("gate", *WALKS[name], *more.get(name, ()), cwd=place)
        return Walked(ran, _text(place / "gate-report.md"))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(WALKS, pool.map(walk, WALKS), strict=True))


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""
