"""How a lane ends its test before the test itself would; and no test passes that has ended unseen."""

from __future__ import annotations

import sys
from typing import NoReturn

import pytest

from statemachine.plugin.state import STATE, PluginState
from statemachine.report.outcome import Outcome
from statemachine.report.text.paper import MARGIN


def fail(outcome: Outcome, report: str, headline: str) -> NoReturn:
    """Fail the lane's test with ``report`` for a traceback; ``headline`` is for where there is one line."""
    outcome.headline = headline
    pytest.fail(report, pytrace=False)


def unknown(outcome: Outcome, why: str) -> NoReturn:
    """Fail the lane's test: something ended it that is no verdict; ``why`` says what."""
    sentence = f"UNKNOWN  the run cannot vouch for the system: {why}"
    outcome.unshown = outcome.asked.paper.wrap(sentence, "", MARGIN)
    fail(outcome, "\n".join(outcome.unshown), sentence)


def say_at_once(config: pytest.Config, line: str) -> None:
    """Print a line of a process that is about to end, past pytest's capture."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture(in_=True)
    sys.stderr.write(f"\n{line}\n")
    sys.stderr.flush()


def unvouched(state: PluginState) -> list[Outcome]:
    """Return the lanes that have begun in this process and came to no green verdict."""
    return [each for each in state.outcomes.values() if not (each.vouched or each.skipped)]


def forbid_unvouched(report: pytest.TestReport, state: PluginState, lane: str) -> None:
    """Fail the report of a lane's test that passed, or was skipped, without a green verdict."""
    outcome = state.outcomes.get(lane)
    if outcome is None or outcome not in unvouched(state):
        return
    how = "was skipped" if report.skipped else "ended"
    raised = f" ({report.longrepr[2]})" if isinstance(report.longrepr, tuple) else ""
    sentence = (
        f"UNKNOWN  the {lane} lane {how} by the code under test or its binding{raised}, without a verdict"
    )
    outcome.unshown = outcome.asked.paper.wrap(sentence, "", MARGIN)
    report.outcome, report.longrepr = "failed", "\n".join(outcome.unshown)


def stop(config: pytest.Config, message: str) -> NoReturn:
    """End the run with exit code 4; ``message`` says what is wrong and how to mend it.

    A worker that ends its session itself is an internal error to pytest-xdist: there the test fails, and
    the controller gives the exit code.
    """
    if hasattr(config, "workerinput"):
        config.stash[STATE].refused = message
        pytest.fail(message, pytrace=False)
    pytest.exit(message, returncode=4)
