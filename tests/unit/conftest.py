"""moto, for the tests that hold the simulated queue against it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.moto_queue import Moto


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    """One for a module: it freezes the time, which other modules do for themselves."""
    # Loading boto3 and moto takes half a second, which the other tests here need not wait for.
    from tests.unit.moto_queue import running_moto

    with running_moto() as moto:
        yield moto
