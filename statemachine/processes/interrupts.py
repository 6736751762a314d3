"""How a run of real processes is broken off: by Ctrl-C or SIGTERM, once, so that it still cleans up.

Python dies of SIGTERM without cleaning up, and of a second Ctrl-C while it does: either would leave workers
and databases behind.  SIGKILL cannot be helped.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def cleaned_up_after() -> Iterator[None]:
    """Within, the first such signal raises ``KeyboardInterrupt`` and all further ones are ignored."""
    before = {number: signal.signal(number, _interrupted) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # After an interruption they stay ignored: what is left to do is to say so and exit.
            if signal.getsignal(number) is _interrupted:
                signal.signal(number, handler)


def _interrupted(number: int, frame: FrameType | None) -> None:
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
