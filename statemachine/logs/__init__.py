"""Judge the logs of real workers by the claims that judge the embedded lane.

The way of a line, a module a step:

- ``reading``: files become :class:`LogLine` values in the order of their times (``lines`` is the schema,
  ``patterns`` reads plain text);
- ``linearise``: each line goes to its job, and each call is paired with its answer (``messages`` remembers
  whose a message is);
- ``search``: an order of commits is found that explains a job's lines, by the ``rules`` of its lifecycle
  (``calls`` are the values that it works on);
- ``jobs``: the lines in that order become events of a history;
- ``judging``: the claims judge the history, on a ``ledger`` whose memory grows with the jobs only;
- ``report`` and ``check_log``: what ``check-log`` prints.
"""

from statemachine.logs.judging import CitedViolation, JudgedLog, LogJudge, judge_lines
from statemachine.logs.lines import LogLine, LogPlace
from statemachine.logs.reading import Reader

__all__ = ["CitedViolation", "JudgedLog", "LogJudge", "LogLine", "LogPlace", "Reader", "judge_lines"]
