"""What several tests of single modules share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.watched import Watched


@pytest.fixture
def watched(transactional_db: None) -> Iterator[Watched]:
    watched = Watched()
    with watched.faults.installed():
        yield watched
