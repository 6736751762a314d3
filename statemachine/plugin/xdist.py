"""pytest-xdist (``-n``): the controller draws the seed and prints, a worker plays.

A worker parses its options without ``addopts``, where a checkout loads the plugin, and imports plugins after
that: what the plugin does while the command line is read never happens there.  The controller has done it,
checked every option and chosen the settings module, which a worker inherits in its environment.  So a worker
checks the same options again, and takes from the controller what must not differ.  One search is played by
one worker: ``-n`` makes none of them faster.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from statemachine.plugin.closing import Closing, closings_of
from statemachine.plugin.options import asked_for, choose_settings
from statemachine.plugin.state import STATE, PluginState
from statemachine.report.text.paper import MARGIN, Paper

_SENT = "statemachine"


class Controller:
    """Hooks of pytest-xdist, for the process that has the terminal."""

    def __init__(self, state: PluginState) -> None:
        self._state = state
        self.received: list[Closing] = []
        self._has_workers = False

    def pytest_configure_node(self, node: Any) -> None:
        """Hand a worker what must be the same everywhere."""
        self._has_workers = True
        paper = self._state.asked.paper
        node.workerinput[_SENT] = {
            "seed": self._state.asked.seed,
            "width": paper.width,
            "encoding": paper.encoding,
        }

    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        sent = getattr(node, "workeroutput", {}).get(_SENT)
        if sent is not None:
            self.received += map(Closing.received, sent)

    def pytest_handlecrashitem(self, crashitem: str, report: pytest.TestReport) -> None:
        """Say what is lost with a worker that died; pytest-xdist's own report names only the test."""
        worker = report.node.gateway.id
        text = self._state.asked.paper.wrap(
            f"UNKNOWN  worker {worker} died while it ran {crashitem}: what it had met and not yet saved is "
            "lost with it",
            "",
            MARGIN,
        )
        again = ["  The same again, in one process", f"    {self._state.asked.same_command()}"]
        report.longrepr = "\n".join([*text, *again])
        self.received.append(Closing(f"statemachine: worker {worker}", verdict=text, unshown=again))

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        if not self._has_workers:  # then this process has played, and says what there was
            return
        if excinfo.typename == "Interrupted":  # pytest-xdist's own, for -x: the workers have told all
            return
        text = (
            "UNKNOWN  the run was interrupted: what the workers had met by then is not known here; if one "
            "had found a failure, it may be in .statemachine/"
        )
        lines = self._state.asked.paper.wrap(text, "", MARGIN)
        self.received.append(Closing("statemachine: interrupted", verdict=lines))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if any(closing.refused for closing in self.received):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


class XdistWorker:
    """Sends the closing lines to the controller."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, Any] = session.config.workeroutput  # type: ignore[attr-defined]
        output[_SENT] = [closing.sent() for closing in closings_of(session.config.stash[STATE])]


def join(config: pytest.Config, paper: Paper) -> None:
    """Give ``config`` its state and its part in the run; ``paper`` is that of this process's terminal."""
    plugins = config.pluginmanager
    handed = getattr(config, "workerinput", {}).get(_SENT)
    if handed is not None:
        asked = asked_for(config.option)
        made = choose_settings(asked, config.option)
        theirs = Paper(handed["width"], handed["encoding"])
        config.stash[STATE] = PluginState(replace(asked, seed=handed["seed"], paper=theirs), made)
        plugins.register(XdistWorker())
    elif STATE in config.stash:
        state = config.stash[STATE]
        state.asked = replace(state.asked, paper=paper)
        if plugins.hasplugin("xdist"):
            plugins.register(Controller(state), _SENT)


def received(config: pytest.Config) -> list[Closing]:
    """Return what the workers of this run have sent so far."""
    controller = config.pluginmanager.get_plugin(_SENT)
    return controller.received if controller is not None else []
