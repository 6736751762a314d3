"""Which mistake of a binding a step shows, in one sentence with the way out.

Whether something is wrong is for the claims to say; a few checks of the port stand beside them, about
what no claim can see: an answer's type, a queue that was not called.  The first function that knows the
mistake gives its sentence.  What none knows is told in the claim's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from statemachine import history
from statemachine.checkbinding.seen import Seen
from statemachine.checkbinding.tables import hours_of_the_time_zone, in_words
from statemachine.checkbinding.watched import told, way_out
from statemachine.invariants import BY_NAME
from statemachine.invariants.claim import clock
from statemachine.world.clock import START, to_seconds

_ACQUIRES = ("prepare", "mark_running")
_FINISHES = ("complete", "fail", "release", "close")
_ANSWERS = {
    **dict.fromkeys(_ACQUIRES, "the attempt number that the row has now, or None when refused"),
    **dict.fromkeys((*_FINISHES, "renew", "finish"), "True when it was written, False when refused"),
    "receive": "True when a message came, else False",
}
_NEXT = {
    "prepare": "after a receive() that brought a readable message",
    "finish": "after a prepare() that was granted",
    "acknowledge": "after a finish() that ended the job, and after a prepare() refused because it has ended",
    "receive": "before anything was received",
}
_REAL_TIME = timedelta(days=2)


def fault_of(seen: Seen) -> str | None:
    """The sentence for this step; None when nothing is wrong with it."""
    return next(_sentences(seen), None)


def _sentences(seen: Seen) -> Iterator[str]:
    for look in _LOOKS:
        sentence = look(seen)
        if sentence is not None:
            yield sentence
    if seen.violations:
        yield _in_the_claims_words(seen)
    if seen.impossible:
        yield f"{seen.operation} could not be played: {seen.impossible}"


# -- what is wrong whatever the claims say ----------------------------------------------------


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
    instead = _ANSWERS.get(seen.method.rpartition(".")[2])
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
            "send; a system without such a column can let its binding remember it"
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
    if seen.method.rpartition(".")[2] not in _ACQUIRES or seen.heard is None:
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
        return f"{seen.call} returned {shown}: return {_ANSWERS['prepare']}"
    return None


# -- what a broken claim, or a step that was not possible, usually means ------------------------


def _nothing_said(seen: Seen) -> str | None:
    name = seen.method.rpartition(".")[2]
    if name not in _ANSWERS or seen.heard is None or seen.heard.answer is not None or not seen.violations:
        return None
    return f"{seen.call} returned None, which is read as a refusal: return {_ANSWERS[name]}"


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


def _wrong_time(seen: Seen) -> str | None:
    for name, ahead in (("lease_expires_at", seen.example.lifecycle.lease_seconds), ("published_at", 0)):
        moment: datetime | None = getattr(seen.raw, name) if seen.raw is not None else None
        found = to_seconds(moment)
        if name not in seen.differing or moment is None or found is None:
            continue
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        off = found - seen.example.now - ahead
        if name == "lease_expires_at" and off and found == ahead:
            return (
                f"{seen.call} left lease_expires_at {found:g} at second {clock(seen.example.now)}, as if it "
                "were still second 0: write a new one at each acquisition, from timezone.now() asked there, "
                "not at import and not in open()"
            )
        if abs(aware - seen.started) < _REAL_TIME + timedelta(seconds=ahead):
            return (
                f"{seen.call} wrote {name} {moment:%Y-%m-%d %H:%M}, the real time, and the run's clock "
                f"stands at {START + timedelta(seconds=seen.example.now):%Y-%m-%d %H:%M} UTC: ask "
                "timezone.now() at each call, neither at import nor of the database (NOW(), db_default)"
            )
        if off and abs(off) == abs(3600 * hours_of_the_time_zone(aware)):
            kind = "naive" if moment.tzinfo is None else "in UTC"
            return (
                f"{seen.call} left {name} {moment:%Y-%m-%d %H:%M} ({kind}), {clock(abs(off))} s off: "
                "local time is taken for UTC; set USE_TZ = True and use timezone.now(), or give observe's "
                "datetimes their time zone"
            )
    return None


def _wrong_lease(seen: Seen) -> str | None:
    seconds = seen.example.lifecycle.lease_seconds
    lasts = seen.broken("a_lease_lasts_its_declared_length")
    if lasts is None:
        return None
    length = float(lasts.compared[0].actual.removesuffix(" s"))
    hours = abs(length - seconds) / 3600
    zone = f"; {hours:g} h off, it looks as if local time were taken for UTC"
    return (
        f"{seen.call} gave a lease of {clock(length)} s, counted from this call, and the lifecycle says "
        f"lease_seconds={seconds}: correct the lifecycle if that is the length you mean, else the code"
        f"{zone if hours in range(1, 15) else ''}"
    )


def _other_tenant(seen: Seen) -> str | None:
    mixed = seen.broken("tenants_never_mix")
    if mixed is None:
        return None
    owner = seen.row.tenant if seen.row is not None else "another tenant"
    return (
        f"{seen.call} was carried out although {seen.job} is {owner}'s: look the job up by its id and its "
        "tenant; a system without tenants can have its binding make the tenant a part of the id"
    )


def _other_field(seen: Seen) -> str | None:
    for name, say in _FIELDS.items():
        if name in seen.differing:
            expected, actual = seen.differing[name]
            sentence = say(seen, expected, actual)
            if sentence is not None:
                return sentence
    return None


def _wrong_status(seen: Seen, expected: str, actual: str) -> str | None:
    if actual == "no row":
        return None
    return (
        f"{seen.call} left {seen.job} {actual}, and the table says {expected}: write that, or name the "
        f"status in the lifecycle that you mean by it (pending, retrying, running, done, failed)"
    )


def _wrong_holder(seen: Seen, expected: str, actual: str) -> str | None:
    if actual == "None":
        return (
            f"{seen.call} left {seen.job} RUNNING with locked_by None: name who holds it; a system without "
            "such a column can show any text there while the job is RUNNING, and None otherwise"
        )
    return f"{seen.call} left locked_by {actual!r}: {_UNTIL_RUNNING}"


_UNTIL_RUNNING = (
    "only a RUNNING job has a holder and a lease, so set it to None; a system that leaves it standing on "
    "purpose can have observe show None for every other status"
)


def _wrong_expiry(seen: Seen, expected: str, actual: str) -> str | None:
    if expected == "None":
        return f"{seen.call} left lease_expires_at {actual}: {_UNTIL_RUNNING}"
    if actual == "None":
        return f"{seen.call} left {seen.job} RUNNING without lease_expires_at: write when its lease ends"
    return None


def _wrong_attempt(seen: Seen, expected: str, actual: str) -> str | None:
    if actual == "no row":
        return None
    return (
        f"{seen.call} left attempt {actual}, and the table says {expected}: it is 0 at first, one more after "
        "each acquisition (takeovers too) and stays as it is otherwise, since it is the fencing token"
    )


def _wrong_count(seen: Seen, expected: str, actual: str) -> str | None:
    wrote = f"{in_words(seen.added)} came" if seen.added else "no table has a new row"
    return (
        f"after {seen.call} observe counts {actual} results of {seen.job}, and the table says {expected} "
        f"({wrote}): write one result row in the transaction that completes the job, and count its rows"
    )


def _wrong_result(seen: Seen, expected: str, actual: str) -> str | None:
    return (
        f"after {seen.call} observe shows result {actual!r}, and {expected!r} was given: store that text and "
        "show it as it is"
    )


def _wrong_publication(seen: Seen, expected: str, actual: str) -> str | None:
    if seen.operation == "create":
        return f"{seen.call} left published_at {actual}: leave it NULL until publish() has sent the message"
    return None


_FIELDS: dict[str, Callable[[Seen, str, str], str | None]] = {
    "status": _wrong_status,
    "locked_by": _wrong_holder,
    "lease_expires_at": _wrong_expiry,
    "attempt": _wrong_attempt,
    "results": _wrong_count,
    "result": _wrong_result,
    "published_at": _wrong_publication,
}


def _not_ready(seen: Seen) -> str | None:
    if "next step is" not in seen.impossible:
        return None
    word, wanted = seen.impossible.partition("next step is ")[2].split(", not ")
    said = "None" if word == "to receive" else repr(word)
    return f"the delivery says next_step {said} where it must be {wanted!r}: say {wanted!r} {_NEXT[wanted]}"


def _not_fenced(seen: Seen) -> str | None:
    if seen.due != "refused" or seen.broken("only_the_holder_finishes") is None:
        return None
    return (
        f"{seen.call} was carried out, with a token that is not the holder's: let the UPDATE ask for the "
        "attempt (and the tenant) in its WHERE; a system that does not fence on purpose says fenced=False in "
        "its lifecycle and waives only_the_holder_finishes"
    )


def _in_the_claims_words(seen: Seen) -> str:
    headline = next(one for one in seen.violations if one.invariant == _first(seen))
    compared = "; ".join(
        f"{line.what}: expected {line.expected}, got {line.actual}" for line in headline.compared
    )
    protects = " ".join(BY_NAME[headline.invariant].protects.split("\n\n")[0].split())
    return f"{headline.story} {compared}. {protects} If your system is not like that on purpose, " + (
        f"say so in the lifecycle, or waive {headline.invariant} with the reason"
    )


def _first(seen: Seen) -> str:
    names = [one.invariant for one in seen.violations]
    return min(names, key=list(BY_NAME).index)


_LOOKS: tuple[Callable[[Seen], str | None], ...] = (
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
    _other_tenant,
    _wrong_time,
    _wrong_lease,
    _not_fenced,
    _other_field,
    _not_ready,
)
