"""A history of statements plays again from its named steps: on another server, in another process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.history import ndjson
from statemachine.history.ndjson import Header
from statemachine.report.text.replay import replay_reason
from statemachine.search.triage.replay import Replayed, ReplayOutcome, replay
from statemachine.search.triage.script import play
from statemachine.world.databases.postgresql import database
from statemachine.world.lane import Lane
from statemachine.world.transactions.lane import open_on
from tests.support.commandline import CHECKOUT, Ran, run
from tests.support.interleaved_scripts import TWO_LEASES
from tests.support.postgresql import OpenTransactions
from tests.support.unlocked import UNLOCKED
from tests.world.transactions import systems


class Reordered(systems.Rough):
    """Forgets the lock as well, and looks at the tenant first."""

    def acquire(self, properly: Any, job: str, tenant: str) -> Any:
        from models_under_test.models import Tenant

        Tenant.objects.filter(code=tenant).exists()
        return properly()


def saved_by(lane: Lane, path: str) -> tuple[Header, list[Any]]:
    failure = play(lane, TWO_LEASES).failure
    assert failure is not None
    text = ndjson.dumps(Header(path, lane.binding.lifecycle, 7, lane="transactions"), failure.events)
    return ndjson.loads(text, "history.ndjson")


@pytest.fixture
def saved(open_transactions: OpenTransactions) -> tuple[Header, list[Any]]:
    with open_transactions(UNLOCKED) as lane:
        return saved_by(lane, UNLOCKED)


def test_it_is_reproduced_on_another_server(
    saved: tuple[Header, list[Any]], transactional_db: None, postgresql_server: str
) -> None:
    # None: a private server that is started for this database alone.
    with database(None) as made:
        assert made.url.partition("host=")[2] not in postgresql_server
        with open_on(made.django_settings(), load(UNLOCKED, None), UNLOCKED) as lane:
            played = replay(lane, *saved)
    assert played.outcome is ReplayOutcome.REPRODUCED
    assert list(played.events) == saved[1]


def replayed(open_transactions: OpenTransactions, saved: tuple[Header, list[Any]], path: str) -> Replayed:
    with open_transactions(path) as lane:
        return replay(lane, *saved)


def test_it_diverges_where_another_statement_comes_next(
    saved: tuple[Header, list[Any]], open_transactions: OpenTransactions
) -> None:
    for path, found in (
        (DEFAULT_BINDING, "SELECT ai_job FOR UPDATE"),
        (f"{__name__}:Reordered", "SELECT tenant"),
    ):
        played = replayed(open_transactions, saved, path)
        assert played.outcome is ReplayOutcome.DIVERGED
        assert replay_reason(played) == (
            f"at step 7 (proceed): expected proceed, got: what A does next is {found}, not SELECT ai_job"
        )


class Mended(systems.Rough):
    """Still reads without a lock, and writes by a condition: the second one changes nothing."""

    def parts(self) -> dict[str, Any]:
        from models_under_test.repositories import DjangoAIJobRepository

        class Repository(DjangoAIJobRepository):
            def _lock(self, job_id: str, tenant_id: str) -> Any:
                return self._named(job_id, tenant_id).first()

            def _save(self, job: Any, now: Any) -> None:
                if job.status != "RUNNING":
                    super()._save(job, now)
                    return
                # The row as it was read, or nothing.
                before = job.attempt_count - 1
                unchanged = type(job).objects.filter(pk=job.pk, attempt_count=before)
                names = ("status", "attempt_count", "locked_by", "locked_at", "lease_expires_at")
                if not unchanged.update(updated_at=now, **{name: getattr(job, name) for name in names}):
                    raise LookupError("somebody else was here")

        return {**super().parts(), "repository": Repository}


def test_it_is_fixed_where_the_defect_is_gone(
    saved: tuple[Header, list[Any]], open_transactions: OpenTransactions
) -> None:
    played = replayed(open_transactions, saved, f"{__name__}:Mended")
    assert played.outcome is ReplayOutcome.FIXED, replay_reason(played)
    # The step that broke the claim: what A does next in place of its COMMIT.
    assert replay_reason(played) == ("step 13 no longer happens: what B does next is ROLLBACK, not COMMIT")


# -- by the command line ------------------------------------------------------------------


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, postgresql_server: str) -> Path:
    """A failure of a real search, as it is saved."""
    cwd = tmp_path_factory.mktemp("found")
    options = ("--lane", "transactions", "--defect", "acquired_without_lock", "--hypothesis-seed=1")
    ran = run(*CHECKOUT, *options, cwd=cwd)
    assert ran.code == 1, ran
    return cwd / ran.folder


def once_more(history: Path, *options: str) -> Ran:
    return run(*CHECKOUT, "--replay", str(history), *options, cwd=history.parents[1])


def test_the_header_chooses_the_lane(history: Path) -> None:
    assert ndjson.read(history / "history.ndjson")[0].lane == "transactions"
    ran = once_more(history, "--defect", "acquired_without_lock")
    assert ran.code == 1, ran
    assert f"REPRODUCED from {history}" in ran.output
    assert "test_leased_jobs_survive_interleaving" in ran.output
    assert "test_leased_jobs_survive\n" not in ran.output


def test_without_the_defect_other_statements_come(history: Path) -> None:
    ran = once_more(history, "--lane", "transactions")
    assert "REPRODUCED" not in ran.output
    assert ("DIVERGED" in ran.output) == (ran.code == 1), ran


def test_the_embedded_lane_cannot_play_it(history: Path) -> None:
    ran = once_more(history, "--lane", "embedded")
    assert ran.code == 4, ran
    (shown,) = [line for line in ran.lines if line.startswith("ERROR: ")]
    assert "the history was recorded in the transactions lane and this is --lane embedded: leave" in shown
    assert "Traceback" not in ran.output
