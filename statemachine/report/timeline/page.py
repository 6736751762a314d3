"""The page: what broke or what was shown, the timeline, and what it was found among."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from statemachine.history.events import Event
from statemachine.history.reach import Reach
from statemachine.history.words import exact, grouped
from statemachine.invariants import BY_NAME, Violation
from statemachine.lifecycle import Lifecycle
from statemachine.report.text.failure import protects
from statemachine.report.timeline.grid import timeline
from statemachine.report.timeline.marks import definitions, legend
from statemachine.report.timeline.markup import Markup, joined, table, tag, text
from statemachine.report.timeline.met import reach_grids
from statemachine.report.timeline.moments import Moment
from statemachine.report.timeline.telling import moments
from statemachine.report.timeline.why import why_grid
from statemachine.search.triage.explain import Why
from statemachine.search.triage.failure import Failure

_NOTHING_FOREIGN = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may load for the page: a promise that it keeps for us."""


_GOOD = ("PASS", "FIXED")


@dataclass(frozen=True)
class Page:
    """What a page tells.

    ``verdict`` is one word, ``meaning`` what it means, ``doubts`` why it is not better; ``facts`` are terms
    with their values, ``reproduce`` the lines that say how to see it again.  ``judged`` counts by claim,
    ``limits`` are sentences on what was not tried, ``about_events`` says which history is drawn.  What is
    None or empty is left out.
    """

    verdict: str
    lifecycle: Lifecycle
    events: Sequence[Event]
    meaning: str = ""
    doubts: Sequence[str] = ()
    failure: Failure | None = None
    why: Why | None = None
    reach: Reach | None = None
    reach_required: bool = False
    judged: Mapping[str, int] = field(default_factory=dict)
    facts: Sequence[tuple[str, str]] = ()
    reproduce: Sequence[str] = ()
    limits: Sequence[str] = ()
    about_events: str = ""

    @property
    def seen(self) -> Violation | None:
        return self.failure.headline if self.failure is not None else None


def rendered(page: Page) -> str:
    """The page as HTML in ASCII, the same for the same arguments."""
    told = moments(page.lifecycle, page.events, page.seen.step if page.seen is not None else None)
    name = page.seen.invariant if page.seen is not None else page.meaning
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_NOTHING_FOREIGN),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{page.verdict}: {name}"),
        tag("link", rel="icon", href="data:,"),
        tag("style", Markup(_style())),
    )
    body = tag("body", definitions(), _header(page), tag("main", *_sections(page, told)))
    whole = f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"
    return whole.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _style() -> str:
    return files(__package__).joinpath("style.css").read_text("ascii")


def _header(page: Page) -> Markup:
    seen = page.seen
    good = page.verdict.startswith(_GOOD)
    verdict = tag("p", page.verdict, class_=f"verdict {'good' if good else 'bad'}")
    doubts = tag("ul", *(tag("li", doubt) for doubt in page.doubts)) if page.doubts else None
    if seen is None:
        return tag("header", verdict, tag("h1", page.meaning, class_="prose"), doubts, _reproduce(page))
    claim = f"{protects(seen)} (gate report {BY_NAME[seen.invariant].section})"
    failing = f"To the failing step, {seen.step}, at {exact(seen.at)} s"
    return tag(
        "header",
        verdict,
        tag("h1", seen.invariant),
        tag("p", page.meaning) if page.meaning else None,
        tag("p", seen.story, class_="story"),
        tag("p", claim, class_="claim"),
        tag("p", tag("a", failing, href=f"#step-{seen.step}"), class_="jump") if seen.step else None,
        _reproduce(page),
    )


def _reproduce(page: Page) -> Markup | None:
    if not page.reproduce:
        return None
    return tag("section", tag("h2", "Reproduce"), tag("pre", _lines(page.reproduce)))


def _lines(lines: Sequence[str]) -> Markup:
    return Markup("\n".join(text(line) for line in lines))


def _sections(page: Page, told: Sequence[Moment]) -> list[Markup | None]:
    return [
        _section(
            "Timeline",
            tag("p", page.about_events) if page.about_events else None,
            legend(with_flights=any(moment.flight_bars for moment in told)),
            timeline(told),
        )
        if told
        else None,
        _broken(page.failure) if page.failure is not None else None,
        _section(
            "Why",
            tag("p", "Each cell is a re-run with that one change; nothing is inferred."),
            why_grid(page.why, told),
        )
        if page.why is not None
        else None,
        _section("Situations met", reach_grids(page.reach, page.reach_required))
        if page.reach is not None
        else None,
        _section("Invariants", _judged(page.judged)) if page.judged else None,
        _section("About this run", _facts(page.facts), _limits(page.limits)) if page.facts else None,
    ]


def _section(title: str, *inside: Markup | None) -> Markup:
    name = title.lower().replace(" ", "-")
    return tag("section", tag("h2", title, id=name), *inside, aria_labelledby=name)


def _broken(failure: Failure) -> Markup:
    """Expected against actual, and what else the same step broke."""
    seen = failure.headline
    rows = (
        tag("tr", tag("th", line.what, scope="row"), tag("td", line.expected), tag("td", line.actual))
        for line in seen.compared
    )
    others = [other for other in failure.others if other.invariant != seen.invariant]
    return _section(
        f"At step {seen.step}",
        table("compared", ("", "expected", "actual"), rows),
        joined(
            tag("p", "Broken by the same step:"),
            tag("ul", *(tag("li", tag("b", other.invariant), f": {other.story}") for other in others)),
        )
        if others
        else None,
    )


def _judged(judged: Mapping[str, int]) -> Markup:
    rows = (
        tag("tr", tag("th", name, scope="row"), tag("td", grouped(count), class_=None if count else "met0"))
        for name, count in judged.items()
    )
    return table("reach", ("claim", "times judged"), rows)


def _facts(facts: Sequence[tuple[str, str]]) -> Markup:
    return tag("dl", *(joined(tag("dt", term), tag("dd", value)) for term, value in facts))


def _limits(limits: Sequence[str]) -> Markup | None:
    return tag("ul", *(tag("li", limit) for limit in limits)) if limits else None
