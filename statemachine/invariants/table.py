"""The legality table as two claims: every answer, and every write, is the one that it demands.

They catch what no other claim does (false answers, swallowed errors, half an effect).  What they say about a
failure is the least specific, so they come last in the order of blame.
"""

from __future__ import annotations

from statemachine.history.events import Observed, Raised, Returned
from statemachine.history.ledger import CallFacts, Change, Ledger
from statemachine.history.legality import ANY_WORKER, ruling, same_row
from statemachine.invariants.claim import HELD, Judgements, broken, invariant, who
from statemachine.lifecycle import MESSAGE_STEPS, Answer, JobRow, Operation


def _call_text(call: CallFacts) -> str:
    asked = call.invoked
    token = "" if asked.attempt is None else f", attempt {asked.attempt}"
    return f"{asked.operation}({asked.job}{token})"


def _may_go_on(call: CallFacts) -> bool:
    """Whether a call may swallow an error: after its own write, or after one of the jobs of a sweep."""
    return call.committed if call.invoked.operation is Operation.RECOVER else call.wrote is not None


@invariant(Returned, Raised, section="§1 steps 2 and 5")
def operations_answer_by_the_table(ledger: Ledger, event: Returned | Raised) -> Judgements:
    """A call gets the answer that the legality table gives for the situation that it met.

    A call that wrote is held to the state that its commit found; one that did not, to any committed state
    between its invocation and its answer.  An error is an answer only where a fault struck.
    """
    call = ledger.calls[event.call]
    if call.invoked.operation in MESSAGE_STEPS:
        return  # about its message: an error there ends its worker and is no answer about the job
    # A system that retries a call whose answer was lost is answered for the state that it then found.
    retried = "answer_lost" in call.faults and isinstance(event, Returned)
    cells = [ruled.cell for ruled in ([call.wrote] if call.wrote and not retried else call.rulings)]
    if retried:
        row = ledger.rows.get(call.invoked.job)
        cells.append(
            ruling(
                call.rulings[-1].question._replace(row=row, now=ledger.by_the_clock_of(call.invoked.actor))
            )
        )
    answers = {cell.answer_under(ledger.lifecycle) for cell in cells}
    if isinstance(event, Returned):
        swallowed = call.undone and not _may_go_on(call)
        right = event.answer in answers and not swallowed
        due = "the database error" if swallowed else " or ".join(sorted(answers))
        got = str(event.answer)
    else:
        integrity = event.error.startswith(Answer.INTEGRITY_ERROR) and Answer.INTEGRITY_ERROR in answers
        right, got = integrity or bool(call.faults), event.error
        due = " or ".join(sorted(answers))
    if right:
        yield HELD
        return
    asked = call.invoked
    yield broken(
        asked.job,
        f"{who(asked.actor)} called {_call_text(call)} "
        f"in the situation '{cells[-1].situation}' and got {got}.",
        (_call_text(call), due, got),
    )


def _expected(change: Change, ledger: Ledger) -> JobRow | None:
    call = change.call
    if call.invoked.operation is Operation.RECOVER and change.before is not None:
        ruled = ledger.rules_for(call, change.before, ledger.now)
        return ruled.cell.effect(ruled.question)
    if change.job != call.invoked.job or call.wrote is None:
        return change.before
    return call.wrote.cell.effect(call.wrote.question)


def _fields(row: JobRow | None) -> dict[str, object]:
    return {} if row is None else row._asdict()


def _differing(expected: JobRow | None, actual: JobRow | None) -> list[tuple[str, object, object]]:
    wanted, found = _fields(expected), _fields(actual)
    return [
        (name, wanted.get(name, "no row"), found.get(name, "no row"))
        for name in JobRow._fields
        if wanted.get(name) != found.get(name)
        and not (wanted.get(name) == ANY_WORKER and found.get(name) is not None)
    ]


@invariant(Observed, Returned, section="§1 steps 2, 4 and 5")
def operations_write_by_the_table(ledger: Ledger, event: Observed | Returned) -> Judgements:
    """What a commit leaves in the row is exactly the table's effect, and an accepted call has left it."""
    if isinstance(event, Returned):
        yield from _nothing_left_out(ledger, event)
        return
    for change in ledger.changes:
        expected = _expected(change, ledger)
        if same_row(expected, change.after):
            yield HELD
            continue
        yield broken(
            change.job,
            f"{who(change.call.invoked.actor)} called {_call_text(change.call)} and left {change.job} "
            "as the table does not allow.",
            *_differing(expected, change.after),
        )


def _nothing_left_out(ledger: Ledger, event: Returned) -> Judgements:
    call = ledger.calls[event.call]
    if call.wrote or call.invoked.operation in (Operation.RECOVER, *MESSAGE_STEPS):
        return
    if call.invoked.operation is Operation.PUBLISH and call.faults:
        return  # what could not be sent stays unmarked, for the sweep
    if any(
        ruled.cell.answer_under(ledger.lifecycle) is event.answer
        and ruled.cell.effect(ruled.question) == ruled.question.row
        for ruled in call.rulings
    ):
        yield HELD
    elif event.answer is Answer.ACCEPTED:
        granted = [ruled for ruled in call.rulings if ruled.cell.effect(ruled.question) != ruled.question.row]
        question, cell = granted[-1] if granted else call.rulings[-1]
        due, row = cell.effect(question), question.row
        # Of a row that is not there every field differs, and a renewal leaves its job RUNNING.
        missing = [line for line in _differing(due, row) if row is not None or line[0] == "status"]
        yield broken(
            call.invoked.job,
            f"{who(call.invoked.actor)} was told that {_call_text(call)} is done, and nothing was written.",
            *missing[:1],
        )
