"""The two ways in which a lane ends its test before the test itself would."""

from __future__ import annotations

from typing import NoReturn

import pytest

from statemachine.plugin.state import STATE
from statemachine.report.outcome import Outcome


def fail(outcome: Outcome, report: str, headline: str) -> NoReturn:
    """Fail the lane's test with ``report`` for a traceback; ``headline`` is for where there is one line."""
    outcome.headline = headline
    pytest.fail(report, pytrace=False)


def stop(config: pytest.Config, message: str) -> NoReturn:
    """End the run with exit code 4; ``message`` says what is wrong and how to mend it.

    A worker that ends its session itself is an internal error to pytest-xdist: there the test fails, and
    the controller gives the exit code.
    """
    if hasattr(config, "workerinput"):
        config.stash[STATE].refused = message
        pytest.fail(message, pytrace=False)
    pytest.exit(message, returncode=4)
