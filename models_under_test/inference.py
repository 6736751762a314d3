"""The work between prepare and finish, as small as real work can be: a chain of SHA-256 hashes.

The job's own row says how long it takes and how it ends, so that a test controls both.  It runs in a
thread of its own, which nothing can stop from outside: whoever cuts it asks, and may not be heard.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from models_under_test.domain import Completed, Failed, Outcome, TransientError

SLICE_SECONDS = 0.02
"""Between two looks at the wish to stop."""
HASHES_PER_SLICE = 200

ENDS: Mapping[str, Callable[[str], Outcome]] = {
    "complete": Completed,
    "fail": lambda digest: Failed(f"the input was refused, after {digest}"),
    "transient": lambda digest: TransientError(f"the model did not answer, after {digest}"),
}


class Request(NamedTuple):
    """``deaf`` inference does not hear that it is to stop, as a call of a foreign library may not.

    The first ``transient_attempts`` attempts end in a transient error, whatever ``ends`` says.
    """

    seconds: float = 0.0
    ends: str = "complete"
    deaf: bool = False
    transient_attempts: int = 0


def parse(text: str) -> Request | Failed:
    """The request in ``text``, JSON; an empty text is a request without wishes, nonsense a failure."""
    try:
        found = json.loads(text) if text.strip() else {}
        request = Request(**found)
        if (
            0 <= request.seconds < math.inf
            and request.ends in ENDS
            and isinstance(request.deaf, bool)
            and isinstance(request.transient_attempts, int)
        ):
            return request
    except (TypeError, ValueError, RecursionError):
        pass
    ends = ", ".join(ENDS)
    return Failed(f'the request must be JSON like {{"seconds": 0.2, "ends": "complete"}}, ends one of {ends}')


class Inference:
    """One computation in a thread.  ``outcome`` is its end, once :meth:`wait` said that it has ended."""

    def __init__(self, job_id: str, request: str, attempt: int = 1) -> None:
        self.outcome: Outcome = TransientError("inference has not ended")
        self._job_id = job_id
        self._request = request
        self._attempt = attempt
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"inference of {job_id}", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether it has ended, at the latest after so many seconds."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Ask it to stop."""
        self._cancelled.set()

    def _run(self) -> None:
        try:
            request = parse(self._request)
            self.outcome = request if isinstance(request, Failed) else self._compute(request)
        except Exception as error:  # noqa: BLE001  what breaks inference may pass: another attempt is due
            self.outcome = TransientError(f"inference broke: {type(error).__name__}: {error}")

    def _compute(self, request: Request) -> Outcome:
        """The same job comes to the same digest, however often it is tried."""
        digest, began = self._job_id.encode("utf-8", "backslashreplace"), time.monotonic()
        for number in range(1, math.ceil(request.seconds / SLICE_SECONDS) + 1):
            for _ in range(HASHES_PER_SLICE):
                digest = hashlib.sha256(digest).digest()
            self._rest(began + min(number * SLICE_SECONDS, request.seconds), request.deaf)
            if self._cancelled.is_set() and not request.deaf:
                return TransientError("inference was told to stop")
        ends = "transient" if self._attempt <= request.transient_attempts else request.ends
        return ENDS[ends](hashlib.sha256(digest).hexdigest())

    def _rest(self, until: float, deaf: bool) -> None:
        seconds = max(0.0, until - time.monotonic())
        if deaf:
            time.sleep(seconds)
        else:
            self._cancelled.wait(seconds)
