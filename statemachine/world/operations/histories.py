"""Read a saved history whose every step is one that the named operations have, with arguments that they take.

What is wrong with a file is found before anything of it is played, and named with its line.
"""

from __future__ import annotations

import re
from pathlib import Path

from statemachine.history import ndjson
from statemachine.history.events import Event, StepBegan
from statemachine.history.foreign import brief
from statemachine.history.ndjson import Header
from statemachine.world.operations import Unplayable, check_step

_JOB = re.compile(r"j\d{1,18}")


def read(path: Path) -> tuple[Header, list[Event]]:
    """Read the history at ``path``, a file or a failure folder.

    Raises ``HistoryError`` when there is none, when it cannot be read, and for a step that no state allows.
    """
    return ndjson.read(path, _check)


def loads(text: str, name: str) -> tuple[Header, list[Event]]:
    """Read a history from the text of its file, which errors call ``name``.

    Raises ``HistoryError`` for what is no history, and for a step that no state allows.
    """
    return ndjson.loads(text, name, _check)


def _check(step: StepBegan) -> None:
    try:
        check_step(step.operation, step.arguments)
    except Unplayable as error:
        raise ValueError(f"step {step.step} cannot be played: {error}") from None
    job = step.arguments.get("job")
    # A system that refuses another id than those of the machine would be blamed for it.
    if step.operation == "create" and not _JOB.fullmatch(str(job)):
        raise ValueError(
            f"step {step.step} cannot be played: it creates the job {brief(job)}, and jobs are named after "
            "the step that creates them, such as j1"
        )
