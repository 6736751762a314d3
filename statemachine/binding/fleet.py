"""What a binding offers so that its real workers can be run: a fleet for each pipeline.

The lane asks ``binding.fleets(stage)``, in a process whose Django is configured, and gets objects like
:class:`Fleet`.  Nothing here can show that a worker does what its log says; the rows at the end do.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

from statemachine.binding.port import Binding, ObservedRow
from statemachine.lifecycle import Lifecycle


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the processes of one run meet, and in which times they live.

    ``database_url`` and ``sqs_endpoint`` are private to the run.  Real processes share no frozen clock, so
    ``visibility_seconds`` is a few seconds here; the lease is shorter by ``margin_seconds``, as in
    production.
    """

    database_url: str = field(repr=False)
    sqs_endpoint: str
    directory: Path
    visibility_seconds: int = 3
    margin_seconds: int = 1
    max_receives: int = 3
    defect: str | None = None

    @property
    def lease_seconds(self) -> int:
        return self.visibility_seconds - self.margin_seconds


class FleetError(RuntimeError):
    """The workers cannot be run as their fleet says; the message names the command and what it came to."""


class End(StrEnum):
    """How the inference of a job is to end."""

    COMPLETE = "complete"
    FAIL = "fail"


class Work(NamedTuple):
    """What a job is to cost each attempt, and how it ends.

    The first ``transient_attempts`` attempts end in a transient error instead.
    """

    seconds: float
    ends: End = End.COMPLETE
    transient_attempts: int = 0


class Stop(StrEnum):
    """The ways of gate report §2.2 step 3 to stop a worker, and what asks it politely."""

    CTRL_C = "ctrl-c"
    TERM = "term"
    KILL = "kill"


SIGNALS: Mapping[Stop, signal.Signals] = {
    Stop.CTRL_C: signal.SIGINT,
    Stop.TERM: signal.SIGTERM,
    Stop.KILL: getattr(signal, "SIGKILL", signal.SIGTERM),
}


class Fleet(Protocol):
    """The workers of one pipeline, and what feeds them.

    ``binding`` is the dotted path of the binding whose statuses its log speaks of.

    ``command`` starts one worker in the foreground; it logs JSON lines (docs/logs.md) to standard output.
    ``environment`` is added to the run's own.  ``stop_commands`` are for workers that a signal to the
    started process does not reach (``docker kill {name}``): by the way of stopping, with ``{name}`` where the
    worker's name belongs.  They end the started process as well.  No such worker can be frozen, so the gate
    can be walked with them, and a fault plan cannot be played.  ``queues`` are (queue, dead-letter queue) by
    name.
    """

    name: str
    binding: str
    lifecycle: Lifecycle
    tenants: Sequence[str]
    queues: tuple[str, str]
    stop_commands: Mapping[Stop, Sequence[str]]

    def command(self, worker: str) -> Sequence[str]: ...

    def environment(self, worker: str) -> Mapping[str, str]: ...

    def create_queues(self) -> None: ...

    def enqueue(self, job: str, tenant: str, work: Work) -> Sequence[str]:
        """Create a job and send its message; the log lines that say so."""

    def send_again(self, job: str, tenant: str) -> Sequence[str]:
        """Send one more message of a job, as a publisher does that heard no answer; the log lines."""

    def observe(self, jobs: Sequence[str]) -> Iterable[ObservedRow]: ...


class FleetBinding(Binding, Protocol):
    """A binding whose workers can be run."""

    def environment(self, stage: Stage) -> Mapping[str, str]:
        """What leads the settings module, and everything else of the system, to the stage."""

    def fleets(self, stage: Stage) -> Sequence[Fleet]:
        """A fleet for each pipeline.  Called with Django configured and the schema in place."""
