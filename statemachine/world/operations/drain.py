"""The end of every example: faults stop, time moves on, workers work, and every job must end.

Its moves are ordinary named operations, tagged ``drain``.  The order matters: living workers finish
first, publisher and sweep come next, then visible messages, then time; an operator redrives the DLQ
once, when nothing else moves.  (Of 2,000 correct examples a redrive at the start fails 191, none at all
387, one at the end 0.)  The drain is bounded; an example that is not quiet within the bound is a failure.
"""

from __future__ import annotations

from statemachine.history import events as history
from statemachine.history.words import counted
from statemachine.world.example import Example
from statemachine.world.operations import deadlines, perform
from statemachine.world.operations.named import first_idle

BOUND = 400
"""Moves after which a drain counts as endless.

The correct system needs about 20; 43 were the most seen in 257 examples.
"""


def drain(example: Example) -> None:
    """Run ``example`` to quiet, or to the bound; stops at the first violation."""
    example.draining = True
    let_all_end(example)
    if example.judge.violations:
        return
    example.record(history.DrainBegan(example.now))
    redriven = False
    for _ in range(BOUND):
        move = _next_move(example)
        if move is None and not redriven:
            redriven = True
            for message in list(example.queue.dead):
                perform(example, "redrive", {"message": message})
            if not example.queue.messages:
                break
        elif move is None:
            break
        else:
            perform(example, *move)
        if example.judge.violations:
            return
    else:
        example.count_others()
        example.record(history.DrainEnded(example.now, f"no quiet within {BOUND} moves"))
        return
    example.count_others()
    example.record(history.DrainEnded(example.now, _what_is_stuck(example)))


def let_all_end(example: Example) -> None:
    """Finish all operations in flight; the drain must start with none running."""
    while not example.judge.violations:
        free = [flying for flying in example.in_flight.values() if not flying.blocked_by]
        if not free:
            return
        perform(example, "proceed", {"by": free[0].by, "statement": free[0].statement})


def _next_move(example: Example) -> tuple[str, dict[str, object]] | None:
    work = {"prepare": "prepare", "finish": "complete", "acknowledge": "acknowledge"}
    for slot in example.workers.values():
        if slot.next_step in work:
            return work[slot.next_step], {"worker": slot.name}
    for job in example.to_publish:
        return "publish", {"job": job}
    due = [deadlines.find(example, "recovery", job) for job in example.jobs]
    if any(moment is not None and moment <= example.now for moment in due):
        return "recover", {}
    worker = first_idle(example)
    for message in example.queue.visible() if worker is not None else ():
        return "receive", {"worker": worker, "message": message.name}
    return _next_deadline(example)


def _next_deadline(example: Example) -> tuple[str, dict[str, object]] | None:
    upcoming = [deadline for deadline in deadlines.ahead(example) if deadline.at > example.now]
    if not upcoming:
        return None
    nearest = min(upcoming, key=lambda deadline: deadline.at)
    return "advance_to", {"deadline": nearest.kind, "of": nearest.of, "offset": 0}


def _what_is_stuck(example: Example) -> str:
    stuck = []
    for job, row in example.ledger.rows.items():
        if row.status in example.lifecycle.terminal:
            continue
        lease = ", lease expired" if row.lease_expires_at is not None else ""
        count = len(example.ledger.messages_of(job))
        stuck.append(f"{job} is {row.status}{lease}, {counted(count, 'message')}, nothing enabled changes it")
    return "; ".join(stuck)
