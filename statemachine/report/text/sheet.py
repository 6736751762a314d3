"""The layout of the table of steps: as wide as its cells, or folded into as few lines as possible.

``steps.py`` decides what a line says; here nothing is left out, only set side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

from statemachine.report.text.columns import (
    GAP,
    TOGETHER,
    folded,
    height,
    side_by_side,
    squeezed,
    useful_widths,
)
from statemachine.report.text.paper import Paper

_BEGIN = "{} {:>{}} {:>{}}  "
"""The mark of the failing step, its number and its time, the latter two with their widths."""

_TIME = 7
_TIME_AT_LEAST = 5
_EVENT, _ROW = "event", "row after the step"
_A_JOB_A_LINE = ";\n"


@dataclass(frozen=True, slots=True)
class TableLine:
    """One line of the table, in cells."""

    number: str = ""
    """The step, or the first and the last of those that the line shows."""

    at: str = ""
    """In seconds."""

    did: str = ""

    workers: Mapping[str, str] = field(default_factory=dict)
    """A cell for each worker that has one."""

    rows: tuple[str, ...] = ()
    """The job rows that the step left, one text a job."""

    short_rows: tuple[str, ...] = ()
    """The same in fewer words, for a narrow table."""

    rule: str = ""
    """A sentence across all columns, in place of the cells: time that passes, the drain, lines left out."""

    failing: bool = False


class _Widths(NamedTuple):
    """The width of each column, without gaps."""

    number: int
    time: int
    event: int
    workers: tuple[int, ...]
    row: int

    short: bool
    """Whether the job rows are the short ones."""

    joint: str = "; "
    """Between two job rows."""

    @property
    def begin(self) -> int:
        return len(_BEGIN.format(" ", "", self.number, "", self.time))

    @property
    def alone(self) -> int:
        """The room of an event on a line without workers: it may run into their columns."""
        return self.event + _taken(self.workers)

    @property
    def total(self) -> int:
        return self.begin + self.alone + GAP + self.row


class Sheet:
    """A table for ``paper``, two columns narrower than that because reports indent it."""

    def __init__(self, lines: Sequence[TableLine], workers: Sequence[str], paper: Paper) -> None:
        self._lines = lines
        self._in_cells = [line for line in lines if not line.rule]
        self._workers = workers
        self._paper = paper
        self._room = paper.width - 2

    def text(self) -> list[str]:
        """Return the lines as they are printed, header first."""
        widths = self._widths()
        heads = [_EVENT, *(f"worker {worker}" for worker in self._workers), _ROW]
        begin = _BEGIN.format(" ", "step", widths.number, "t (s)", widths.time)
        text = list(_begun(begin, side_by_side(heads, [widths.event, *widths.workers, widths.row])))
        for line in self._lines:
            mark = self._paper.spelt("✗") if line.failing else " "
            begin = _BEGIN.format(mark, line.number, widths.number, line.at, widths.time)
            text += _begun(begin, self._cells(line, widths))
        return text

    def _cells(self, line: TableLine, widths: _Widths) -> Iterator[str]:
        if line.rule:
            yield from folded(self._rule(line), self._room - widths.begin)
            return
        yield from side_by_side(*self._row(line, widths))

    def _rule(self, line: TableLine) -> str:
        """The sentence between two dashes; if it is folded, its last part stays whole: ``now 3540 ─``."""
        dash = self._paper.spelt("─")
        *before, now = line.rule.split(", ")
        return f"{dash} {', '.join([*before, now.replace(' ', TOGETHER) if before else now])}{TOGETHER}{dash}"

    def _row(self, line: TableLine, widths: _Widths) -> tuple[list[str], list[int]]:
        row = widths.joint.join(line.short_rows if widths.short else line.rows)
        if not line.workers:
            return [line.did, row], [widths.alone, widths.row]
        cells = [line.did, *(line.workers.get(worker, "") for worker in self._workers), row]
        return cells, [widths.event, *widths.workers, widths.row]

    # -- widths -----------------------------------------------------------------------------

    def _widths(self) -> _Widths:
        """The first of these that fits: full rows, short rows, a narrower time, folded cells."""
        wide = self._natural(short=False)
        short = self._natural(short=True)
        time = max([_TIME_AT_LEAST, *(len(line.at) for line in self._lines)])
        close = short._replace(time=min(short.time, time))
        rule = max((len(self._rule(line)) for line in self._lines if line.rule), default=0)
        for widths in (wide, short):
            if max(widths.total, widths.begin + rule) <= self._room:
                return widths
        return close if close.total <= self._room else self._folded(close)

    def _natural(self, short: bool) -> _Widths:
        """Each column as wide as its widest cell."""
        number = max([4, *(len(line.number) for line in self._lines)])
        workers = tuple(max(map(len, self._column_of(worker))) for worker in self._workers)
        beside = max(map(len, self._beside()))
        alone = max(map(len, self._alone()), default=0) - _taken(workers)
        row = max(map(len, self._rows(short, "; ")))
        return _Widths(number, _TIME, max(beside, alone), workers, row, short)

    def _folded(self, natural: _Widths) -> _Widths:
        """The widths that fit and give the fewest lines; among equals, the widest row."""
        fitting = list(self._candidates(natural._replace(joint=_A_JOB_A_LINE)))
        if fitting:
            return min(fitting, key=lambda widths: (self._height(widths), -widths.row))
        texts = [self._beside(), *map(self._column_of, self._workers), self._rows(True, _A_JOB_A_LINE)]
        room = self._room - natural.begin - GAP * (len(texts) - 1)
        event, *workers, row = squeezed([min(useful_widths(column)) for column in texts], room)
        return natural._replace(event=event, workers=tuple(workers), row=row, joint=_A_JOB_A_LINE)

    def _candidates(self, natural: _Widths) -> Iterator[_Widths]:
        """All combinations of useful widths that fit, each with the widest row that is left room for."""
        rows = useful_widths(self._rows(True, _A_JOB_A_LINE))
        beside, alone = useful_widths(self._beside()), useful_widths(self._alone())
        for workers in product(*(useful_widths(self._column_of(worker)) for worker in self._workers)):
            taken = _taken(workers)
            events = {*beside, *(width - taken for width in alone if width - taken > beside[-1])}
            for event in sorted(events):
                room = self._room - natural.begin - event - taken - GAP
                row = next((row for row in rows if row <= room), None)
                if row is not None:
                    yield natural._replace(event=event, workers=workers, row=row)

    def _height(self, widths: _Widths) -> int:
        return sum(height(*self._row(line, widths)) for line in self._in_cells)

    def _column_of(self, worker: str) -> list[str]:
        return [f"worker {worker}", *(line.workers.get(worker, "") for line in self._in_cells)]

    # An event stands beside workers' cells, or alone: then it may run into their columns and need not fold.

    def _beside(self) -> list[str]:
        return [_EVENT, *(line.did for line in self._in_cells if line.workers or not self._workers)]

    def _alone(self) -> list[str]:
        return [line.did for line in self._in_cells if not line.workers and self._workers]

    def _rows(self, short: bool, joint: str) -> list[str]:
        return [_ROW, *(joint.join(line.short_rows if short else line.rows) for line in self._in_cells)]


def _taken(workers: Sequence[int]) -> int:
    return sum(GAP + width for width in workers)


def _begun(begin: str, cells: Iterator[str]) -> Iterator[str]:
    for place, cell in enumerate(cells):
        yield f"{begin if not place else ' ' * len(begin)}{cell}".rstrip()
