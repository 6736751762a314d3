"""The lines that close a pytest run, as a value: one process plays, and another may have to print.

With pytest-xdist the tests are played in workers, which have no terminal; the controller prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from statemachine.plugin.state import PluginState
from statemachine.report.outcome import Outcome
from statemachine.report.text.lanes import LIMITS
from statemachine.report.text.paper import MARGIN
from statemachine.report.text.replay import replay_sentence
from statemachine.report.text.summary import run_figures, verdict_line


@dataclass(frozen=True)
class Closing:
    """The closing lines of one lane, or of what belongs to none: then it has notes only."""

    title: str = ""
    lines: list[str] = field(default_factory=list)
    """What stands under the title."""
    verdict: list[str] = field(default_factory=list)
    """The last lines under the title."""
    notes: list[str] = field(default_factory=list)
    """What stands before the title."""
    unshown: list[str] = field(default_factory=list)
    """Without these lines a failure whose report is not shown could not be seen again."""
    refused: str = ""
    """Why a worker could not go on at all."""

    def text(self, report_shown: bool) -> list[str]:
        """Return all that stands under the title, the verdict last."""
        unshown = [] if report_shown or not self.unshown else [*self.unshown, ""]
        return [*self.lines, *unshown, *self.verdict]

    def sent(self) -> dict[str, Any]:
        """Return it as built-in types, which is all that can be sent to another process."""
        return asdict(self)

    @classmethod
    def received(cls, sent: Mapping[str, Any]) -> Closing:
        """Make it again of what :meth:`sent` returned."""
        return cls(**sent)


def closings_of(state: PluginState) -> list[Closing]:
    """Return what this process has to say at the end, a closing for each lane that was played."""
    general = Closing(notes=list(state.notes), refused=state.refused)
    return [
        *([general] if general.notes or general.refused or not state.outcomes else []),
        *map(_closing_of, state.outcomes.values()),
    ]


def _closing_of(outcome: Outcome) -> Closing:
    title, lines, verdict = _section(outcome)
    return Closing(title, lines, verdict, list(outcome.notes), list(outcome.unshown))


def _section(outcome: Outcome) -> tuple[str, list[str], list[str]]:
    """The title, the lines and the verdict of a lane; empty when nothing was played."""
    paper, run, lane = outcome.asked.paper, outcome.run, outcome.asked.lane
    if outcome.replayed is not None:
        return "statemachine: replay", [], paper.wrap(replay_sentence(outcome.replayed), "", MARGIN)
    if lane == "processes" and (outcome.output or outcome.unshown):
        return "statemachine: processes lane", outcome.output[:-1], outcome.output[-1:]
    if run is not None:
        last = [*outcome.remarks, *LIMITS[lane]]
        lines = run_figures(run, outcome.asked.binding.waived, last, paper)
        return f"statemachine: {lane} lane", lines, paper.wrap(verdict_line(run), "", MARGIN)
    return "", [], []


def properties_of(outcome: Outcome) -> list[tuple[str, str]]:
    """Return what a machine may want to read, by name: pytest writes it into the JUnit XML."""
    asked, run, replayed = outcome.asked, outcome.run, outcome.replayed
    seen: dict[str, object] = {"lane": asked.lane, "binding": asked.binding_path}
    failure = None
    if replayed is not None:
        failure = replayed.failure
        seen |= {"outcome": replayed.outcome, "replay": asked.replay_path}
    else:
        seen |= {"seed": asked.seed}
    if run is not None:
        failure, tally = run.failure, run.tally
        seen |= {"verdict": run.verdict, "examples": tally.examples, "steps": tally.steps}
        seen |= {"seconds": f"{tally.seconds:.1f}", "reach judged": run.judges_reach}
    if failure is not None:
        seen |= {"broken claim": failure.headline.invariant}
    return [(f"statemachine {name}", str(value)) for name, value in seen.items()]
