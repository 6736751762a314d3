"""Whether sound systems stay clean: ten lifecycles, each with six habits of correct code.

    python benchmarks/sound.py [--examples 600] [--seed 100] [--only WORD] [--lane transactions]

Prints a line for each system.  A FAIL is a false alarm.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from models_under_test.binding import AIJobsBinding
from models_under_test.variants import VARIANTS
from statemachine.search.control import SearchControl
from statemachine.search.engine import play, register_profiles, sized
from statemachine.search.lanes import KINDS
from statemachine.search.run import Verdict
from statemachine.world.databases.opening import open_interleaved, open_lane
from statemachine.world.lane import Lane

BASES: dict[str, type[AIJobsBinding]] = {"AIJobs": AIJobsBinding, **VARIANTS}


def _memo() -> type:
    """The tenant of a job never changes, so a dictionary of the class remembers it."""

    class Memo:
        tenant_of: dict[str, str] = {}  # noqa: RUF012

        def _lock(self, job_id: str, tenant_id: str) -> Any:
            if self.tenant_of.get(job_id, tenant_id) != tenant_id:
                return None
            job = super()._lock(job_id, tenant_id)  # type: ignore[misc]
            if job is not None:
                self.tenant_of[job_id] = tenant_id
            return job

    return Memo


def _cache() -> type:
    """A job that has ended stays so: Django's cache answers for it."""
    from django.core.cache import cache

    from models_under_test.domain import Refusal

    class Cached:
        def _acquire(self, job_id: str, tenant_id: str, worker_id: str, now: datetime) -> Any:
            if cache.get(f"ended-{tenant_id}-{job_id}"):
                return Refusal.ALREADY_ENDED
            answer = super()._acquire(job_id, tenant_id, worker_id, now)  # type: ignore[misc]
            if answer is Refusal.ALREADY_ENDED:
                cache.set(f"ended-{tenant_id}-{job_id}", True)
            return answer

    return Cached


def _audit() -> type:
    """Each change of a row is noted in another table, in the same transaction."""
    from django.db import connection

    class Audited:
        def _save(self, job: Any, now: datetime) -> None:
            super()._save(job, now)  # type: ignore[misc]
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO audit VALUES (%s, %s)", [job.job_id, job.status])

    return Audited


def _after_commit() -> type:
    """After each commit a listener reads the row again, as one that feeds a search index does."""
    from django.db import transaction

    class Listened:
        def _save(self, job: Any, now: datetime) -> None:
            super()._save(job, now)  # type: ignore[misc]
            transaction.on_commit(lambda: type(job).objects.filter(pk=job.pk).first(), robust=True)

    return Listened


def _thread_local() -> type:
    """Each thread keeps a cursor factory of its own."""
    from django.db import connection

    kept = threading.local()

    class PerThread:
        def _save(self, job: Any, now: datetime) -> None:
            if not hasattr(kept, "cursor"):
                kept.cursor = connection.cursor
            with kept.cursor() as cursor:
                cursor.execute("SELECT 1")
            super()._save(job, now)  # type: ignore[misc]

    return PerThread


HABITS: dict[str, Any] = {
    "plain": None,
    "memo": _memo,
    "cache": _cache,
    "audit table": _audit,
    "read after commit": _after_commit,
    "thread-local": _thread_local,
}


class _WithHabit:
    """A binding whose repository has a habit more."""

    habit: Any

    def open(self, *ports: Any) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS audit (job varchar(200), status varchar(20))")
        super().open(*ports)  # type: ignore[misc]

    def parts(self) -> dict[str, Any]:
        parts: dict[str, Any] = super().parts()  # type: ignore[misc]
        from models_under_test import repositories

        own = parts["repository"]
        own = getattr(repositories, own) if isinstance(own, str) else own
        return parts | {"repository": type("Repository", (self.habit(), own), {})}


def systems() -> Iterator[tuple[str, str]]:
    """Yield each system's name with the path of its binding."""
    for base, binding in BASES.items():
        for habit, made in HABITS.items():
            name = f"{base}_{habit.replace(' ', '_').replace('-', '_')}"
            kind = (
                type(name, (binding,), {})
                if made is None
                else type(name, (_WithHabit, binding), {"habit": staticmethod(made)})
            )
            globals()[name] = kind
            yield f"{base}, {habit}", f"{__name__}:{name}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--examples", type=int, default=600)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--only", default="", help="play only systems whose names have this word")
    parser.add_argument("--lane", choices=KINDS, default="embedded")
    asked = parser.parse_args()
    register_profiles()
    kind, alarms = KINDS[asked.lane], 0
    sys.modules["sound"] = sys.modules[__name__]
    for name, path in systems():
        if asked.only not in name:
            continue
        opened: AbstractContextManager[Lane] = (
            open_lane(path) if asked.lane == "embedded" else open_interleaved(path)
        )
        with opened as lane:
            run = kind.new_run(lane)
            play(SearchControl(run), asked.seed, kind.machine, sized(asked.examples, steps=kind.steps))
            run.finished = True
        broken = run.failure.headline if run.failure is not None else None
        alarms += run.verdict is Verdict.FAIL
        played = f"{run.tally.examples} examples, {run.tally.steps} steps"
        print(f"{name:<42} {run.verdict}  {played}  {broken or ''}", flush=True)
    print(f"{alarms} false alarms")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main())
