"""What a broken claim, or a step that was not possible, usually means for whoever writes the binding.

Each function knows one mistake and gives its sentence, None when the step does not show it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from statemachine.commands.check_binding.row_counts import hours_of_the_time_zone, in_words
from statemachine.commands.check_binding.step import Seen
from statemachine.history.words import exact
from statemachine.world.clock import START, to_seconds

_NEXT = {
    "prepare": "after a receive() that brought a readable message",
    "finish": "after a prepare() that was granted",
    "acknowledge": "after a finish() that ended the job, and after a prepare() refused because it has ended",
    "receive": "before anything was received",
}
_REAL_TIME = timedelta(days=2)


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
                f"{seen.call} left lease_expires_at {found:g} at second {exact(seen.example.now)}, as if it "
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
                f"{seen.call} left {name} {moment:%Y-%m-%d %H:%M} ({kind}), {exact(abs(off))} s off: "
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
        f"{seen.call} gave a lease of {exact(length)} s, counted from this call, and the lifecycle says "
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


MEANINGS: tuple[Callable[[Seen], str | None], ...] = (
    _other_tenant,
    _wrong_time,
    _wrong_lease,
    _not_fenced,
    _other_field,
    _not_ready,
)
