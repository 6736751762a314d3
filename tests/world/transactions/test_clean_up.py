"""Clean-up is absolute: whatever ends an example or a run, no lock is held and nothing runs on.

The next example begins on a database without jobs, on connections at rest.  Seen by the server's eyes.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from models_under_test.models import AIJob
from statemachine.binding import BindingError
from statemachine.world.example import Example
from statemachine.world.lane import BYSTANDERS
from statemachine.world.operations import NotPossible, perform
from statemachine.world.operations.drain import drain
from statemachine.world.transactions import server
from statemachine.world.transactions.lane import TransactionsLane
from statemachine.world.transactions.server import ServerError, ServerGone
from tests.support.commandline import STRANGER, interrupt, run, write
from tests.support.postgresql import OpenTransactions
from tests.support.unlocked import UNLOCKED
from tests.world.transactions import systems
from tests.world.transactions.scripts import (
    BEGINNINGS,
    DELIVERED,
    finish,
    go,
    play,
    stepwise,
)


def nothing_is_left(lane: TransactionsLane) -> None:
    outside: Any = lane.outside  # type: ignore[attr-defined]
    assert not lane.in_flight
    assert outside.transactions == []
    assert outside.locks == []


def starts_clean(lane: TransactionsLane) -> None:
    """The next example finds no job, and comes to a right end with both of its sessions."""
    example = lane.begin()
    nothing_is_left(lane)
    with lane.looking():
        assert not AIJob.objects.exclude(job_id__in=BYSTANDERS).exists()
    play(example, *DELIVERED, *(stepwise(("prepare", {"worker": worker})) for worker in "AB"))
    finish(example, "A")
    finish(example, "B")
    assert not example.in_flight
    drain(example)
    assert example.judge.violations == []
    nothing_is_left(lane)


def waiting(lane: TransactionsLane) -> Example:
    """A has locked and written, B waits for it."""
    example = lane.begin()
    play(example, *DELIVERED, *(stepwise(("prepare", {"worker": worker})) for worker in "AB"))
    go(example, "A", 2)
    go(example, "B")
    assert example.in_flight["B"].blocked_by == "A"
    return example


@pytest.mark.parametrize("operation", BEGINNINGS)
def test_an_example_begins_clean_whatever_is_in_flight(
    operation: str, open_transactions: OpenTransactions
) -> None:
    beginning = BEGINNINGS[operation]
    with open_transactions() as lane:
        place = 0
        while True:
            example = lane.begin()
            play(example, *beginning.steps, stepwise(beginning.turn))
            go(example, beginning.by, place)
            if beginning.by not in example.in_flight:
                break
            events = len(example.events)
            starts_clean(lane)
            assert len(example.events) == events, "what is abandoned tells no more"
            place += 1
        assert place > 1


def test_an_example_begins_clean_while_one_waits_or_has_waited(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        for granted in (False, True):
            example = waiting(lane)
            if granted:
                go(example, "A")
                assert example.in_flight["B"].statement == "resumes"
            starts_clean(lane)


def test_an_example_begins_after_ctrl_c_in_the_midst_of_a_statement(
    open_transactions: OpenTransactions,
) -> None:
    with open_transactions() as lane:
        play(lane.begin(), *DELIVERED)
        connection.connection.pgconn.send_query(b"SELECT pg_sleep(9)")
        lane.begin()
        with lane.looking():
            assert not AIJob.objects.exclude(job_id__in=BYSTANDERS).exists()


def test_a_violation_between_two_open_transactions(open_transactions: OpenTransactions) -> None:
    with open_transactions(UNLOCKED) as lane:
        example = lane.begin()
        play(example, *DELIVERED, *(stepwise(("prepare", {"worker": worker})) for worker in "AB"))
        go(example, "A")
        go(example, "B")
        finish(example, "A")
        play(example, stepwise(("stray", {"operation": "fail", "job": "j1", "attempt": "next"})))
        go(example, "stray")
        finish(example, "B")
        assert example.judge.violations
        assert list(example.in_flight) == ["stray"]
        assert len(lane.outside.transactions) == 1  # type: ignore[attr-defined]
        lane.begin()
        nothing_is_left(lane)


def test_a_step_that_is_not_possible_changes_nothing(open_transactions: OpenTransactions) -> None:
    with open_transactions() as lane:
        example = waiting(lane)
        events, flying = list(example.events), dict(example.in_flight)
        for operation, arguments in (
            ("proceed", {"by": "B", "statement": "SELECT ai_job FOR UPDATE"}),
            ("proceed", {"by": "A", "statement": "UPDATE ai_job"}),
            ("proceed", {"by": "C", "statement": "COMMIT"}),
            ("kill_in_flight", {"by": "C"}),
            ("prepare", {"worker": "A"}),
            ("create", {"job": "j9", "tenant": "t1"}),
        ):
            with pytest.raises(NotPossible):
                perform(example, operation, arguments)
        assert (example.events, dict(example.in_flight)) == (events, flying)
        starts_clean(lane)


def test_a_mistake_of_the_binding_in_the_middle(open_transactions: OpenTransactions) -> None:
    with open_transactions(systems.path_of(systems.Wrong)) as lane:
        for _ in range(2):
            example = lane.begin()
            play(example, *DELIVERED, stepwise(("prepare", {"worker": "A"})))
            play(example, stepwise(("prepare", {"worker": "B"})))
            go(example, "A", 2)
            go(example, "B")
            with pytest.raises(BindingError, match="next_step 'nowhere'"):
                go(example, "A")
            lane.abandon()
            nothing_is_left(lane)


def _in_the_middle(
    lane: TransactionsLane, opened: list[TransactionsLane], error: type[BaseException]
) -> BaseException:
    opened.append(lane)
    waiting(lane)
    return error()


def test_an_error_that_ends_the_run_leaves_nothing(open_transactions: OpenTransactions) -> None:
    for error in (KeyboardInterrupt, LookupError, SystemExit):
        opened: list[TransactionsLane] = []
        # That no lock is held is asserted where the lane has been closed: in conftest.py.
        with pytest.raises(error), open_transactions() as lane:
            raise _in_the_middle(lane, opened, error)
        assert not opened[0].in_flight


def test_a_lock_of_an_unknown_session_is_reported_in_one_sentence(
    open_transactions: OpenTransactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PATIENCE_SECONDS", 0.3)
    with open_transactions(systems.path_of(systems.Elsewhere)) as lane:
        example = lane.begin()
        play(example, *DELIVERED, stepwise(("prepare", {"worker": "A"})))
        with pytest.raises(ServerError, match="A waits at SELECT ai_job FOR UPDATE for a lock that session"):
            finish(example, "A")
        lane.abandon()
        nothing_is_left(lane)


def _lose_all_sessions(lane: TransactionsLane) -> None:
    waiting(lane)
    outside: Any = lane.outside  # type: ignore[attr-defined]
    for pid in outside.sessions:
        outside._all(f"SELECT pg_terminate_backend({pid})")
    until = time.monotonic() + 10
    while outside.sessions and time.monotonic() < until:
        time.sleep(0.01)
    lane.abandon()
    assert not lane.in_flight
    with pytest.raises(ServerGone):
        lane.check()
    lane.begin()


def test_a_server_that_is_gone_is_said_in_one_sentence(open_transactions: OpenTransactions) -> None:
    # Its sessions are ended, which is what a crash of any other session does to all.
    with (
        pytest.raises(ServerGone, match=r"^the PostgreSQL server went away in the middle of the run \(.*\)"),
        open_transactions() as lane,
    ):
        _lose_all_sessions(lane)


# -- a whole run, in a process of its own -------------------------------------------------

DYING = """
import os, signal
from pathlib import Path
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    created = 0

    def create(self, job, tenant):
        from django.db import connection

        self.created += 1
        if not self.created > 1:
            Path("server").write_text(connection.settings_dict["HOST"])
        if self.created == 60:
            pid = int(Path(connection.settings_dict["HOST"], "data", "postmaster.pid").read_text().split()[0])
            os.kill(pid, signal.{signal})
        super().create(job, tenant)
