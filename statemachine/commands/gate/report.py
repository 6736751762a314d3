"""The wording of the gate: its lines are those of the gate report to the letter (docs/gate.md, §1 and §3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from statemachine.binding.gate import Answered
from statemachine.commands.gate.phase_2 import ChecklistItem, KillTest
from statemachine.commands.gate.steps import StepLine, StepMark, is_go
from statemachine.processes.workers import as_logged

RULE = "=" * 60
TITLE = "Gate 10 - 7-step runtime verification"
GO, NO_GO = "Final verdict: **[GO]** (Big Bang GO)", "Final verdict: **[NO-GO]**"
HEADINGS = ("[Worker 기동]", "[메시지 수신]", "[Kill 시점]", "[재기동]", "[재처리 또는 스킵]", "[DB 확인]")
"""The headings of the kill log, in the words of the gate report (§2.4).

Worker starts, message received, moment of the kill, restart, reprocessed or skipped, database.
"""


def opening() -> list[str]:
    return [RULE, TITLE, RULE]


def verdict(lines: Sequence[StepLine]) -> list[str]:
    return [RULE, GO if is_go(lines) else NO_GO, RULE]


def item_line(item: ChecklistItem) -> str:
    """Return the item's line of the checklist (§3)."""
    found = f": {item.found}" if item.found else ""
    why = " (optional)" if item.mark is StepMark.NOT_RUN and item.optional else ""
    return f"[{item.number}] {item.name}{found} [{item.mark}]{why}"


def missing(items: Sequence[ChecklistItem]) -> list[ChecklistItem]:
    """Return the items that keep PHASE 2 from being complete (§4)."""
    return [
        item
        for item in items
        if item.mark is not StepMark.PASS and not (item.optional and item.mark is StepMark.NOT_RUN)
    ]


def phase2_verdict(items: Sequence[ChecklistItem], broken: Sequence[str]) -> str:
    """Return ``PHASE 2: complete``, or what is missing; ``broken`` are the claims that the logs break."""
    lacks = [f"{item.name} {item.mark}" for item in missing(items)] + [f"{claim} broken" for claim in broken]
    return f"PHASE 2: incomplete ({', '.join(lacks)})" if lacks else "PHASE 2: complete"


def kill_log(kill: KillTest, logged: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the log of the kill test, by heading; ``logged`` are all events, in any order."""
    events = sorted(logged, key=lambda event: str(event["at"]))
    of_job = [found for found in events if found.get("job_id") == kill.job]
    starts = [found for found in events if found["event"] == "worker.started"]
    first = [found for found in starts if found["worker"] == kill.worker]
    at = as_logged(kill.at)
    before = [found for found in of_job if found["at"] <= at]
    after = [found for found in of_job if found["at"] > at]
    sections = (
        _logged(first),
        [*_logged(before), "status=RUNNING"],
        [f"({kill.at:%Y-%m-%d %H:%M:%S}) Worker {kill.worker} 프로세스 {kill.how}"],
        _logged([found for found in starts if found["at"] > at]),
        _logged(after),
        [
            *(f"ai_job: job_id={row.job}, status={row.status}, {len(kill.rows)}행" for row in kill.rows),
            *(f"ai_result: {row.results}행 (중복 {max(row.results - 1, 0)})" for row in kill.rows),
        ],
    )
    return [text for heading, lines in zip(HEADINGS, sections, strict=True) for text in (heading, *lines, "")]


def _logged(events: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"{event['at']} {event['worker']} {event.get('text', event['event'])}" for event in events]


def query_lines(answers: Sequence[Answered]) -> Iterator[str]:
    """Yield the queries of §2.3, each followed by its rows."""
    for sql, rows in answers:
        yield " ".join(sql.split())
        for row in rows:
            yield "  " + " | ".join(map(str, row))
