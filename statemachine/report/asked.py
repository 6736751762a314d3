"""What a command line asks for, checked, and the command lines that ask for it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote

from statemachine.binding import DEFAULT_BINDING, Binding
from statemachine.history.events import Event
from statemachine.history.ndjson import Header
from statemachine.history.shown import without_passwords
from statemachine.report.housekeeping import KEPT_FAILURES
from statemachine.report.text.paper import WIDE, Paper
from statemachine.search.accepted import NONE, Acceptances
from statemachine.search.corpus.places import CorpusPlace, Directory
from statemachine.search.lanes import EMBEDDED, TRANSACTIONS
from statemachine.search.triage.script import Steps

CORPUS = ".statemachine/corpus"

_STRANGER = "pytest -p statemachine.plugin"
"""How pytest is called where no pyproject.toml of ours loads the plugin."""


@dataclass(frozen=True)
class Asked:
    """What is to be played, on which system, and where the results go."""

    binding_path: str
    """``package.module:Factory``, as it was given."""
    binding: Binding
    defect: str | None
    """The planted bug, by name."""
    seed: int
    """Of the first search; drawn at random where none was given."""
    lane: str = EMBEDDED.name
    lanes: tuple[str, ...] = (EMBEDDED.name,)
    """All that are to be played; ``lane`` is the first of them, or the one that a part of the run plays."""
    clock_skew_seconds: int = 0
    """How far the clock of a worker may be ahead or behind."""
    replay_path: str | None = None
    saved: tuple[Header, Sequence[Event]] | None = None
    """The history at ``replay_path``, which is played in place of a search."""
    earlier: Steps = ()
    """The example that is played before it, in the same process."""
    fuzz_seconds: int = 0
    """How long to search; 0 for the profile's number of examples."""
    processes: int = 1
    """How many of them search, in a run by time."""
    exhaust: tuple[str, str] | None = None
    """Two operations of which every interleaving is played."""
    corpus: CorpusPlace = field(default_factory=lambda: Directory(Path(CORPUS)))
    database_server: str | None = None
    """The URL of a PostgreSQL server, as it was given: it may hold a password."""
    kills: str | None = None
    """How many workers the lane of real processes kills, as it was given."""
    allowed: frozenset[str] = frozenset()
    """What code under test may do outside of the run, by the names of ``--allow``."""
    hang_seconds: int = 60
    """How long a step may take by the real clock; 0 for any time."""
    minimise_seconds: int = 60
    """How long minimising and explaining may take in all."""
    report: Path | None = None
    """The file that the page of the run is written into."""
    keep_failures: int = KEPT_FAILURES
    """How many failure folders are kept; older ones are deleted when the run ends."""
    accepted: Acceptances = NONE
    """Findings that do not count against the system."""
    paper: Paper = WIDE
    """How wide the terminal is, and what it can spell."""

    def of_lane(self, lane: str) -> Asked:
        """Return what is asked of one lane.  Of two lanes each writes a page of its own."""
        page = self.report
        if page is not None and lane != self.lanes[0]:
            page = page.with_name(f"{page.stem}-{lane}{page.suffix}")
        return replace(self, lane=lane, lanes=(lane,), report=page)

    def header(self, seed: int | None = None) -> Header:
        """Return the header of a history; ``seed`` is that of its search, if it had its own."""
        ours = self.seed if seed is None else seed
        return Header(self.binding_path, self.binding.lifecycle, ours, self.defect, self.lane)

    def command(self, *arguments: str) -> str:
        """Return the command line that plays this binding with ``arguments``."""
        return self._command("pytest statemachine/", f"{_STRANGER} --pyargs statemachine", *arguments)

    def search_command(self, seed: int | None = None) -> str:
        """Return the command line that plays the same examples, first of all those of ``seed``."""
        words = [f"--lane {self.lane}"] if self.lane == TRANSACTIONS.name else []
        words += [f"--exhaust {','.join(self.exhaust)}"] if self.exhaust else []
        words += [f"--clock-skew {self.clock_skew_seconds}"] if self.clock_skew_seconds else []
        words += [f"--fuzz-for {self.fuzz_seconds}s"] if self.fuzz_seconds else []
        return self.command(*words, f"--hypothesis-seed={self.seed if seed is None else seed}")

    def replay_command(self, path: str) -> str:
        """Return the command line that plays the saved history at ``path``."""
        # With "=": pytest takes a path that stands alone for one of tests, and seeks its configuration there.
        return self.command(f"--replay={quote(path)}")

    def debug_command(self, path: str) -> str:
        """Return the command line that plays the saved history at ``path`` and stops where it breaks."""
        return f"{self.replay_command(path)} --pdb"

    def test_command(self) -> str:
        """Return the command line that runs a copy of a plain test, at PATH, on this binding."""
        return plain_test_command(self.binding_path, self.defect, self._server)

    def processes_options(self) -> list[str]:
        """Return the arguments with which ``python -m statemachine`` plays real processes."""
        options = ["processes", "--binding", self.binding_path, "--seed", str(self.seed)]
        given = {"--defect": self.defect, "--database-server": self.database_server, "--kills": self.kills}
        return [*options, *(word for name, value in given.items() if value for word in (name, value))]

    def same_command(self) -> str:
        """Return the command line that does the same, whatever was asked for."""
        if self.replay_path is not None:
            return self.replay_command(self.replay_path)
        if self.lane == "processes":
            return without_passwords(f"python -m statemachine {' '.join(self.processes_options())}")
        return self.search_command()

    @property
    def _server(self) -> str | None:
        return self.database_server if self.lane == TRANSACTIONS.name else None

    def _command(self, in_checkout: str, elsewhere: str, *arguments: str) -> str:
        words = _options(in_checkout, elsewhere, self.binding_path, self.defect, self._server)
        words += [f"--allow {','.join(sorted(self.allowed))}"] if self.allowed else []
        return " ".join([*words, *arguments])


def plain_test_command(binding: str, defect: str | None, database_server: str | None = None) -> str:
    """Return the command line that runs a copy of a plain test, at PATH, on ``binding``."""
    return " ".join([*_options("pytest", _STRANGER, binding, defect, database_server), "PATH"])


def _options(
    in_checkout: str, elsewhere: str, binding: str, defect: str | None, database_server: str | None
) -> list[str]:
    here = Path("statemachine", "plugin", "__init__.py").exists()
    words = [in_checkout if here else elsewhere]
    if binding != DEFAULT_BINDING:
        words.append(f"--binding {quote(binding)}")
    if defect:
        words.append(f"--defect {quote(defect)}")
    if database_server:
        words.append(f"--database-server {without_passwords(database_server)}")
    return words
