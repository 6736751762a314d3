"""Which mistake of a binding a step shows, in one sentence with the way out.

Whether something is wrong is for the claims to say; a few checks of the port stand beside them.  The
first function that knows the mistake gives its sentence.  What none knows is told in the claim's words.
"""

from __future__ import annotations

from collections.abc import Iterator

from statemachine.commands.check_binding.meanings import MEANINGS
from statemachine.commands.check_binding.port import AT_THE_PORT
from statemachine.commands.check_binding.step import Seen
from statemachine.invariants import BY_NAME


def fault_of(seen: Seen) -> str | None:
    """The sentence for this step; None when nothing is wrong with it."""
    return next(_sentences(seen), None)


def _sentences(seen: Seen) -> Iterator[str]:
    for look in (*AT_THE_PORT, *MEANINGS):
        sentence = look(seen)
        if sentence is not None:
            yield sentence
    if seen.violations:
        yield _in_the_claims_words(seen)
    if seen.impossible:
        yield f"{seen.operation} could not be played: {seen.impossible}"


def note_on(seen: Seen) -> str | None:
    """What is right, and yet leaves the search something that it cannot do."""
    facts, apart = seen.facts, seen.operation in ("stray", "mark_running")
    if seen.in_transactions or facts is None or not facts.changes or apart:
        return None
    return (
        f"{seen.call} wrote without a transaction, where the search cannot strike before and after a commit, "
        "so it can end UNKNOWN: put transaction.atomic() around what is written, if that is yours to change; "
        "if it is not, name the situations that such a run never meets in the binding's unreachable"
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
