"""Claims about the end of an example, when faults have stopped and workers have gone on to the end."""

from __future__ import annotations

from statemachine.history.events import DrainEnded
from statemachine.history.ledger import Ledger
from statemachine.history.words import counted
from statemachine.invariants.claim import HELD, Judgements, broken, invariant


@invariant(DrainEnded, section="§2 (purpose)")
def every_job_ends(ledger: Ledger, event: DrainEnded) -> Judgements:
    """Once faults stop, every job reaches a terminal status within a bounded number of moves."""
    for job, row in ledger.rows.items():
        if row.status in ledger.lifecycle.terminal:
            yield HELD
        else:
            yield broken(
                job,
                f"{job} never ends: {event.stuck or 'all is quiet and it is ' + row.status}.",
                ("status", " or ".join(sorted(ledger.lifecycle.terminal)), row.status),
            )
    if event.stuck and all(row.status in ledger.lifecycle.terminal for row in ledger.rows.values()):
        yield broken(
            "the queue", f"every job has ended, and still {event.stuck}.", ("drain", "quiet", "busy")
        )


@invariant(DrainEnded, section="§2.2 step 4")
def ended_jobs_leave_no_message(ledger: Ledger, event: DrainEnded) -> Judgements:
    """At the end the queue is empty, and its DLQ holds only messages that have no job."""
    for message in ledger.messages.values():
        if message.place not in ("queue", "dlq") or (
            message.place == "dlq" and ledger.is_about(message) is None
        ):
            yield HELD
        else:
            yield broken(
                message.job,
                f"message {message.name} of {message.job} is still in the {message.place} at the end.",
                (f"message {message.name}", "deleted", f"in the {message.place}"),
            )


@invariant(DrainEnded, section="§2 (purpose): one reprocessing")
def a_killed_job_is_reprocessed_once(ledger: Ledger, event: DrainEnded) -> Judgements:
    """After the last fault a job is acquired never if it had ended, exactly once if it had not.

    At most once if a living worker held it when the faults stopped: that worker may finish it.
    """
    for job, owed in ledger.owed.items():
        again = ledger.acquisitions[job] - owed.acquisitions
        allowed = {0} if owed.ended else ({0, 1} if owed.living_holder else {1})
        if again in allowed and ledger.terminal_commits[job] == 1:
            yield HELD
        else:
            yield broken(
                job,
                f"{job} was acquired {counted(again)} after the last fault and ended "
                f"{counted(ledger.terminal_commits[job])}.",
                ("acquisitions in the drain", " or ".join(map(str, sorted(allowed))), again),
                ("terminal commits", 1, ledger.terminal_commits[job]),
            )
