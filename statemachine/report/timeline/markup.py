"""Elements of a page as text, escaped where they are made.

The system under test may say anything.  Text that is not :class:`Markup` is escaped here and nowhere else,
and characters that would not be seen, or that HTML does not allow, are spelt as in Python.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from statemachine.history.shown import visible


class Markup(str):
    """Text that is HTML already and is not escaped again."""

    __slots__ = ()


Inside = str | None
"""What an element holds: text, markup, or nothing."""

_LAID_OUT = "\u00a0"

_EMPTY = ("br", "col", "link", "meta")


def text(content: str) -> Markup:
    """Return ``content`` as HTML."""
    if isinstance(content, Markup):
        return content
    return Markup(html.escape(visible(content, _LAID_OUT)))


def joined(*parts: Inside) -> Markup:
    """Return the parts one after another, without those that are None."""
    return Markup("".join(text(part) for part in parts if part is not None))


def tag(name: str, /, *inside: Inside, **attributes: str | None) -> Markup:
    """Return an element.  ``class_`` is its class, ``aria_label`` its aria-label; None leaves one out.

    >>> tag("p", "a < b", class_="story")
    '<p class="story">a &lt; b</p>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{given}>")
    return Markup(f"<{name}{given}>{joined(*inside)}</{name}>")


def table(class_: str, headings: Iterable[str], rows: Iterable[Markup]) -> Markup:
    """Return a table with one line of headings; on a narrow page it scrolls by itself."""
    head = tag("thead", tag("tr", *(tag("th", heading, scope="col") for heading in headings)))
    inside = tag("table", head, tag("tbody", *rows), class_=class_)
    return tag("div", inside, class_="scroll")
