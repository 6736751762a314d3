"""What was asked for, and what came of it: of a whole run, and of each lane that it plays."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from statemachine.binding import DEFAULT_BINDING, Binding
from statemachine.history.events import Event
from statemachine.history.ndjson import Header
from statemachine.report.text.paper import WIDE, Paper
from statemachine.search.corpus.places import Directory, Place
from statemachine.search.lanes import EMBEDDED, TRANSACTIONS
from statemachine.search.run import Run
from statemachine.search.triage.replay import Replayed
from statemachine.world.databases.postgresql import without_password

CORPUS = ".statemachine/corpus"

_STRANGER = "pytest -p statemachine.plugin"
"""How pytest is called where no pyproject.toml of ours loads the plugin."""


@dataclass
class Session:
    """What was asked for on the command line, checked, and what came of it.

    ``lanes`` are to be played, each by a session of its own, ``parts``, whose ``lane`` it is.
    """

    binding_path: str
    binding: Binding
    defect: str | None
    seed: int
    clock_skew_seconds: int
    replay_path: str | None
    saved: tuple[Header, list[Event]] | None
    database: str = ""
    run: Run | None = None
    replayed: Replayed | None = None
    notes: list[str] = field(default_factory=list)
    lane: str = EMBEDDED.name
    lanes: tuple[str, ...] = (EMBEDDED.name,)
    database_server: str | None = None
    kills: str | None = None
    told: list[str] = field(default_factory=list)
    closing: list[str] = field(default_factory=list)
    report: Path | None = None
    paper: Paper = WIDE
    # Of a failure: what is said where there is one line, and what even where its report is not shown.
    headline: str = ""
    # Why a worker of pytest-xdist could not go on.
    refused: str = ""
    untold: list[str] = field(default_factory=list)
    page_written: bool = False
    fuzz_seconds: int = 0
    processes: int = 1
    corpus: Place = field(default_factory=lambda: Directory(Path(CORPUS)))
    exhaust: tuple[str, str] | None = None
    parts: dict[str, Session] = field(default_factory=dict)

    def of_lane(self, lane: str) -> Session:
        """The part of this session that plays ``lane``: same questions, answers of its own."""
        part = self.parts[lane] = replace(
            self, lane=lane, lanes=(lane,), notes=[], told=[], closing=[], untold=[], parts={}
        )
        return part

    def header(self, seed: int | None = None) -> Header:
        """Where a history of this session comes from; ``seed`` is that of its search, if it had its own."""
        ours = self.seed if seed is None else seed
        return Header(self.binding_path, self.binding.lifecycle, ours, self.defect, self.lane)

    def command(self, *arguments: str) -> str:
        """A command line that runs this binding again with ``arguments``."""
        return self._command("pytest statemachine/", f"{_STRANGER} --pyargs statemachine", *arguments)

    def search_command(self, seed: int | None = None) -> str:
        """The command that plays the same examples again, first of all those of ``seed``."""
        words = self._lane_options()
        words += [f"--exhaust {','.join(self.exhaust)}"] if self.exhaust else []
        words += [f"--clock-skew {self.clock_skew_seconds}"] if self.clock_skew_seconds else []
        words += [f"--fuzz-for {self.fuzz_seconds}s"] if self.fuzz_seconds else []
        return self.command(*words, f"--hypothesis-seed={self.seed if seed is None else seed}")

    def _lane_options(self) -> list[str]:
        """What makes pytest play the lane of this part only."""
        if self.lane != TRANSACTIONS.name:
            return []
        return [f"--lane {self.lane}"]

    def processes_options(self) -> list[str]:
        """What makes ``python -m statemachine`` play real processes as this session asks for."""
        options = ["processes", "--binding", self.binding_path, "--seed", str(self.seed)]
        asked = {"--defect": self.defect, "--database-server": self.database_server, "--kills": self.kills}
        return [*options, *(word for name, value in asked.items() if value for word in (name, value))]

    def replay_command(self, path: str) -> str:
        return self.command("--replay", _quoted(path))

    def same_command(self) -> str:
        """The command that does the same again, whatever was asked for."""
        if self.replay_path is not None:
            return self.replay_command(self.replay_path)
        if self.lane == "processes":
            return f"python -m statemachine {' '.join(self.processes_options())}"
        return self.search_command()

    def test_command(self, path: str) -> str:
        """A command line that runs the plain test at ``path`` on this binding."""
        return self._command("pytest", _STRANGER, _quoted(path))

    def _command(self, in_checkout: str, elsewhere: str, *arguments: str) -> str:
        here = Path("statemachine", "plugin", "__init__.py").exists()
        words = [in_checkout if here else elsewhere]
        if self.binding_path != DEFAULT_BINDING:
            words.append(f"--binding {self.binding_path}")
        if self.defect:
            words.append(f"--defect {self.defect}")
        if self.lane == TRANSACTIONS.name and self.database_server:
            words.append(f"--database-server {without_password(self.database_server)}")
        return " ".join([*words, *arguments])


SESSION = pytest.StashKey[Session]()


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path
