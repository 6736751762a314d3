"""Mistakes at the port itself, which no claim can see: an answer's type, a queue that was not called.

Each function knows one mistake and gives its sentence, None when the step does not show it.
"""

from __future__ import annotations

from collections.abc import Callable

from statemachine.commands.check_binding.recorder import told, way_out
from statemachine.commands.check_binding.row_counts import in_words
from statemachine.commands.check_binding.step import Seen
from statemachine.history import events as history

ACQUIRES = ("prepare", "mark_running")
FINISHES = ("complete", "fail", "release", "close")
ANSWERS = {
    **dict.fromkeys(ACQUIRES, "the attempt number that the row has now, or None when refused"),
    **dict.fromkeys(
        ("renew", "complete", "fail", "release", "close", "finish"),
        "True when it was written, False when refused",
    ),
    "receive": "True when a message came, else False",
}


def _raised(seen: Seen) -> str | None:
    if seen.heard is None or seen.heard.error is None:
        return None
    error = seen.heard.error
    if seen.due == "IntegrityError":
        if type(error).__name__ == "IntegrityError":
            return None
        return (
            f"{seen.call} for an id that exists raised {told(error)}: raise django.db.IntegrityError there, "
            "which is what the caller of a create that lost its answer is told"
        )
    instead = ANSWERS.get(seen.method.rpartition(".")[2])
    if instead and seen.due == "refused":
        return f"{seen.call} raised {told(error)}, where the table says refused: return {instead}"
    return f"{seen.call} raised {told(error)}: {way_out(error)}"


def _left_open(seen: Seen) -> str | None:
    if not seen.open_transaction:
        return None
    return (
        f"{seen.call} returned inside an open transaction, so nothing is committed and no on_commit runs: "
        "leave every atomic() block before returning, and open none around the binding"
    )


def _created(seen: Seen) -> str | None:
    if seen.operation not in ("create", "create_again") or seen.heard is None or seen.heard.error:
        return None
    if seen.due == "IntegrityError":
        return (
            f"{seen.call} for an id that exists returned: let the database refuse it (unique=True or the "
            "primary key) and IntegrityError through; get_or_create, update_or_create, ignore_conflicts and "
            "save() on a given primary key hide it"
        )
    if seen.row is None:
        if seen.added:
            return (
                f"{seen.call} left {in_words(seen.added)}, and observe(['{seen.job}']) does not show the "
                "job: find it there by the name that create() was given"
            )
        return f"{seen.call} returned and no table has a new row: create the job and commit it"
    if seen.events_of(history.PublicationQueued):
        return None
    if seen.events_of(history.Sent):
        return (
            f"{seen.call} sent the message itself: hand the job to open()'s publisher instead, "
            "transaction.on_commit(lambda: publisher.enqueue(job, tenant)), and send in publish(), which is "
            "played as a step of its own that can be killed"
        )
    return (
        f"{seen.call} committed the job and never called publisher.enqueue(job, tenant) of open()'s "
        "publisher: call it from transaction.on_commit, or no message would ever be sent"
    )


def _published(seen: Seen) -> str | None:
    if seen.operation != "publish" or seen.heard is None:
        return None
    if not seen.events_of(history.Sent):
        return (
            f"{seen.call} sent nothing through the queue that open() was given: call its "
            "send(job, tenant); what a client of your own sends (boto3, Celery, a table) is not seen here"
        )
    wrong = [sent for sent in seen.events_of(history.Sent) if sent.job != seen.job]
    if wrong:
        return (
            f"{seen.call} sent a message of job {wrong[0].job!r}: send the name that create() was told, "
            f"{seen.job!r}"
        )
    if seen.raw is not None and seen.raw.published_at is None:
        return (
            f"{seen.call} sent the message and observe shows published_at None: write the time after the "
            "send; a system without such a column can keep it in a small table of its binding's"
        )
    return None


def _received(seen: Seen) -> str | None:
    if seen.operation not in ("receive", "duplicate") or seen.heard is None:
        return None
    if not seen.events_of(history.Delivered):
        return (
            f"{seen.call} did not ask the queue: call receive() of the queue that deliver() was given, "
            "once, and keep its message"
        )
    if not seen.heard.answer:
        return f"{seen.call} returned {seen.heard.answer!r} although a message came: return True"
    return None


def _acknowledged(seen: Seen) -> str | None:
    if seen.operation != "acknowledge" or seen.events_of(history.DeleteRequested) or seen.heard is None:
        return None
    return (
        f"{seen.call} deleted nothing: call delete(message.receipt_handle) of the queue that deliver() was "
        "given"
    )


def _extended(seen: Seen) -> str | None:
    if seen.operation != "extend" or seen.events_of(history.VisibilityChanged) or seen.heard is None:
        return None
    return (
        f"{seen.call} hid nothing for longer: call change_visibility(message.receipt_handle, seconds) of the "
        "queue that deliver() was given, or leave EXTEND out of the lifecycle's offers"
    )


def _granted(seen: Seen) -> str | None:
    if seen.method.rpartition(".")[2] not in ACQUIRES or seen.heard is None:
        return None
    answer = seen.heard.answer
    if isinstance(answer, int) and not isinstance(answer, bool) and seen.row is not None:
        if seen.due == "accepted" and answer != seen.row.attempt:
            return (
                f"{seen.call} returned {answer} and the row has attempt {seen.row.attempt}: return the "
                "number in the row; add 1 to it at every acquisition, takeovers included"
            )
        if seen.due == "refused" and answer == 0:
            return f"{seen.call} returned 0 for a refusal: return None"
    elif answer is not None and answer is not False:
        shown = (
            f"an instance of {type(answer).__name__}" if not isinstance(answer, bool | str) else repr(answer)
        )
        return f"{seen.call} returned {shown}: return {ANSWERS['prepare']}"
    return None


def _nothing_said(seen: Seen) -> str | None:
    name = seen.method.rpartition(".")[2]
    if name not in ANSWERS or seen.heard is None or seen.heard.answer is not None or not seen.violations:
        return None
    return f"{seen.call} returned None, which is read as a refusal: return {ANSWERS[name]}"


def _early_hand_over(seen: Seen) -> str | None:
    kinds = [type(event) for event in seen.events]
    if history.PublicationQueued not in kinds or seen.broken("published_means_committed") is None:
        return None
    if history.Committed in kinds[: kinds.index(history.PublicationQueued)]:
        return None
    return (
        f"{seen.call} called publisher.enqueue before its row was committed: call it from "
        "transaction.on_commit"
    )


AT_THE_PORT: tuple[Callable[[Seen], str | None], ...] = (
    _raised,
    _left_open,
    _early_hand_over,
    _created,
    _published,
    _received,
    _acknowledged,
    _extended,
    _granted,
    _nothing_said,
)
