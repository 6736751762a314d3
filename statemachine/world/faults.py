"""The faults that can strike a call, and the exception that stands for a killed process."""

from __future__ import annotations

from enum import StrEnum

from statemachine.lifecycle import FINISHES, Operation


class Killed(BaseException):
    """The process is gone.  Not an ``Exception``: code under test must not be able to go on from it."""


class Fault(StrEnum):
    """What strikes a call, in words for a report."""

    KILL_BEFORE_COMMIT = "kill_before_commit"
    KILL_AFTER_COMMIT = "kill_after_commit"
    ERROR_BEFORE_COMMIT = "error_before_commit"
    ANSWER_LOST = "answer_lost"
    KILL_AFTER_DELETE = "kill_after_delete"
    DELETE_LOST = "delete_lost"


COMMIT_FAULTS = (
    Fault.KILL_AFTER_COMMIT,
    Fault.ANSWER_LOST,
    Fault.KILL_BEFORE_COMMIT,
    Fault.ERROR_BEFORE_COMMIT,
)

BETWEEN_STEPS = {
    "prepare": "after_receive",
    "finish": "during_inference",
    "acknowledge": "before_delete",
}
"""The crash boundary at which a worker dies that is killed between two steps, by its next step."""


def boundary(operation: Operation, fault: Fault) -> str:
    """The name of the place where ``fault`` strikes a call.

    >>> boundary(Operation.COMPLETE, Fault.KILL_AFTER_COMMIT)
    'after_finish_commit'
    """
    stage = "finish" if operation in FINISHES else str(operation)
    if fault in (Fault.KILL_BEFORE_COMMIT, Fault.KILL_AFTER_COMMIT):
        return f"{fault.removeprefix('kill_').split('_')[0]}_{stage}_commit"
    return f"{fault}_in_{stage}"
