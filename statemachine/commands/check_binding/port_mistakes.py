"""Mistakes at the port itself: an answer of the wrong type, a queue that was not called.

No claim can see these.  Each function knows one mistake: it returns the sentence about it, or None when the
step does not show it.
"""

from __future__ import annotations

from collections.abc import Callable

from statemachine.commands.check_binding.django_state import in_words
from statemachine.commands.check_binding.played_step import PlayedStep
from statemachine.commands.check_binding.recorder import described, remedy
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
"""What a method must return, by its name, as the end of a sentence."""


def _raised(step: PlayedStep) -> str | None:
    if step.recorded is None or step.recorded.error is None:
        return None
    error = step.recorded.error
    if step.expected_answer == "IntegrityError":
        if type(error).__name__ == "IntegrityError":
            return None
        return (
            f"{step.call} for an id that exists raised {described(error)}: raise "
            "django.db.IntegrityError there; it says to a caller who tries again after a lost answer that "
            "the job exists"
        )
    instead = ANSWERS.get(step.method_name)
    if instead and step.expected_answer == "refused":
        return f"{step.call} raised {described(error)}, where it must refuse: return {instead}"
    return f"{step.call} raised {described(error)}: {remedy(error)}"


def _left_open(step: PlayedStep) -> str | None:
    if not step.open_transaction:
        return None
    return (
        f"{step.call} returned inside an open transaction, so nothing is committed and no on_commit runs: "
        "leave every atomic() block before returning, and open none around the binding"
    )


def _created(step: PlayedStep) -> str | None:
    if step.operation not in ("create", "create_again") or step.recorded is None or step.recorded.error:
        return None
    if step.expected_answer == "IntegrityError":
        return (
            f"{step.call} for an id that exists returned: make the id unique in the database (unique=True or "
            "the primary key) and let its IntegrityError through; get_or_create, update_or_create, "
            "ignore_conflicts and save() on a given primary key hide it"
        )
    if step.row is None:
        if step.added:
            return (
                f"{step.call} left {in_words(step.added)}, and observe(['{step.job}']) does not show the "
                "job: look it up by the name that create() was given"
            )
        return f"{step.call} returned and no table has a new row: create the job and commit it"
    if step.events_of(history.PublicationQueued):
        return None
    if step.events_of(history.Sent):
        return (
            f"{step.call} sent the message itself: hand the job to the publisher that open() was given, "
            "transaction.on_commit(lambda: publisher.enqueue(job, tenant)), and send in publish(), which the "
            "search plays as a step of its own, and kills"
        )
    return (
        f"{step.call} committed the job and never called publisher.enqueue(job, tenant) of the publisher "
        "that open() was given: call it from transaction.on_commit, or no message is ever sent"
    )


def _published(step: PlayedStep) -> str | None:
    if step.operation != "publish" or step.recorded is None:
        return None
    if not step.events_of(history.Sent):
        return (
            f"{step.call} sent nothing through the queue that open() was given: call its "
            "send(job, tenant); a message sent by a client of your own (boto3, Celery, a table) is not seen"
        )
    wrong = [sent for sent in step.events_of(history.Sent) if sent.job != step.job]
    if wrong:
        return (
            f"{step.call} sent a message of job {wrong[0].job!r}: send the name that create() was given, "
            f"{step.job!r}"
        )
    if step.raw is not None and step.raw.published_at is None:
        return (
            f"{step.call} sent the message and observe shows published_at None: write the time after the "
            "send; a system without such a column can keep it in a small table that the binding adds"
        )
    return None


def _received(step: PlayedStep) -> str | None:
    if step.operation not in ("receive", "duplicate") or step.recorded is None:
        return None
    if not step.events_of(history.Delivered):
        return (
            f"{step.call} did not ask the queue: call receive() of the queue that deliver() was given, "
            "once, and keep the message for the later steps"
        )
    if not step.recorded.answer:
        return f"{step.call} returned {step.recorded.answer!r} although a message came: return True"
    return None


def _acknowledged(step: PlayedStep) -> str | None:
    if step.operation != "acknowledge" or step.events_of(history.DeleteRequested) or step.recorded is None:
        return None
    return (
        f"{step.call} deleted nothing: call delete(message.receipt_handle) of the queue that deliver() was "
        "given"
    )


def _extended(step: PlayedStep) -> str | None:
    if step.operation != "extend" or step.events_of(history.VisibilityChanged) or step.recorded is None:
        return None
    return (
        f"{step.call} hid nothing for longer: call change_visibility(message.receipt_handle, seconds) of the "
        "queue that deliver() was given, or leave EXTEND out of offers in the lifecycle"
    )


def _granted(step: PlayedStep) -> str | None:
    if step.method_name not in ACQUIRES or step.recorded is None:
        return None
    answer = step.recorded.answer
    if isinstance(answer, int) and not isinstance(answer, bool) and step.row is not None:
        if step.expected_answer == "accepted" and answer != step.row.attempt:
            return (
                f"{step.call} returned {answer} and the row has attempt {step.row.attempt}: return the "
                "number in the row; add 1 to it at every acquisition, takeovers included"
            )
        if step.expected_answer == "refused" and answer == 0:
            return f"{step.call} returned 0 for a refusal: return None"
    elif answer is not None and answer is not False:
        shown = (
            f"an instance of {type(answer).__name__}" if not isinstance(answer, bool | str) else repr(answer)
        )
        return f"{step.call} returned {shown}: return {ANSWERS['prepare']}"
    return None


def _no_answer(step: PlayedStep) -> str | None:
    name = step.method_name
    if (
        name not in ANSWERS
        or step.recorded is None
        or step.recorded.answer is not None
        or not step.violations
    ):
        return None
    return f"{step.call} returned None, which is read as a refusal: return {ANSWERS[name]}"


def _enqueued_too_early(step: PlayedStep) -> str | None:
    kinds = [type(event) for event in step.events]
    if history.PublicationQueued not in kinds or step.broken("published_means_committed") is None:
        return None
    if history.Committed in kinds[: kinds.index(history.PublicationQueued)]:
        return None
    return (
        f"{step.call} called publisher.enqueue before its row was committed: call it from "
        "transaction.on_commit, or a rollback leaves a message without a job"
    )


PORT_MISTAKES: tuple[Callable[[PlayedStep], str | None], ...] = (
    _raised,
    _left_open,
    _enqueued_too_early,
    _created,
    _published,
    _received,
    _acknowledged,
    _extended,
    _granted,
    _no_answer,
)
"""The first that applies is printed, so an error comes before what it has kept from happening."""
