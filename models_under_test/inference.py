"""The work between prepare and finish, as small as real work can be: a chain of SHA-256 hashes.

The job's own row says how long it takes and how it ends, so that a test controls both.  It runs in a thread
of its own, and Python cannot stop a thread from outside: it can be asked to stop, and may not react.
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
"""How long it computes before it looks whether it was asked to stop."""
HASHES_PER_SLICE = 200

ENDS: Mapping[str, Callable[[str], Outcome]] = {
    "complete": Completed,
    "fail": lambda digest: Failed(f"the input was refused, after {digest}"),
    "transient": lambda digest: TransientError(f"the model did not answer, after {digest}"),
}


class Request(NamedTuple):
    """What a job asks of inference."""

    seconds: float = 0.0  # how long it takes
    ends: str = "complete"  # a key of ENDS
    deaf: bool = False  # ignores a request to stop, as a call into a foreign library may
    transient_attempts: int = 0  # how many first attempts end in a transient error, whatever ``ends`` says


def parse(text: str) -> Request | Failed:
    """Return the request in ``text``, JSON; the defaults for an empty text, ``Failed`` for any other."""
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
    """One computation in a thread, which begins at once."""

    def __init__(self, job_id: str, request: str, attempt: int = 1) -> None:
        # Its own only after wait() returned True.
        self.outcome: Outcome = TransientError("inference has not ended")
        self._job_id = job_id
        self._request = request
        self._attempt = attempt
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"inference of {job_id}", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait at most ``seconds`` for its end.  Return whether it has ended."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def cancel(self) -> None:
        """Ask it to stop; a deaf one does not."""
        self._cancelled.set()

    def _run(self) -> None:
        try:
            request = parse(self._request)
            self.outcome = request if isinstance(request, Failed) else self._compute(request)
        except Exception as error:  # noqa: BLE001  what breaks inference may pass: another attempt is due
            self.outcome = TransientError(f"inference broke: {type(error).__name__}: {error}")

    def _compute(self, request: Request) -> Outcome:
        # Only the job's id goes into the digest, so every attempt at a job has the same result.
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
