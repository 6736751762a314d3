"""A plugin for ``pytest --collect-only``: it prints the part of each test, by its marks."""

from __future__ import annotations

import pytest

from tests.parts import PARTS, QUICK

SHOWN = "part:"


def pytest_collection_finish(session: pytest.Session) -> None:
    writer = session.config.get_terminal_writer()
    for item in session.items:
        parts = [part for part in PARTS if item.get_closest_marker(part)] or [QUICK]
        for part in parts:
            writer.line(f"{SHOWN} {part} {item.nodeid}")
