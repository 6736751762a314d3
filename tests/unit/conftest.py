"""What several tests of single modules share: moto beside the simulated queue, a connection under watch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.moto_queue import Moto
    from tests.unit.watched import Watched


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    """One for a module: it freezes the time, which other modules do for themselves."""
    # Loading boto3 and moto takes half a second, which the other tests here need not wait for.
    from tests.unit.moto_queue import running_moto

    with running_moto() as moto:
        yield moto


@pytest.fixture
def watched(transactional_db: None) -> Iterator[Watched]:
    # Its module imports models, which only tests with a database may do.
    from tests.unit.watched import Watched

    watched = Watched()
    with watched.faults.installed():
        yield watched
