"""What tests of single modules share: moto beside the queue, a connection under watch, a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from statemachine.world.example import Example
from statemachine.world.lane import Lane
from statemachine.world.operations import perform

if TYPE_CHECKING:
    from tests.world.queue.moto_queue import Moto
    from tests.world.watched import Watched


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    """One for a module: it freezes the time, which other modules do for themselves."""
    # Loading boto3 and moto takes half a second, which the other tests here need not wait for.
    from tests.world.queue.moto_queue import running_moto

    with running_moto() as moto:
        yield moto


@pytest.fixture
def watched(transactional_db: None) -> Iterator[Watched]:
    # Its module imports models, which only tests with a database may do.
    from tests.world.watched import Watched

    watched = Watched()
    with watched.faults.installed():
        yield watched


@pytest.fixture
def delivered(lane: Lane) -> Example:
    """Job j1 is published and its message is in the hands of worker A, who has not prepared it."""
    example = lane.begin()
    perform(example, "create", {"job": "j1", "tenant": "t1"})
    perform(example, "publish", {"job": "j1"})
    perform(example, "receive", {"worker": "A", "message": "m2"})
    return example
