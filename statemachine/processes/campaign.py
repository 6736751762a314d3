"""Play a fault plan against real workers, wait until all is quiet, and keep what was logged.

One thread watches all workers: it reads what they log, strikes them when a line says that the moment has
come, and replaces the dead.  It judges nothing; ``statemachine.logs`` judges the lines that are left.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from statemachine.binding.fleet import Fleet, Stop
from statemachine.processes.crew import Crew, turn
from statemachine.processes.databases import Database
from statemachine.processes.moments import MOMENTS, Moment, meet
from statemachine.processes.plan import Deed, KillPlan, PlannedStrike
from statemachine.processes.servers import Operator, SQSServer
from statemachine.processes.workers import Worker

BY_NAME = {moment.name: moment for moment in MOMENTS}
LOOK_SECONDS = 1.0
"""Seconds between two looks at the rows and the DLQ of a crew that seems to have enough jobs."""
BACKLOG = 3
"""Unfinished jobs for each worker, so that a strike never waits for a job."""
QUIET_SECONDS = 10
"""Seconds, beyond all timeouts, in which nothing may move before a run is given up."""
CHANCES = 600
"""How often workers may pass the moment of a strike before it is given up.

The shortest moments, inside of a transaction, are met at 3 chances in 100 at least.  All of 600 are missed
with a probability of 0.97 ** 600 = 1e-8.
"""


@dataclass
class PlayedPlan:
    """What came of a plan."""

    crews: Sequence[Crew]
    struck: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Strikes that were carried out, by fleet, deed and moment."""
    missed: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Strikes that were given up, by the same."""
    seconds: float = 0
    drain_seconds: float = 0
    stuck: dict[str, list[str]] = field(default_factory=dict)
    """The jobs that did not end, by fleet."""

    @property
    def kills(self) -> int:
        return sum(number for (_, deed, _), number in self.struck.items() if deed == Deed.KILL)


class Standstill:
    """Measures for how long nothing was achieved."""

    def __init__(self, measure: tuple[int, ...]) -> None:
        self._best = measure
        self._since = time.monotonic()

    def seconds(self, measure: tuple[int, ...]) -> float:
        """Return for how many seconds no measure was greater than the greatest before."""
        if measure > self._best:
            self._best, self._since = measure, time.monotonic()
        return time.monotonic() - self._since


class KillCampaign:
    """Plays one plan: :meth:`run` plays it to its end; :meth:`stop` leaves no process behind."""

    def __init__(
        self,
        plan: KillPlan,
        fleets: Sequence[Fleet],
        workers: int,
        database: Database,
        sqs: SQSServer,
        progress: Callable[[str], None] = lambda line: None,
        time_played: int = 1,
    ) -> None:
        self.plan = plan
        self.database = database
        self.sqs = sqs
        self.operator = Operator(sqs.endpoint)
        self.crews = {fleet.name: Crew(fleet, workers) for fleet in fleets}
        self._jobs = {fleet.name: plan.jobs_of(fleet.name, fleet.tenants, time_played) for fleet in fleets}
        self.played = PlayedPlan(list(self.crews.values()))
        self._progress = progress
        # By fleet: the strikes to come, in order; when the last one was; the chances left for the next.
        self._strikes = {name: [s for s in plan.strikes if s.fleet == name] for name in self.crews}
        self._armed_at = {name: time.monotonic() for name in self.crews}
        self._chances = dict.fromkeys(self.crews, CHANCES)
        # Nothing moved for too long: no more strikes, no more jobs.
        self._hopeless = False
        self._thaw_at: dict[Worker, float] = {}
        # When SQS is to answer again; None while it does.
        self._up_at: float | None = None
        self._progress_at = time.monotonic()
        self._looked_at = dict.fromkeys(self.crews, 0.0)

    def run(self) -> PlayedPlan:
        """Play the plan, drain, and return what came of it.  Raises ``FleetError`` for useless workers."""
        began = time.monotonic()
        standstill = Standstill((0,))
        while self._feeding() or any(self._strikes.values()) or self._thaw_at or self._up_at:
            self._turn(striking=True)
            achieved = self._ended() + self.played.struck.total() + self.played.missed.total()
            if standstill.seconds((achieved,)) > self._patience():
                self._give_up()
        self.played.seconds = time.monotonic() - began
        self._drain()
        self.played.drain_seconds = time.monotonic() - began - self.played.seconds
        return self.played

    def stop(self) -> None:
        """Stop all workers, whatever they are doing."""
        for crew in self.crews.values():
            crew.stop()

    # -- one turn ---------------------------------------------------------------------------

    def _turn(self, *, striking: bool) -> None:
        for crew, worker, event in turn(self.crews.values()):
            if striking:
                self._strike(crew, worker, str(event["event"]))
        self._undo_what_is_over()
        if striking:
            self._strike_the_queue()
        self._report_progress()

    def _feeding(self) -> bool:
        """Enqueue the jobs that are due now; return whether more are to come."""
        left = False
        for name, crew in self.crews.items():
            wanted = self.plan.jobs - len(crew.jobs)
            if (wanted > 0 or self._strikes[name]) and not self._hopeless:
                left = True
                for _ in range(crew.size):
                    if self._up_at is None and self._has_room(crew):
                        crew.enqueue(next(self._jobs[name]))
        return left

    def _has_room(self, crew: Crew) -> bool:
        """Whether the crew may have more jobs waiting.

        Every kill uses up a receive of its message, so dead letters are normal here: they are redriven, or
        the backlog would fill with jobs that no worker can receive.
        """
        room = BACKLOG * crew.size
        if crew.waiting >= room and time.monotonic() > self._looked_at[crew.fleet.name] + LOOK_SECONDS:
            self._looked_at[crew.fleet.name] = time.monotonic()
            crew.look()
            crew.redrive(self.operator)
        return crew.waiting < room

    def _undo_what_is_over(self) -> None:
        now = time.monotonic()
        for worker in [worker for worker, at in self._thaw_at.items() if at <= now]:
            del self._thaw_at[worker]
            worker.thaw()
        if self._up_at is not None and self._up_at <= now:
            self.sqs.up()
            self._up_at = None
            self._excuse(False)

    # -- strikes ----------------------------------------------------------------------------

    def _next(self, crew: Crew) -> PlannedStrike | None:
        """Return the strike that this fleet is due for now."""
        name = crew.fleet.name
        if not self._strikes[name] or time.monotonic() < self._armed_at[name] + self._strikes[name][0].gap:
            return None
        return self._strikes[name][0]

    def _strike(self, crew: Crew, worker: Worker, event: str) -> None:
        strike = self._next(crew)
        if strike is None or strike.deed is Deed.SQS_DOWN:
            return
        moment = BY_NAME[strike.moment]
        if event != moment.opens:
            return
        # Here the worker is frozen where the moment wants it: a kill needs no further step.
        if meet(worker, moment, self.database):
            self._done(crew, strike, self.played.struck)
            self._deeds[strike.deed](self, crew, worker, moment, strike)
            return
        self._chances[crew.fleet.name] -= 1
        if not self._chances[crew.fleet.name]:
            self._done(crew, strike, self.played.missed)

    def _kill(self, crew: Crew, worker: Worker, moment: Moment, strike: PlannedStrike) -> None:
        crew.kill(worker, moment.name)

    def _pause(self, crew: Crew, worker: Worker, moment: Moment, strike: PlannedStrike) -> None:
        self._thaw_at[worker] = time.monotonic() + strike.lasts

    def _terminate(self, crew: Crew, worker: Worker, moment: Moment, strike: PlannedStrike) -> None:
        # A frozen process does not handle SIGTERM.  Thawed, it may leave the moment: a polite stop may.
        worker.thaw()
        worker.stop(Stop.TERM)

    _deeds = {Deed.KILL: _kill, Deed.PAUSE: _pause, Deed.TERM: _terminate}  # noqa: RUF012

    def _strike_the_queue(self) -> None:
        for crew in self.crews.values():
            strike = self._next(crew)
            if strike is not None and strike.deed is Deed.SQS_DOWN and self._up_at is None:
                self.sqs.down()
                self._excuse(True)
                self._up_at = time.monotonic() + strike.lasts
                self._done(crew, strike, self.played.struck)

    def _excuse(self, excused: bool) -> None:
        for crew in self.crews.values():
            crew.excused = excused

    def _done(self, crew: Crew, strike: PlannedStrike, counts: Counter[tuple[str, str, str]]) -> None:
        name = crew.fleet.name
        self._strikes[name].remove(strike)
        self._armed_at[name] = time.monotonic()
        self._chances[name] = CHANCES
        moment = strike.moment if strike.deed is not Deed.SQS_DOWN else ""
        counts[name, strike.deed, moment] += 1

    def _give_up(self) -> None:
        """Count the strikes that are left as missed: nothing moves any more."""
        self._hopeless = True
        for name, crew in self.crews.items():
            for strike in list(self._strikes[name]):
                self._done(crew, strike, self.played.missed)

    # -- the end ----------------------------------------------------------------------------

    def _drain(self) -> None:
        """Wait, without strikes, until all jobs have ended and no message is left, or nothing moves."""
        self._outlast_transient_errors()
        for crew in self.crews.values():
            crew.log("drain.began", "no more strikes")
        busy = dict(self.crews)
        standstill = Standstill(self._achieved())
        while busy:
            # Some 0.3 s between two looks: each asks the database and SQS for every fleet.
            for _ in range(6):
                self._turn(striking=False)
            for name, crew in list(busy.items()):
                if crew.is_quiet(self.operator):
                    crew.log("drain.ended", "every job has ended", stuck="")
                    del busy[name]
                else:
                    crew.redrive(self.operator)
            if standstill.seconds(self._achieved()) > self._patience():
                for name, crew in busy.items():
                    self.played.stuck[name] = crew.unfinished()
                    crew.log("drain.ended", "nothing moves any more", stuck=self._proof(crew))
                break
        for crew in self.crews.values():
            crew.read_rows()

    def _outlast_transient_errors(self) -> None:
        """Wait until no job has a transient error to come: those are faults, and a drain has none."""
        until = time.monotonic() + self._patience()
        while time.monotonic() < until and any(
            job.work.transient_attempts and job.name not in crew.ended
            for crew in self.crews.values()
            for job in crew.jobs.values()
        ):
            self._turn(striking=False)

    def _achieved(self) -> tuple[int, int]:
        """Return how many jobs have ended and, negated, how many messages are left.

        Deliveries do not count: a message that goes round for ever achieves nothing.
        """
        crews = self.crews.values()
        return self._ended(), -sum(
            self.operator.depth(queue) for crew in crews for queue in crew.fleet.queues
        )

    def _ended(self) -> int:
        return sum(len(crew.ended) for crew in self.crews.values())

    def _patience(self) -> float:
        """Return seconds, longer than any message stays hidden, any lease lasts and any strike waits."""
        longest = max((strike.gap + strike.lasts for strike in self.plan.strikes), default=0)
        hidden = max(crew.fleet.lifecycle.visibility_seconds for crew in self.crews.values())
        return QUIET_SECONDS + longest + 2 * hidden

    def _proof(self, crew: Crew) -> str:
        queue, dead = crew.fleet.queues
        return (
            f"{len(self.played.stuck[crew.fleet.name])} jobs not ended, "
            f"{self.operator.depth(queue)} messages in {queue}, {self.operator.depth(dead)} in {dead}, "
            f"and no job ended for {self._patience():g} s"
        )

    def _report_progress(self) -> None:
        if time.monotonic() < self._progress_at + 5:
            return
        self._progress_at = time.monotonic()
        jobs = sum(len(crew.jobs) for crew in self.crews.values())
        ended = self._ended()
        left = sum(map(len, self._strikes.values()))
        self._progress(f"  {ended} of {jobs} jobs ended, {self.played.kills} kills, {left} strikes to come")
