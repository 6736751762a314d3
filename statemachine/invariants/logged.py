"""The claim that only logs are judged by: the database agrees with the answers that workers were given."""

from __future__ import annotations

from statemachine.history.events import RowRead
from statemachine.history.ledger import Ledger
from statemachine.history.words import exact
from statemachine.invariants.claim import HELD, Judgements, broken, invariant


@invariant(RowRead, section="§2.3 (both queries)")
def rows_match_the_answers(ledger: Ledger, event: RowRead) -> Judgements:
    """A row that is read at rest agrees with the answers in status, attempt and number of results.

    It is leased if it is RUNNING, and only then.
    """
    known, found, running = ledger.rows.get(event.row.job), event.row, ledger.lifecycle.running
    if known is None:
        return
    leased, due = found.lease_expires_at is not None, found.status == running
    compared = [
        ("status", known.status, found.status),
        ("attempt", known.attempt, found.attempt),
        ("result rows", known.results, found.results),
        (
            "lease_expires_at",
            "set" if due else "NULL",
            exact(found.lease_expires_at) if leased else "NULL",
        ),
    ]
    if (known.status, known.attempt, known.results) == (
        found.status,
        found.attempt,
        found.results,
    ) and (leased == due):
        yield HELD
        return
    yield broken(
        found.job,
        f"the row of {found.job} says {found.status}, attempt {found.attempt}, {found.results} results"
        f"{', leased' if leased else ''}; the answers said {known.status}, attempt {known.attempt}, "
        f"{known.results} results.",
        *(
            line
            for line in compared
            if line[1] != line[2] and (line[0] != "lease_expires_at" or leased != due)
        ),
    )
