"""The three kinds of pages: of a failure that was found, of a run that has ended, of a replay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from statemachine.history.events import Event
from statemachine.history.ledger import Ledger
from statemachine.history.ndjson import Header
from statemachine.history.reach import Reach
from statemachine.history.words import grouped
from statemachine.lifecycle import Lifecycle
from statemachine.report.text.figures import doubt_lines
from statemachine.report.text.summary import MEANING, verdict_word, volume, with_reasons
from statemachine.report.timeline.page import Page, rendered
from statemachine.search.run import Run
from statemachine.search.triage.explain import Why
from statemachine.search.triage.failure import Failure


def of_failure(
    header: Header,
    failure: Failure,
    *,
    why: Why | None,
    reproduce: Sequence[str],
    looked_at: str,
    run: Run,
) -> str:
    """Return the page of a failure that ``run`` has found; the arguments are those of the text report."""
    page = Page(
        "FAIL",
        header.lifecycle,
        failure.events,
        failure=failure,
        why=why,
        reach=run.reach,
        reach_required=run.judges_reach,
        facts=[*_source(header), ("search", looked_at)],
        reproduce=reproduce,
    )
    return rendered(page)


def of_run(header: Header, run: Run, *, waived: Mapping[str, str], limits: Iterable[str], again: str) -> str:
    """Return the page of a run that broke nothing, with one of its examples; ``again`` is its command."""
    example = (
        f"One of {grouped(run.tally.examples)} examples: the first of those in which most leases were taken. "
        "It shows what a run plays, and no more."
    )
    page = Page(
        verdict_word(run),
        header.lifecycle,
        run.specimen,
        meaning=MEANING[run.verdict],
        doubts=doubt_lines(run.doubts()),
        reach=run.reach,
        reach_required=run.judges_reach,
        judged={claim.name: run.tally.judged[claim.name] for claim in run.lane.claims},
        facts=[*_source(header), ("played", volume(run))],
        reproduce=[again],
        limits=[*with_reasons("waived", waived), *limits],
        about_events=example,
    )
    return rendered(page)


def of_replay(
    header: Header,
    events: Sequence[Event],
    *,
    outcome: str,
    reason: str,
    failure: Failure | None,
    why: Why | None,
    again: str,
) -> str:
    """Return the page of a replay: it draws what happened now, not what was saved."""
    page = Page(
        outcome,
        header.lifecycle,
        events,
        # The page of a failure prints its story anyway.
        meaning=reason if failure is None or failure.headline.story != reason else "",
        failure=failure,
        why=why,
        reach=_reach_of(header.lifecycle, events),
        facts=_source(header),
        reproduce=[again],
    )
    return rendered(page)


def _source(header: Header) -> list[tuple[str, str]]:
    ours = header.lifecycle
    facts = [
        ("binding", header.binding),
        ("planted defect", header.defect),
        ("seed", None if header.seed is None else str(header.seed)),
        (
            "lifecycle",
            f"lease {ours.lease_seconds} s, visibility {ours.visibility_seconds} s, "
            f"{ours.max_receives} receives, late completion {ours.late_completion}",
        ),
    ]
    return [(term, value) for term, value in facts if value is not None]


def _reach_of(lifecycle: Lifecycle, events: Iterable[Event]) -> Reach:
    reach, ledger = Reach(lifecycle), Ledger(lifecycle)
    for event in events:
        ledger.apply(event)
        reach.take(ledger, event)
    return reach
