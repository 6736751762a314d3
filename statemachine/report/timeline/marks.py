"""The marks of a timeline, each a shape with a letter, distinct without colour; and the page's legend."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from statemachine.report.timeline.markup import Markup, joined, tag


class Mark(StrEnum):
    """What a reader looks for first; the value is the letter in its shape."""

    TAKEOVER = "T"
    STALE = "S"
    LATE = "L"
    KILL = "K"
    DUPLICATE = "D"
    FAULT = "F"


MEANINGS: Mapping[Mark, tuple[str, str]] = {
    Mark.TAKEOVER: ("takeover", "an attempt acquires a job that another one was running"),
    Mark.STALE: ("stale", "a call that shows another attempt than the row's: superseded, or never given"),
    Mark.LATE: ("late", "a call by the latest attempt after its lease has expired"),
    Mark.KILL: ("killed", "a process dies; what it had in hand is lost"),
    Mark.DUPLICATE: ("duplicate", "a message is delivered while it should be hidden"),
    Mark.FAULT: ("fault", "an error, or an answer that gets lost, made by the verifier"),
}
"""In a word, and in a sentence for the legend."""

_SHAPES: dict[Mark, str] = {
    Mark.TAKEOVER: '<path d="M10 1 19 10 10 19 1 10Z"/>',
    Mark.STALE: '<path d="M6.5 1.5h7l5 5v7l-5 5h-7l-5-5v-7Z"/>',
    Mark.LATE: '<circle cx="10" cy="10" r="8.5"/>',
    Mark.KILL: '<path d="M2 2h16v16h-16Z" class="solid"/>',
    Mark.DUPLICATE: '<path d="M5.500 1.500h13v13h-3v4h-13v-13h3Z"/>',
    Mark.FAULT: '<path d="M10 1 19.500 18.500h-19Z"/>',
}
_LETTER_AT: dict[Mark, tuple[float, float]] = {Mark.DUPLICATE: (9.5, 13.5), Mark.FAULT: (10, 16.5)}


def definitions() -> Markup:
    """Return the shapes, which a page defines once and :func:`mark` refers to."""
    symbols = [
        tag(
            "symbol",
            Markup(shape),
            tag("text", one.value, x=f"{x:g}", y=f"{y:g}"),
            id=f"mark-{one.value}",
            viewBox="0 0 20 20",
        )
        for one, shape in _SHAPES.items()
        for x, y in [_LETTER_AT.get(one, (10, 13.8))]
    ]
    return tag("svg", *symbols, class_="unseen", aria_hidden="true")


def mark(one: Mark) -> Markup:
    """Return the shape, with its word for readers and screen readers."""
    shape = tag(
        "svg", tag("use", href=f"#mark-{one.value}"), class_=f"mark is-{one.value}", aria_hidden="true"
    )
    return joined(shape, tag("em", MEANINGS[one][0]), " ")


_OF_LEASES = (
    ("work", "thin", "a worker has a message and no answer yet"),
    ("work", "full", "a worker whose attempt owns the job"),
    ("work", "broken", "a worker that works on without: past its lease, or superseded"),
    ("lease", "full", "a lease, from its acquisition to the expiry that the lifecycle declares"),
    ("lease", "dotted", "a job that is running and whose lease has expired"),
)
_OF_FLIGHTS = (
    ("flight", "thin", "a worker's operation is in flight: begun, and not ended"),
    ("flight", "full", "its transaction is open"),
    ("flight", "dotted", "it waits for a lock"),
)


def legend(with_flights: bool = False) -> Markup:
    """Return what the marks and bars mean; ``with_flights`` adds the bars of operations in flight."""
    marks = [tag("li", mark(one), meaning) for one, (_, meaning) in MEANINGS.items()]
    bars = [
        tag("li", tag("i", class_=f"bar {kind} over-{stroke} then-{stroke}"), meaning)
        for kind, stroke, meaning in (*_OF_LEASES, *(_OF_FLIGHTS if with_flights else ()))
    ]
    return tag("details", tag("summary", "How to read it"), tag("ul", *marks, *bars), class_="legend")
