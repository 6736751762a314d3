"""The page: what broke or what was shown, the timeline, and the run that it was found in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

from statemachine.history.events import Event
from statemachine.history.reach import Reach
from statemachine.history.words import exact, grouped
from statemachine.invariants import Violation
from statemachine.lifecycle import Lifecycle, Operation
from statemachine.report.text.failure import other_claims, protects
from statemachine.report.text.summary import count_text
from statemachine.report.timeline.grid import timeline
from statemachine.report.timeline.marks import definitions, legend
from statemachine.report.timeline.markup import Markup, joined, table, tag, text
from statemachine.report.timeline.steps import TimelineStep, timeline_steps
from statemachine.report.timeline.why import why_grid
from statemachine.search.triage.explain import Why
from statemachine.search.triage.failure import Failure

_NOTHING_FOREIGN = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""The page's Content-Security-Policy: a browser then loads nothing, whatever the page may say."""

_GOOD = ("PASS", "FIXED")

_Counts = Sequence[tuple[str, int | None]]
"""Situations with how often each was met; None for unreachable."""


@dataclass(frozen=True)
class Page:
    """The content of a page.  What is None or empty is left out."""

    verdict: str
    """One word, in capitals."""

    lifecycle: Lifecycle

    events: Sequence[Event]
    """The history to draw."""

    meaning: str = ""
    """The verdict in a sentence."""

    doubts: Sequence[str] = ()
    """Why the verdict is not better, a sentence each."""

    failure: Failure | None = None
    why: Why | None = None
    reach: Reach | None = None

    reach_required: bool = False
    """Whether every situation had to be met, so that a zero stands out."""

    judged: Mapping[str, int] = field(default_factory=dict)
    """How often each claim was judged."""

    facts: Sequence[tuple[str, str]] = ()
    """Terms with their values, about the run."""

    reproduce: Sequence[str] = ()
    """The lines that say how to see it again."""

    limits: Sequence[str] = ()
    """What was not tried, a sentence each."""

    about_events: str = ""
    """Which history is drawn, in a sentence."""

    @property
    def seen(self) -> Violation | None:
        return self.failure.headline if self.failure is not None else None


def rendered(page: Page) -> str:
    """Return the page as HTML in ASCII, the same for the same arguments."""
    steps = timeline_steps(page.lifecycle, page.events, page.seen.step if page.seen is not None else None)
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
    body = tag("body", definitions(), _header(page), tag("main", *_sections(page, steps)))
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
    failing = f"To the failing step, {seen.step}, at {exact(seen.at)} s"
    return tag(
        "header",
        verdict,
        tag("h1", seen.invariant),
        tag("p", page.meaning) if page.meaning else None,
        tag("p", seen.story, class_="story"),
        tag("p", protects(seen), class_="claim"),
        tag("p", tag("a", failing, href=f"#step-{seen.step}"), class_="jump") if seen.step else None,
        _reproduce(page),
    )


def _reproduce(page: Page) -> Markup | None:
    if not page.reproduce:
        return None
    return tag("section", tag("h2", "Reproduce"), tag("pre", _lines(page.reproduce)))


def _lines(lines: Sequence[str]) -> Markup:
    return Markup("\n".join(text(line) for line in lines))


def _sections(page: Page, steps: Sequence[TimelineStep]) -> list[Markup | None]:
    return [
        _section(
            "Timeline",
            tag("p", page.about_events) if page.about_events else None,
            legend(with_flights=any(step.flight_bars for step in steps)),
            timeline(steps),
        )
        if steps
        else None,
        _broken(page.failure) if page.failure is not None else None,
        _section(
            "Why",
            tag("p", "Each cell is a re-run with that one change; nothing is inferred."),
            why_grid(page.why, steps),
        )
        if page.why is not None
        else None,
        _section("Situations met", _reach(page.reach, page.reach_required))
        if page.reach is not None
        else None,
        _section("Invariants", _judged(page.judged)) if page.judged else None,
        _section("About this run", _facts(page.facts), _limits(page.limits)) if page.facts else None,
    ]


def _section(title: str, *inside: Markup | None) -> Markup:
    name = title.lower().replace(" ", "-")
    return tag("section", tag("h2", title, id=name), *inside, aria_labelledby=name)


def _broken(failure: Failure) -> Markup:
    """The section of expected against actual, and of the other claims that the step broke."""
    seen = failure.headline
    rows = (
        tag("tr", tag("th", line.what, scope="row"), tag("td", line.expected), tag("td", line.actual))
        for line in seen.compared
    )
    others = other_claims(failure)
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


# -- situations met -------------------------------------------------------------------------------------


def _reach(reach: Reach, required: bool) -> Markup:
    """A grid for each group of operations that meet the same situations, then edges and faults.

    Situations that the binding calls unreachable come last, with its reasons.
    """
    groups: dict[tuple[str, ...], list[tuple[Operation, _Counts]]] = {}
    for operation, counted in reach.operations_by_situation():
        groups.setdefault(tuple(situation for situation, _ in counted), []).append((operation, counted))
    return tag(
        "div",
        tag("div", *(_grid(situations, counts) for situations, counts in groups.items()), class_="grids"),
        tag("h3", "Edges and faults"),
        _list(reach.edges_and_faults()),
        _unreachable(reach.unreachable),
        class_="required" if required else None,
    )


def _grid(situations: Sequence[str], counts: Sequence[tuple[Operation, _Counts]]) -> Markup:
    rows = (
        tag(
            "tr",
            tag("th", situation, scope="row"),
            *(_count(counted[place][1]) for _, counted in counts),
        )
        for place, situation in enumerate(situations)
    )
    return table("reach", ["situation", *(str(operation) for operation, _ in counts)], rows)


def _count(count: int | None) -> Markup:
    return tag("td", count_text(count), class_=_depth(count))


def _depth(count: int | None) -> str:
    """How dark a cell is: by the number of digits, 0 apart from all others."""
    if count is None:
        return "unreachable"
    return f"met{min(len(str(count)), 4) if count else 0}"


def _list(counted: Iterable[tuple[str, int | None]]) -> Markup:
    items = (
        tag("li", f"{cell} ", tag("b", count_text(count), class_=_depth(count))) for cell, count in counted
    )
    return tag("ul", *items, class_="cells")


def _unreachable(reasons: Mapping[str, str]) -> Markup | None:
    items = (tag("li", f"unreachable: {cell} ({reason})") for cell, reason in reasons.items())
    return tag("ul", *items) if reasons else None
