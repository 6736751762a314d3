"""What the ledger remembers, as data: holders, calls, changes, messages, deliveries.

A fact is what the events said, never a judgement.  Times are seconds from the start of the history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from statemachine.history import events as history
from statemachine.history.legality import Ruled
from statemachine.lifecycle import JobRow


class Holder(NamedTuple):
    """The attempt that owns a job, from its committed acquisition.

    The lease is counted from ``leased_at``, the acquisition or its latest renewal, by the holder's clock.
    """

    attempt: int
    actor: str
    leased_at: float
    expires_at: float
    call: int


@dataclass(slots=True)
class CallFacts:
    """An operation from its invocation on.

    ``rulings`` has one entry for each committed state, and each second, between invocation and answer,
    the first for the invocation itself.  ``wrote`` is the one for the state that the call's own
    commit found, None while it has written nothing.  ``holder`` owned the job at the invocation.
    ``found`` are the rows, by job, as the call found them, of those that others have changed since.
    ``sent`` are the jobs of the messages that the call has sent.  ``undone`` says that a database error
    has rolled back its latest transaction, and that none was committed since.
    """

    invoked: history.Invoked
    rulings: list[Ruled]
    holder: Holder | None
    wrote: Ruled | None = None
    committed: bool = False
    faults: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    found: dict[str, JobRow | None] = field(default_factory=dict)
    undone: bool = False


class Change(NamedTuple):
    """A job's row before and after one commit of ``call``.

    ``holder`` owned it before; ``at`` is the time by the clock of the one who wrote; ``acquisitions`` and
    ``endings`` count the job's acquisitions and terminal commits, this one included.
    """

    job: str
    before: JobRow | None
    after: JobRow | None
    call: CallFacts
    holder: Holder | None
    at: float
    acquisitions: int
    endings: int


@dataclass(slots=True)
class MessageFacts:
    """A message: whose it is, and where it lies (``queue``, ``dlq``, ``deleted`` or ``redriven``).

    ``hurried_by`` is by how many seconds the latest change of its visibility brought it forward.
    """

    name: str
    job: str
    tenant: str
    forged: bool
    place: str = "queue"
    receipt: str | None = None
    visible_at: float = 0
    hurried_by: float = 0


class Delivery(NamedTuple):
    """What one worker received last, and what its prepare was told.

    Either a token, ``attempt``, or that another's lease is live: then ``refused_until`` is its end.
    """

    message: str
    job: str
    tenant: str
    attempt: int | None = None
    refused_until: float | None = None


class Owed(NamedTuple):
    """What the drain found of a job when it began, to compare its end with."""

    ended: bool
    living_holder: bool
    acquisitions: int
