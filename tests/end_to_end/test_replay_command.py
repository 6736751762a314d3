"""``--replay`` plays a saved history on whatever is bound now, and its exit code is the answer.

REPRODUCED and DIVERGED fail the run, FIXED does not.
"""

from __future__ import annotations

import re
import shutil
from functools import partial

import pytest

from tests.end_to_end.conftest import Found
from tests.support.commandline import CHECKOUT, STRANGER, Ran, at_once, run, write

DEFECT = "refused_delivery_deletes_message"
INVARIANT = "messages_outlive_unfinished_jobs"

SWEEPLESS = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    # Or the sweep itself would be blamed, long before the drain.
    waived = {"recovery_sends_only_unsent_jobs": "it is tried what comes of it"}

    def recover(self):
        pass
"""


@pytest.fixture(scope="module")
def replays(runs: dict[str, Found], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """The history of one failure, replayed in every way that the tests below look at."""
    cwd = tmp_path_factory.mktemp("replays")
    history = shutil.copytree(runs[DEFECT].history.parent, cwd / "my failure") / "history.ndjson"
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    play = partial(run, *CHECKOUT, "--replay")
    asked = {
        "folder": partial(play, "my failure", "--defect", DEFECT, cwd=cwd),
        "file": partial(play, "my failure/history.ndjson", "--defect", DEFECT, cwd=cwd),
        "mended": partial(play, "my failure", cwd=cwd),
        "mended, quietly": partial(play, "my failure", "-q", cwd=cwd),
        "mended, saved on Windows": partial(play, "windows.ndjson", cwd=cwd),
        "altered": partial(play, "altered.ndjson", "--defect", DEFECT, cwd=cwd),
        "other defect": partial(play, "my failure", "--defect", "lease_as_long_as_visibility", cwd=cwd),
        "from elsewhere": partial(
            run, *STRANGER, "--defect", DEFECT, "--replay", str(history), cwd=elsewhere, script=True
        ),
    }
    text = history.read_text("utf-8")
    assert '"visible_at": 3600' in text
    altered = text.replace('"visible_at": 3600', '"visible_at": 3599', 1)
    (cwd / "altered.ndjson").write_text(altered, encoding="utf-8", newline="\n")
    (cwd / "windows.ndjson").write_text(text, encoding="utf-8", newline="\r\n")
    before = history.read_bytes()
    answers = dict(zip(asked, at_once(asked.values()), strict=True))
    assert history.read_bytes() == before
    assert [path for path in elsewhere.iterdir() if path.name != ".hypothesis"] == []
    return answers


@pytest.mark.parametrize("way", ["folder", "file", "from elsewhere"])
def test_a_failure_that_is_still_there_is_reproduced(way: str, replays: dict[str, Ran]) -> None:
    ran = replays[way]
    assert ran.code == 1, ran
    assert ran.report[0] == f"FAIL  {INVARIANT}"
    assert [line[:12] for line in ran.summary] == ["REPRODUCED  "]


def test_the_report_of_a_replay_is_the_one_of_the_search(
    replays: dict[str, Ran], runs: dict[str, Found]
) -> None:
    def told(ran: Ran) -> list[str]:
        return ran.report[: ran.report.index("  Reproduce")]

    assert told(replays["folder"]) == told(runs[DEFECT].ran)
    assert "  Why (each line is a re-run, nothing inferred)" in replays["folder"].report


def test_a_replay_lists_what_else_the_step_broke(replays: dict[str, Ran], runs: dict[str, Found]) -> None:
    others = [line for line in runs[DEFECT].ran.report if "Broken by the same step" in line]
    assert others, "the premise is gone"
    assert others[0] in replays["folder"].report


def test_the_command_of_a_replay_can_be_pasted_again(replays: dict[str, Ran]) -> None:
    assert "--replay=my failure" in replays["folder"].reproduce


def test_no_command_of_a_report_runs_a_file_of_the_folder(
    replays: dict[str, Ran], runs: dict[str, Found]
) -> None:
    for ran in (replays["folder"], runs[DEFECT].ran):
        commands = [line.strip() for line in ran.report if line.startswith("    pytest ")]
        assert len(commands) == 2, ran
        assert commands[1] == f"{commands[0]} --pdb"
        assert "test_regression.py" not in " ".join(commands)


@pytest.mark.parametrize("way", ["mended", "mended, quietly", "mended, saved on Windows"])
def test_a_failure_that_is_gone_is_fixed(way: str, replays: dict[str, Ran]) -> None:
    ran = replays[way]
    assert ran.code == 0, ran
    assert ran.verdict.startswith("FIXED  ")
    assert "FAIL" not in ran.output


def test_a_system_that_goes_another_way_earlier_has_diverged(replays: dict[str, Ran]) -> None:
    ran = replays["other defect"]
    assert ran.code == 1, ran
    said = re.search(r"DIVERGED at step (\d+) \((\w+)\): expected (.*), got (.*)$", ran.verdict)
    assert said, ran
    assert said[2] == "prepare"
    assert INVARIANT in said[3]
    assert "a_lease_lasts_its_declared_length" in said[4]
    assert ran.verdict.startswith("DIVERGED")


def test_a_step_that_no_longer_does_what_it_did_has_diverged(replays: dict[str, Ran]) -> None:
    ran = replays["altered"]
    assert ran.code == 1, ran
    said = re.search(r"DIVERGED at step \d+ \(receive\): expected (.*), got (.*)$", ran.verdict)
    assert said, ran
    assert "visible_at=3599" in said[1]
    assert "visible_at=3600" in said[2]


def test_a_replay_neither_searches_nor_saves(replays: dict[str, Ran]) -> None:
    for ran in replays.values():
        assert " examples" not in ran.output
        assert ".statemachine/" not in ran.output.replace("(.statemachine/ID)", "")


@pytest.fixture(scope="module")
def sweepless(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """A run that found a failure which only the drain can prove: a job that nobody ever publishes."""
    cwd = write(tmp_path_factory.mktemp("sweepless"), sweepless=SWEEPLESS)
    return Found(run(*STRANGER, "--binding", "sweepless:Binding", "--hypothesis-seed=1", cwd=cwd), cwd)


def test_a_failure_of_the_drain_is_reproduced_and_fixed(sweepless: Found) -> None:
    first, cwd = sweepless
    assert first.report[0] == "FAIL  every_job_ends"
    again = run(*first.reproduce, cwd=cwd)
    write(cwd, sweepless=SWEEPLESS.replace("        pass", "        super().recover()"))
    mended = run(*first.reproduce, cwd=cwd)
    assert (again.code, again.verdict[:10]) == (1, "REPRODUCED")
    assert (mended.code, mended.verdict[:5]) == (0, "FIXED")


def test_a_drain_that_goes_in_circles_is_shown_in_a_screenful(sweepless: Found) -> None:
    assert len(sweepless.ran.report) <= 66
