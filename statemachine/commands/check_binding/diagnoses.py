"""Which mistake of a binding a step shows, in one sentence: the call, what it did, the rule, the remedy.

Whether something is wrong is for the claims to say, and for the few checks of the port in
``port_mistakes.py``.  Here stands what a broken claim, or a step that was not possible, usually means for
the author of a binding.  The first function that knows the mistake returns its sentence; a mistake that
none knows is reported in the words of the claim.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from statemachine.commands.check_binding.django_state import hours_of_the_time_zone, in_words
from statemachine.commands.check_binding.played_step import PlayedStep
from statemachine.commands.check_binding.port_mistakes import PORT_MISTAKES
from statemachine.history.words import exact
from statemachine.invariants import BY_NAME
from statemachine.world.clock import START, to_seconds


def fault_of(step: PlayedStep) -> str | None:
    """Return the sentence for this step; None when nothing is wrong with it.

    Where a claim is broken it is named, and nothing is said of whose mistake that is: one step cannot show
    whether the binding or the system is wrong.
    """
    sentence = next(_sentences(step), None)
    if sentence is None or not step.violations:
        return sentence
    return f"{sentence} (breaks {_first(step)}: yours or the system's)"


def _sentences(step: PlayedStep) -> Iterator[str]:
    for look in (*PORT_MISTAKES, *CLAIM_MISTAKES):
        sentence = look(step)
        if sentence is not None:
            yield sentence
    if step.violations:
        yield _in_the_claims_words(step)
    if step.impossible:
        yield f"{step.operation} could not be played: {step.impossible}"


def note_on(step: PlayedStep) -> str | None:
    """Return a remark on a step that is right, and yet keeps the search from trying something."""
    facts = step.facts
    # The search plays no fault in these two, so it misses nothing there.
    never_struck = step.operation in ("stray", "mark_running")
    if step.committed or facts is None or not facts.changes or never_struck:
        return None
    return (
        f"{step.call} wrote without a transaction, so the search cannot kill it before or after a commit and "
        "may end UNKNOWN: put transaction.atomic() around the writes; where the code is not yours to change, "
        "name the situations that such a run never meets in the binding's unreachable"
    )


def _in_the_claims_words(step: PlayedStep) -> str:
    headline = next(one for one in step.violations if one.invariant == _first(step))
    compared = "; ".join(
        f"{line.what}: expected {line.expected}, got {line.actual}" for line in headline.compared
    )
    protects = " ".join(BY_NAME[headline.invariant].protects.split("\n\n")[0].split())
    return f"{headline.story} {compared}. {protects}"


def _first(step: PlayedStep) -> str:
    names = [one.invariant for one in step.violations]
    return min(names, key=list(BY_NAME).index)


# -- mistakes behind a broken claim ------------------------------------------------------------

_WHEN_NEXT = {
    "prepare": "after a receive() that brought a readable message",
    "finish": "after a prepare() that was granted",
    "acknowledge": "after a finish() that ended the job, and after a prepare() refused because it has ended",
    "receive": "before anything was received",
}
"""When a delivery's ``next_step`` must name the step."""
_NEAR_REAL_TIME = timedelta(days=2)
"""The run's clock begins in 2030, so a time this close to now was read from a real clock."""


def _wrong_time(step: PlayedStep) -> str | None:
    for name, ahead in (("lease_expires_at", step.example.lifecycle.lease_seconds), ("published_at", 0)):
        moment: datetime | None = getattr(step.raw, name) if step.raw is not None else None
        found = to_seconds(moment)
        if name not in step.differing or moment is None or found is None:
            continue
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        off = found - step.example.now - ahead
        # The lease that an acquisition at second 0 would have: its end was computed once and kept.
        if name == "lease_expires_at" and off and found == ahead:
            return (
                f"{step.call} left lease_expires_at {found:g} at second {exact(step.example.now)}, as if it "
                "were still second 0: compute it anew at each acquisition, from timezone.now() called there, "
                "not at import and not in open()"
            )
        if abs(aware - step.started) < _NEAR_REAL_TIME + timedelta(seconds=ahead):
            return (
                f"{step.call} wrote {name} {moment:%Y-%m-%d %H:%M}, the real time, and the run's clock "
                f"stands at {START + timedelta(seconds=step.example.now):%Y-%m-%d %H:%M} UTC: read "
                "timezone.now() at each call, not once at import, and not the database's clock (NOW(), "
                "db_default)"
            )
        # Off by just the settings' time zone: a wrong length would seldom be that.
        if off and abs(off) == abs(3600 * hours_of_the_time_zone(aware)):
            kind = "naive" if moment.tzinfo is None else "in UTC"
            return (
                f"{step.call} left {name} {moment:%Y-%m-%d %H:%M} ({kind}), {exact(abs(off))} s off: "
                "local time is taken for UTC; set USE_TZ = True and use timezone.now(), or give observe's "
                "datetimes their time zone"
            )
    return None


