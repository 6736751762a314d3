"""The lines that close a pytest run, as a value: what one process played, another one may have to print.

With pytest-xdist the tests are played in workers, which have no terminal, and the controller prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from statemachine.report.session import Session
from statemachine.report.text.lanes import LIMITS
from statemachine.report.text.paper import MARGIN
from statemachine.report.text.summary import run_figures, verdict_line


@dataclass(frozen=True)
class Closing:
    """``lines`` and ``verdict`` under ``title``, ``notes`` before it; nothing but notes if none was played.

    ``untold`` are the lines without which a failure whose report is not shown could not be seen again,
    ``refused`` says why a worker could not go on at all.
    """

    title: str = ""
    lines: list[str] = field(default_factory=list)
    verdict: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    refused: str = ""

    def text(self, report_shown: bool) -> list[str]:
        """All that stands under the title, the verdict last."""
        untold = [] if report_shown or not self.untold else [*self.untold, ""]
        return [*self.lines, *untold, *self.verdict]

    def sent(self) -> dict[str, Any]:
        """As built-in types, which is all that can be sent to another process."""
        return asdict(self)

    @classmethod
    def received(cls, sent: Mapping[str, Any]) -> Closing:
        return cls(**sent)


def closings_of(session: Session) -> list[Closing]:
    """What ``session`` has to say at its end, a closing for each lane that was played."""
    alone = Closing(notes=list(session.notes), refused=session.refused)
    return [
        *([alone] if alone.notes or alone.refused or not session.parts else []),
        *map(_closing_of, session.parts.values()),
    ]


def _closing_of(part: Session) -> Closing:
    title, lines, verdict = _told(part)
    return Closing(title, lines, verdict, list(part.notes), list(part.untold), part.refused)


def _told(session: Session) -> tuple[str, list[str], list[str]]:
    paper, run = session.paper, session.run
    if session.replayed is not None:
        return "statemachine: replay", [], paper.wrap(session.replayed.sentence, "", MARGIN)
    if session.lane == "processes" and (session.told or session.untold):
        return "statemachine: processes lane", session.told[:-1], session.told[-1:]
    if run is not None:
        last = [*session.closing, *LIMITS[session.lane]]
        lines = run_figures(run, session.binding.waived, last, paper)
        return f"statemachine: {session.lane} lane", lines, paper.wrap(verdict_line(run), "", MARGIN)
    return "", [], []


def properties_of(session: Session) -> list[tuple[str, str]]:
    """What a machine may want to read of what was played, by name: pytest writes it into the JUnit XML."""
    seen: dict[str, object] = {"lane": session.lane, "binding": session.binding_path}
    failure = None
    if session.replayed is not None:
        failure = session.replayed.failure
        seen |= {"outcome": session.replayed.outcome, "replay": session.replay_path}
    else:
        seen |= {"seed": session.seed}
    if session.run is not None:
        run, failure = session.run, session.run.failure
        seen |= {"verdict": run.verdict, "examples": run.tally.examples, "steps": run.tally.steps}
        seen |= {"seconds": f"{run.tally.seconds:.1f}", "reach judged": run.judges_reach}
    if failure is not None:
        seen |= {"broken claim": failure.headline.invariant}
    return [(f"statemachine {name}", str(value)) for name, value in seen.items()]
