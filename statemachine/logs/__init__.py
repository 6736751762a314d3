"""Logs of real workers become histories, and are judged by the claims that the embedded lane is judged by.

``lines`` is the contract, ``reading`` the way from files to lines, ``linearise`` that from lines to events.
"""

from statemachine.logs.judging import CitedViolation, JudgedLog, LogJudge, judge_lines
from statemachine.logs.lines import LogLine, LogPlace
from statemachine.logs.reading import Reader

__all__ = ["CitedViolation", "JudgedLog", "LogJudge", "LogLine", "LogPlace", "Reader", "judge_lines"]
