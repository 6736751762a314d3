"""Judge a stream of lines: keep the shortest example of each kind of failure, and end in a verdict.

A pass says that no line contradicts the claims that a log can be judged by.  It says nothing of what was
not logged; the claims that were not judged are listed with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from statemachine.history.events import Observed, StepBegan
from statemachine.history.words import counted
from statemachine.invariants import IN_LOGS, NOT_IN_LOGS, Crashed, Invariant, Judge, Verdict, Violation
from statemachine.lifecycle import Lifecycle, LifecycleError, Operation
from statemachine.logs.jobs import CitedEvent
from statemachine.logs.ledger import LogLedger
from statemachine.logs.linearise import Lineariser
from statemachine.logs.lines import LogLine, LogPlace

MOST_CITED = 60
"""Lines of a job that are kept as evidence: half of them its first, half its last."""

REQUIRED = frozenset(
    {
        "one_holder_at_a_time",
        "only_the_holder_finishes",
        "a_job_completes_at_most_once",
        "a_lease_lasts_its_declared_length",
        "attempts_count_acquisitions",
        "transitions_are_legal",
        "messages_outlive_unfinished_jobs",
        "operations_answer_by_the_table",
    }
)
"""Claims that any log can be judged by in which a job ended.  If one was never judged, the log is UNKNOWN."""

UNLOGGED = {
    "a_lease_lasts_its_declared_length": ("acquisitions without lease_expires_at", "lease_expires_at"),
    "attempts_count_acquisitions": ("acquisitions without attempt", "attempt"),
}
"""By claim: the count that rules it out, and the field that these acquisitions are logged without."""

OPENED_BY = {
    "every_job_ends": "drain.ended",
    "ended_jobs_leave_no_message": "drain.ended",
    "a_killed_job_is_reprocessed_once": "drain.ended",
    "rows_match_the_answers": "rows.read",
}
"""Claims that need a line of this event, which the operator of the fleet writes."""

NAMED_BY_WORKERS = ("lease_seconds", "visibility_seconds", "max_receives")
"""Fields of the lifecycle that ``worker.started`` may name."""


class CitedViolation(NamedTuple):
    """A violation with its evidence."""

    violation: Violation
    line: LogLine
    """The line that shows it."""
    trail: tuple[LogPlace, ...]
    """The lines about its job up to the end of the log, :data:`MOST_CITED` at most."""
    others: int
    """How many more violations have the same signature: claim, event of the line, and what differs."""


@dataclass
class JudgedLog:
    """The result of judging one log."""

    lifecycle: Lifecycle
    claims: Sequence[Invariant]
    lines: int = 0
    events: int = 0
    violations: list[CitedViolation] = field(default_factory=list)
    """One of each signature, the most specific claim first."""
    counts: Counter[str] = field(default_factory=Counter)
    """Lines by event, and what the lineariser met on the way."""
    judged: Counter[str] = field(default_factory=Counter)
    """How often each claim was judged."""
    crashed: list[Crashed] = field(default_factory=list)
    not_judged: dict[str, str] = field(default_factory=dict)
    """The reason, for each claim that could not be judged."""
    jobs: int = 0
    ended: int = 0
    """Jobs that are terminal at the end of the log."""
    ended_once: int = 0
    """Of these, the jobs that became terminal exactly once."""
    ended_again: int = 0
    """Jobs that became terminal more than once."""
    begun_before: int = 0
    """Jobs that had begun before the first line."""
    acquisitions: int = 0
    takeovers: int = 0
    contradictions: list[str] = field(default_factory=list)
    """Workers that name other numbers than the log is judged by, or another pipeline; a sentence each."""

    @property
    def headline(self) -> CitedViolation | None:
        """The violation to name first."""
        return self.violations[0] if self.violations else None

    def blame(self, violation: Violation) -> int:
        """Return its place in the order of blame: the most specific claim comes first."""
        return [claim.name for claim in self.claims].index(violation.invariant)

    def doubts(self) -> list[str]:
        """Return why the log cannot pass although nothing is broken in it, a sentence each."""
        found = [
            f"invariant {crash.invariant} crashed ({crash.error}) at {crash.event}"
            for crash in self.crashed[:3]
        ]
        if not self.judged.total():
            return [*found, "no line of this log could be judged"]
        found += [
            f"invariant never judged: {claim.name}"
            for claim in self.claims
            if claim.name in REQUIRED and claim.name not in self.not_judged and not self.judged[claim.name]
        ]
        found += self.contradictions[:3]
        if self.counts["tangled"]:
            found.append(
                f"too many calls overlap on {counted(self.counts['tangled'], 'job')} to try every order of "
                "commits: those lines are not judged"
            )
        return found

    @property
    def verdict(self) -> Verdict:
        if self.violations:
            return Verdict.FAIL
        return Verdict.UNKNOWN if self.doubts() else Verdict.PASS


class LogJudge:
    """Judges one log: :meth:`take` each line in the order of their times, then ask for the :meth:`result`.

    Raises ``LifecycleError`` for a system that renews its leases.
    """

    def __init__(self, lifecycle: Lifecycle, claims: Iterable[Invariant] = IN_LOGS) -> None:
        if lifecycle.has(Operation.RENEW):
            raise LifecycleError(
                "this system renews its leases, and no line of a log says so: judge it in the embedded "
                "lane, or bind a lifecycle that does not offer RENEW"
            )
        applicable = [claim for claim in claims if not claim.needs or lifecycle.has(claim.needs)]
        self.result_so_far = JudgedLog(lifecycle, applicable)
        self.lineariser = Lineariser(lifecycle)
        self._judge = Judge(lifecycle, applicable, LogLedger(lifecycle))
        self._found: dict[tuple[str, ...], CitedViolation] = {}
        self._position = 0
        self._takeovers = 0
        self._pipeline = ""

    def take(self, line: LogLine) -> None:
        """Judge the events that are certain now that ``line`` has been read."""
        self.result_so_far.lines += 1
        if line.event == "worker.started":
            self._compare(line)
        for cited in self.lineariser.take(line):
            self._judge_event(cited)

    def _compare(self, line: LogLine) -> None:
        """Note a worker that names other numbers than the log is judged by, or another pipeline."""
        result = self.result_so_far
        ours = {name: getattr(result.lifecycle, name) for name in NAMED_BY_WORKERS}
        ours["pipeline"] = self._pipeline = self._pipeline or line.fields.get("pipeline", "")
        for name, number in ours.items():
            named = line.fields.get(name, number)
            if named != number:
                result.contradictions.append(
                    f"{line.place}: {line.worker} works with {name} {named}, and the log is judged by "
                    f"{number}; judge the logs of one fleet at a time"
                )

    def _judge_event(self, cited: CitedEvent) -> None:
        line, event = cited
        judge, result = self._judge, self.result_so_far
        if line.position != self._position:
            self._position = line.position
            judge.take(StepBegan(event.at, line.position, line.event, {}))
        result.events += 1
        judge.take(event)
        if isinstance(event, Observed):
            running = judge.ledger.lifecycle.running
            self._takeovers += sum(
                change.before is not None and change.before.status == running == change.after.status
                for change in judge.ledger.changes
                if change.after is not None
            )
        if judge.violations:
            for violation in judge.violations:
                self._cite(violation, line)
            judge.violations.clear()

    def _cite(self, violation: Violation, line: LogLine) -> None:
        # Without the names of jobs, messages and workers, which differ in each failure of a kind.
        compared = (line.what.partition(" ")[0].partition("(")[0] for line in violation.compared)
        signature = (violation.invariant, line.event, *compared)
        trail = tuple(self.lineariser.trail(violation.subject))
        known = self._found.get(signature)
        if known is None:
            self._found[signature] = CitedViolation(violation, line, trail, 0)
        elif len(trail) < len(known.trail):
            self._found[signature] = CitedViolation(violation, line, trail, known.others + 1)
        else:
            self._found[signature] = known._replace(others=known.others + 1)

    def result(self) -> JudgedLog:
        """Judge what was still held and return the result; call it once, after the last line."""
        for cited in self.lineariser.finish():
            self._judge_event(cited)
        result, ledger, counts = self.result_so_far, self._judge.ledger, self.lineariser.counts
        result.counts, result.judged, result.crashed = counts, self._judge.judged, self._judge.crashed
        found = (cited._replace(trail=self._whole_trail(cited)) for cited in self._found.values())
        result.violations = sorted(found, key=lambda cited: result.blame(cited.violation))
        result.jobs = len(self.lineariser.jobs)
        endings = ledger.terminal_commits
        result.ended = sum(1 for job in ledger.rows if ledger.is_terminal(job))
        result.ended_once = sum(1 for job in ledger.rows if endings[job] == 1 and ledger.is_terminal(job))
        result.ended_again = sum(1 for times in endings.values() if times > 1)
        result.takeovers, result.acquisitions = self._takeovers, sum(ledger.acquisitions.values())
        result.begun_before = sum(job.begun for job in self.lineariser.jobs.values())
        result.not_judged = self._not_judged()
        for name in result.not_judged:
            del result.judged[name]
        return result

    def _whole_trail(self, cited: CitedViolation) -> tuple[LogPlace, ...]:
        trail = self.lineariser.trail(cited.violation.subject)
        if len(trail) > MOST_CITED:
            trail = [*trail[: MOST_CITED // 2], *trail[-MOST_CITED // 2 :]]
        return tuple(trail)

    def _not_judged(self) -> dict[str, str]:
        result = self.result_so_far
        reasons = {claim.name: reason for claim, reason in NOT_IN_LOGS.items()}
        for name, (kind, what) in UNLOGGED.items():
            if result.counts[kind]:
                reasons[name] = (
                    f"the lines do not name {what} ({counted(result.counts[kind], 'acquisition')})"
                )
        for claim in result.claims:
            event = OPENED_BY.get(claim.name)
            if event is not None and not result.counts[event]:
                reasons[claim.name] = f"there is no {event} line"
        return reasons


def judge_lines(
    lifecycle: Lifecycle, lines: Iterable[LogLine], claims: Iterable[Invariant] = IN_LOGS
) -> JudgedLog:
    """Judge ``lines``, which must be in the order of their times: :meth:`Reader.lines` merges files so.

    Raises ``LifecycleError`` for a system that renews its leases.

    >>> judge_lines(Lifecycle(), []).verdict
    <Verdict.UNKNOWN: 'UNKNOWN'>
    """
    judge = LogJudge(lifecycle, claims)
    for line in lines:
        judge.take(line)
    return judge.result()


__all__ = ["REQUIRED", "CitedViolation", "JudgedLog", "LogJudge", "judge_lines"]
