"""Whole campaigns, as typed in a shell: the correct system passes, planted defects are found with lines.

All run side by side, and most of their time is spent waiting for timeouts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from statemachine.binding import DEFAULT_BINDING
from statemachine.binding import load as load_binding
from statemachine.history.events import StepBegan
from statemachine.history.ndjson import Header, dumps
from statemachine.processes.plan import Deed, load
from tests.support.commandline import CHECKOUT, Ran, command, run

AT_ONCE = 4
SMALL = ("--pipelines", "ai", "--kills", "4", "--jobs", "4", "--seed", "8916")
"""Neither this plan nor the next strikes between two lines of a log: that takes dozens of jobs a strike, and
test_moments.py does it.  SQS is restarted in both."""
CORRECT = ("--kills", "8", "--jobs", "3", "--seed", "4302", "--keep", "kept")
REENTERED = ("--jobs", "12", "--kills", "2", "--gap", "0.2", "--work", "0.5", "--seed", "784")
"""Five of these twelve jobs are sent twice and take more than 0.2 s.  Two idle workers take both messages
one after the other, so a second delivery meets a RUNNING job about once in two such jobs: none in five is
1 in 32, and the kills and the other jobs add chances."""
LANE = (*CHECKOUT, "--lane", "processes", "--kills", "2", "--hypothesis-seed=18188")
"""Six of its ten AI jobs are sent twice and take more than 0.25 s."""
POISON = {
    "AWS_PROFILE": "production",
    "AWS_ACCESS_KEY_ID": "poison",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "DATABASE_URL": "postgresql://production/live",
    "JOBS_DATABASE_URL": "postgresql://production/live",
    "JOBS_SQS_ENDPOINT_URL": "http://127.0.0.1:1",
    "JOBS_LOG_FILE": "/dev/null",
    "JOBS_EXTEND_EVERY_SECONDS": "2000",
}
"""What a shell may hold; a run that used any of it could not pass."""


@dataclass(frozen=True)
class Campaigned:
    """A campaign that has been run, and the directory it ran in."""

    ran: Ran
    cwd: Path


@pytest.fixture(scope="session")
def campaigns(tmp_path_factory: pytest.TempPathFactory, postgresql_server: str) -> Mapping[str, Campaigned]:
    """All campaigns that several tests read, by name."""
    server = ("--database-server", postgresql_server)
    reentered = ("--defect", "running_job_reentered", "--pipelines", "ai")
    calls: dict[str, Callable[[Path], Ran]] = {
        "correct": lambda cwd: command("processes", *CORRECT, cwd=cwd, env=POISON),
        "on PostgreSQL": lambda cwd: command("processes", *SMALL, *server, cwd=cwd),
        "in pytest": lambda cwd: run(*LANE, cwd=cwd),
        "refused_delivery_deletes_message": lambda cwd: run(
            *LANE, "--defect", "refused_delivery_deletes_message", cwd=cwd
        ),
        "running_job_reentered": lambda cwd: command("processes", *REENTERED, *reentered, cwd=cwd),
    }
    places = {name: tmp_path_factory.mktemp("campaign") for name in calls}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {name: pool.submit(call, places[name]) for name, call in calls.items()}
        first, places["again"] = running["running_job_reentered"], places["running_job_reentered"]
        running["again"] = pool.submit(lambda: again(first.result(), places["again"]))
        return {name: Campaigned(each.result(), places[name]) for name, each in running.items()}


def again(ran: Ran, cwd: Path) -> Ran:
    """The plan that ``ran`` has saved, played as its report says, but only twice."""
    [line] = [line for line in ran.lines if "--plan" in line]
    words = line.split()
    assert words[:3] == ["python", "-m", "statemachine"]
    assert words[-2:] == ["--times", "5"]
    return command(*words[3:-1], "2", "--pipelines", "ai", cwd=cwd)


def numbers(ran: Ran, pattern: str) -> list[int]:
    """The numbers in the one line of the report that fits."""
    found = re.search(pattern, ran.output)
    assert found, ran
    return [int(number) for number in found.groups()]


def strikes(ran: Ran, deed: str) -> int:
    """How many strikes of that kind the table shows, over all moments and fleets."""
    rows = [line for line in ran.lines if line.startswith(f"  {deed} ")]
    return sum(int(number) for row in rows for number in re.findall(r" (\d+)(?= |$)", row))


@pytest.mark.parametrize(("name", "kills"), [("correct", 8), ("on PostgreSQL", 4)])
def test_the_correct_system_survives_and_the_figures_add_up(
    name: str, kills: int, campaigns: Mapping[str, Campaigned]
) -> None:
    ran = campaigns[name].ran
    assert ran.code == 0, ran
    assert ran.lines[-1] == "PASS  no invariant was broken"
    jobs, ended, lost = numbers(ran, r"Jobs +(\d+) enqueued, (\d+) ended, (\d+) lost")
    assert jobs >= 4
    assert (ended, lost) == (jobs, 0)
    twice, acquisitions = numbers(ran, r"twice: (\d+); acquisitions: (\d+)")
    killed, held, taken_over = numbers(
        ran, r"Killed +(\d+) workers, (\d+) of them held a lease; taken over exactly once: (\d+)"
    )
    assert killed == kills == strikes(ran, "SIGKILL")
    assert twice == 0
    assert held == taken_over
    assert jobs + held <= acquisitions
    assert "by itself" not in ran.output
    assert f"every_job_ends {jobs}" in ran.output
    assert "database: PostgreSQL database statemachine_" in ran.output or name == "correct"


def test_what_the_shell_has_set_reaches_neither_queue_nor_worker_nor_database(
    campaigns: Mapping[str, Campaigned],
) -> None:
    ran = campaigns["correct"].ran
    assert ran.code == 0, ran
    assert "poison" not in ran.output
    assert "production" not in ran.output.replace("margin rule of production", "")


def test_the_report_says_that_times_are_scaled(campaigns: Mapping[str, Campaigned]) -> None:
    assert campaigns["correct"].ran.lines[:3] == [
        "processes: ai, video, messaging; seed 4302",
        "database: SQLite file in WAL mode, made for this run; queue: SQS by moto, on loopback",
        "times: visibility 3 s, lease 2 s: scaled, with the margin rule of production "
        "(lease = visibility - margin)",
    ]


def test_keep_saves_the_logs_of_a_run_that_passes(
    campaigns: Mapping[str, Campaigned],
) -> None:
    kept = campaigns["correct"].cwd / "kept"
    plan = load(kept / "plan.json")
    assert (plan.seed, sum(strike.deed is Deed.KILL for strike in plan.strikes)) == (4302, 8)
    for fleet in ("ai", "video", "messaging"):
        assert (kept / f"{fleet}-operator.log").is_file()
        assert (kept / f"{fleet}-2.log").is_file()
    killed = [
        json.loads(line)["killed"]
        for log in kept.glob("*-operator.log")
        for line in log.read_text("utf-8").splitlines()
        if '"worker.killed"' in line
    ]
    assert len(killed) == len(set(killed)) == 8
    for name in killed:
        assert json.loads((kept / f"{name}.log").read_text("utf-8").splitlines()[-1])["worker"] == name


DEFECTS = {
    # The seed, the claim, and the line that shows it.
    "refused_delivery_deletes_message": (
        18188,
        "messages_outlive_unfinished_jobs",
        r"  ✗ ai-\d+\.log:\d+ +[\d:.]{15}  ai-\d+  .*deleting message ",
    ),
    "running_job_reentered": (
        784,
        "one_holder_at_a_time",
        r"  ✗ ai-\d+\.log:\d+ +[\d:.]{15}  ai-\d+  mark_running ok: RUNNING job_id=ai-784\.1-\d+ attempt 2",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_planted_defect_is_found_with_the_lines_that_show_it(
    defect: str, campaigns: Mapping[str, Campaigned]
) -> None:
    ran, cwd = campaigns[defect].ran, campaigns[defect].cwd
    seed, claim, line = DEFECTS[defect]
    assert ran.code == 1, ran
    assert f"with the defect {defect} planted" in ran.output
    assert f"FAIL  {claim}" in ran.lines
    assert "FAIL  an invariant was broken" in ran.lines
    shown = re.search(line, ran.output)
    assert shown, ran
    file, number = re.findall(r"(ai-\d+\.log):(\d+)", shown[0])[0]
    saved = (cwd / ".statemachine" / f"processes-{seed}" / file).read_text("utf-8").splitlines()
    cited = json.loads(saved[int(number) - 1])
    assert cited["text"][:30] in shown[0], "the line is not where the report says"


def test_a_saved_plan_is_played_again_as_often_as_asked(campaigns: Mapping[str, Campaigned]) -> None:
    again, cwd = campaigns["again"].ran, campaigns["again"].cwd
    assert again.code == 1, again
    assert again.lines[-1] == "FAILED in 2 of 2 runs of this plan"
    saved = sorted(path.name for path in (cwd / ".statemachine").iterdir())
    assert saved == ["processes-784", "processes-784-1", "processes-784-2"]
    assert set(re.findall(r"job_id=(ai-784\.\d)-", again.output)) == {"ai-784.1", "ai-784.2"}


def test_pytest_plays_the_lane_and_ends_with_its_report(campaigns: Mapping[str, Campaigned]) -> None:
    ran = campaigns["in pytest"].ran
    assert ran.code == 0, ran
    assert ran.summary[0] == "processes: ai, video, messaging; seed 18188"
    assert ran.summary[-1] == "PASS  no invariant was broken"
    assert numbers(ran, r"Killed +(\d+) workers") == [2]
    assert (
        "lane processes: real workers on a real database and SQS API, really killed; seed 18188" in ran.output
    )


def test_pytest_fails_with_the_report_in_place_of_a_traceback(campaigns: Mapping[str, Campaigned]) -> None:
    ran = campaigns["refused_delivery_deletes_message"].ran
    assert ran.code == 1, ran
    assert "Traceback" not in ran.output
    assert "plugin/processes_player.py" not in ran.output
    assert ran.lines[-1].startswith("=") or "1 failed" in ran.lines[-1]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("--lane", "processes", "--replay", "HISTORY"),
            "--replay plays a history step by step: leave --lane processes out",
        ),
        (
            ("--lane", "embedded", "--database-server", "postgresql://x/y"),
            "--database-server: of no use to the embedded lane",
        ),
        (("--kills", "3"), "--kills 3: of no use but to the lane of real processes"),
        (("--lane", "processes", "--kills", "many"), "many is no whole number above 0"),
    ],
)
def test_what_a_lane_cannot_do_is_refused_in_one_sentence(
    options: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    history = tmp_path / "history.ndjson"
    history.write_text(
        dumps(
            Header(DEFAULT_BINDING, load_binding(DEFAULT_BINDING).lifecycle),
            [StepBegan(0, 1, "create", {"job": "j1", "tenant": "t1"})],
        ),
        "utf-8",
    )
    ran = run(*CHECKOUT, *(str(history) if word == "HISTORY" else word for word in options), cwd=tmp_path)
    assert ran.code == 4, ran
    assert words in ran.output
    assert "Traceback" not in ran.output
