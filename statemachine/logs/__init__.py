"""Logs of real workers become histories, and are judged by the claims that the embedded lane is judged by.

``lines`` is the contract, ``reading`` the way from files to lines, ``linearise`` that from lines to events.
"""

from statemachine.logs.judging import Cited, Judged, LogJudge, judge_lines
from statemachine.logs.lines import Line, Place
from statemachine.logs.reading import Reader

__all__ = ["Cited", "Judged", "Line", "LogJudge", "Place", "Reader", "judge_lines"]
