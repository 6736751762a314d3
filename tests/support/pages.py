"""Reads a page as strictly as no browser does: what is not closed, or closed twice, is an error."""

from __future__ import annotations

from html.parser import HTMLParser

EMPTY = {"meta", "link", "br"}


class Parsed(HTMLParser):
    """What a page holds: ``text``, the text of each table ``cell``, ``ids``, ``links`` as (target, text).

    ``foreign`` are scripts, and whatever would be fetched from elsewhere.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.cells: list[str] = []
        self.ids: set[str] = set()
        self.links: list[tuple[str, str]] = []
        self.foreign: list[str] = []
        self.classes: list[tuple[str, str]] = []
        self._open: list[tuple[str, str, int]] = []
        self._texts: list[tuple[str, str, str]] = []
        assert page.isascii(), "not ASCII"
        self.feed(page)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            assert given["id"] not in self.ids, f"{given['id']} twice"
            self.ids.add(given["id"])
        if tag == "a":
            self.links.append((given["href"], ""))
        outward = [given[name] for name in ("src", "href", "action") if name in given]
        self.foreign += [target for target in outward if not target.startswith(("#", "data:"))]
        if tag in ("script", "iframe", "object"):
            self.foreign.append(tag)
        self.classes.append((tag, given.get("class", "")))
        if tag not in EMPTY:
            self._open.append((tag, given.get("class", ""), len(self.text)))

    def handle_endtag(self, tag: str) -> None:
        opened, class_, start = self._open.pop()
        assert opened == tag, f"</{tag}> closes <{opened}>"
        self._texts.append((tag, class_, self.text[start:]))
        if tag in ("td", "th"):
            self.cells.append(self.text[start:])

    def handle_data(self, data: str) -> None:
        if not any(tag == "style" for tag, _, _ in self._open):
            self.text += data

    def text_of(self, tag: str, class_: str = "") -> list[str]:
        """The texts of all elements of that kind, in the order of their ends."""
        return [text for one, its, text in self._texts if one == tag and its == class_]

    @property
    def broken_links(self) -> list[str]:
        return [target for target, _ in self.links if target[0] != "#" or target[1:] not in self.ids]