"""


OPTIONS = ("--lane", "transactions", "--binding", "dying:Binding", "--hypothesis-seed=1")


def run_of(cwd: Path, text: str, interrupted: bool = False) -> tuple[int, str, Path]:
    """Exit code, output and the server's folder of a run of the lane; ``interrupted`` sends it a SIGINT."""
    write(cwd, dying=text)
    if interrupted:
        ran = interrupt(*STRANGER, *OPTIONS, cwd=cwd, busy=(cwd / "busy").exists)
    else:
        ran = run(*STRANGER, *OPTIONS, cwd=cwd)
    return ran.code, ran.output, Path((cwd / "server").read_text())


def processes_about(folder: Path) -> list[str]:
    """The command lines of all processes that name ``folder``, or run in it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            where = os.readlink(process / "cwd")
        except OSError:
            continue
        if folder.name in line or folder.name in where:
            found.append(line)
    return found


on_linux = pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")


@on_linux
@pytest.mark.parametrize("how", ["SIGKILL", "SIGQUIT"])
def test_a_server_that_dies_ends_the_run_with_one_sentence(
    how: str, tmp_path: Path, postgresql_server: str
) -> None:
    code, output, folder = run_of(tmp_path, DYING.replace("{signal}", how))
    assert code == 4, output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert output.count("the PostgreSQL server went away in the middle of the run (") == 1, output
    assert "PASS" not in output
    assert "FAIL" not in output
    assert not folder.exists()
    assert processes_about(folder) == []


BUSY = DYING.replace("os.kill(pid, signal.{signal})", 'Path("busy").touch()')


@on_linux
def test_ctrl_c_leaves_nothing_running(tmp_path: Path, postgresql_server: str) -> None:
    code, output, folder = run_of(tmp_path, BUSY, interrupted=True)
    assert code == 2, output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert "UNKNOWN" in output
    assert not folder.exists()
    assert processes_about(folder) == []


INTERRUPTING = """
from pathlib import Path
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    released = 0

    def parts(self):
        parts = super().parts()
        binding = self

        class Repository(parts["repository"]):
            def mark_done(self, *arguments):
                from django.db import connection

                Path("server").write_text(connection.settings_dict["HOST"])
                answer = super().mark_done(*arguments)
                binding.released += 1
                if binding.released > 20:
                    raise KeyboardInterrupt
                return answer

        return {**parts, "repository": Repository}
"""


@on_linux
def test_ctrl_c_inside_of_code_under_test_leaves_nothing_running(
    tmp_path: Path, postgresql_server: str
) -> None:
    code, output, folder = run_of(tmp_path, INTERRUPTING)
    assert code == 2, output
    assert "Traceback" not in output
    assert "INTERNALERROR" not in output
    assert not folder.exists()
    assert processes_about(folder) == []


STUCK = """
from pathlib import Path
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    def parts(self):
        from django.db import connection

        parts = super().parts()
        properly = parts["complete_ai_job"]
        Path("server").write_text(connection.settings_dict["HOST"])

        def complete(*arguments):
            while True:
                try:
                    return properly(*arguments)
                except BaseException:
                    continue

        return {**parts, "complete_ai_job": complete}
"""


@on_linux
def test_what_cannot_be_killed_ends_the_run_with_one_sentence(tmp_path: Path, postgresql_server: str) -> None:
    code, output, folder = run_of(tmp_path, STUCK)
    assert code == 4, output
    assert "Traceback" not in output
    assert output.count("was killed, and its code catches even that") == 1, output
    assert not folder.exists()
    assert processes_about(folder) == []