def _wrong_lease(step: PlayedStep) -> str | None:
    seconds = step.example.lifecycle.lease_seconds
    lasts = step.broken("a_lease_lasts_its_declared_length")
    if lasts is None:
        return None
    length = float(lasts.compared[0].actual.removesuffix(" s"))
    hours = abs(length - seconds) / 3600
    # Whole hours are more likely a time zone than a wrong constant.
    zone = f"; {hours:g} h off, it looks as if local time were taken for UTC"
    return (
        f"{step.call} gave a lease of {exact(length)} s, counted from this call, and the lifecycle says "
        f"lease_seconds={seconds}: correct the lifecycle if that is the length you mean, else the code"
        f"{zone if hours in _ZONES else ''}"
    )


_ZONES = range(1, 15)
"""Time zones reach from UTC-12 to UTC+14."""


def _other_tenant(step: PlayedStep) -> str | None:
    mixed = step.broken("tenants_never_mix")
    if mixed is None:
        return None
    owner = step.row.tenant if step.row is not None else "another tenant"
    return (
        f"{step.call} was carried out although {step.job} is {owner}'s: look the job up by its id and its "
        "tenant; for a system without tenants the binding can make the tenant a part of the id"
    )


def _other_field(step: PlayedStep) -> str | None:
    for name, say in _FIELDS.items():
        if name in step.differing:
            expected, actual = step.differing[name]
            sentence = say(step, expected, actual)
            if sentence is not None:
                return sentence
    return None


def _wrong_status(step: PlayedStep, expected: str, actual: str) -> str | None:
    if actual == "no row":
        return None
    return (
        f"{step.call} left {step.job} {actual}, and {expected} is expected: write that status, or give its "
        "name to the lifecycle (pending, retrying, running, done, failed)"
    )


def _wrong_holder(step: PlayedStep, expected: str, actual: str) -> str | None:
    if actual == "None":
        return (
            f"{step.call} left {step.job} RUNNING with locked_by None: name the worker that holds it; a "
            "system without such a column can show any text while the job is RUNNING, and None otherwise"
        )
    return f"{step.call} left locked_by {actual!r}: {_UNTIL_RUNNING}"


_UNTIL_RUNNING = (
    "only a RUNNING job has a holder and a lease, so set it to None in the transaction that ends the attempt"
)


def _wrong_expiry(step: PlayedStep, expected: str, actual: str) -> str | None:
    if expected == "None":
        return f"{step.call} left lease_expires_at {actual}: {_UNTIL_RUNNING}"
    if actual == "None":
        return (
            f"{step.call} left {step.job} RUNNING without lease_expires_at: write the time at which its "
            "lease ends"
        )
    return None


def _wrong_attempt(step: PlayedStep, expected: str, actual: str) -> str | None:
    if actual == "no row":
        return None
    return (
        f"{step.call} left attempt {actual}, and {expected} is expected: start it at 0, add 1 at each "
        "acquisition (takeovers too), and change it nowhere else, since it is the fencing token"
    )


def _wrong_count(step: PlayedStep, expected: str, actual: str) -> str | None:
    wrote = f"{in_words(step.added)} added" if step.added else "no table has a new row"
    return (
        f"after {step.call} observe counts {actual} results of {step.job}, and {expected} is expected "
        f"({wrote}): write one result row in the transaction that completes the job, and count its rows"
    )


def _wrong_result(step: PlayedStep, expected: str, actual: str) -> str | None:
    return (
        f"after {step.call} observe shows result {actual!r}, and {expected!r} was given: store that text "
        "and show it unchanged"
    )


def _wrong_publication(step: PlayedStep, expected: str, actual: str) -> str | None:
    if step.operation == "create":
        return f"{step.call} left published_at {actual}: leave it NULL until publish() has sent the message"
    return None


_FIELDS: dict[str, Callable[[PlayedStep, str, str], str | None]] = {
    "status": _wrong_status,
    "locked_by": _wrong_holder,
    "lease_expires_at": _wrong_expiry,
    "attempt": _wrong_attempt,
    "results": _wrong_count,
    "result": _wrong_result,
    "published_at": _wrong_publication,
}
"""By field of the row, in the order in which a step that left several wrong is explained."""


def _not_ready(step: PlayedStep) -> str | None:
    refused = re.search(r"next step is (.+), not (\w+)$", step.impossible)
    if refused is None:
        return None
    word, wanted = refused.groups()
    shown = "None" if word == "to receive" else repr(word)
    return (
        f"the delivery has next_step {shown} where it must be {wanted!r}: make it {wanted!r} "
        f"{_WHEN_NEXT[wanted]}"
    )


def _not_fenced(step: PlayedStep) -> str | None:
    if step.expected_answer != "refused" or step.broken("only_the_holder_finishes") is None:
        return None
    return (
        f"{step.call} was carried out, with a token that is not the holder's: compare the attempt (and the "
        "tenant) in the WHERE of the UPDATE"
    )


CLAIM_MISTAKES: tuple[Callable[[PlayedStep], str | None], ...] = (
    _other_tenant,
    _wrong_time,
    _wrong_lease,
    _not_fenced,
    _other_field,
    _not_ready,
)
"""In this order: the first that applies is printed, from the most telling mistake to the most general."""
