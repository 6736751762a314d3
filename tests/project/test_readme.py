"""The README's commands are the ones that CI runs, it stays short, and what it shows is what a run prints."""

from __future__ import annotations

import re
from pathlib import Path

from models_under_test.defects import STORIES
from statemachine.search.engine import PROFILES

ROOT = next(path for path in Path(__file__).parents if (path / "pyproject.toml").exists())
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIRST_RUN = (ROOT / "docs" / "first-run.md").read_text(encoding="utf-8")
READ_A_FAILURE = (ROOT / "docs" / "read-a-failure.md").read_text(encoding="utf-8")
DEFECT = "refused_delivery_deletes_message"

MOST_WORDS = 900
MOST_LINES_OF_ARCHITECTURE = 150
MOST_BYTES_OF_THE_PICTURE = 150_000


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)


def commands(page: str, language: str) -> list[str]:
    return [line for block in blocks(page, language) for line in block.splitlines()]


def snapshot() -> list[str]:
    """The report of the README's bug, which a test of the reports holds to what is printed."""
    (found,) = (ROOT / "tests").rglob(f"{DEFECT}.txt")
    return found.read_text(encoding="utf-8").splitlines()


def shown(block: str) -> list[str]:
    """The lines of a report but for what differs from run to run: folders, times, numbers of examples."""
    lines = [re.sub(r"\.statemachine/\w+", ".statemachine/abcde", line) for line in block.splitlines()]
    return [
        line for line in lines if not re.match(r"…|  Looked at |  Met |  Signature: |.*timeline\.html", line)
    ]


def test_it_is_short() -> None:
    assert len(README.split()) <= MOST_WORDS
    architecture = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(architecture.splitlines()) <= MOST_LINES_OF_ARCHITECTURE


def test_ci_runs_the_second_command() -> None:
    test_command = commands(README, "bash")[1]
    assert test_command.endswith("/pytest")
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.strip() == test_command]


def test_both_shells_get_the_same_commands() -> None:
    def words(command: str) -> set[str]:
        return set(re.findall(r"pytest(?: statemachine/)?$|install -e [^\s;]+", command))

    shown_in = [
        [words(command) for command in commands(FIRST_RUN, shell)] for shell in ("bash", "powershell")
    ]
    assert shown_in[0] == shown_in[1]
    assert commands(FIRST_RUN, "bash") == commands(README, "bash")[:2]


def test_the_failure_that_it_shows_is_the_one_that_is_printed() -> None:
    (block,) = (block for block in blocks(README, "text") if block.startswith("FAIL"))
    assert [line for line in shown(block) if line not in snapshot()] == []


def test_the_report_that_is_explained_is_printed_word_for_word() -> None:
    (block,) = (block for block in blocks(READ_A_FAILURE, "text") if block.startswith("FAIL"))
    expected = shown("\n".join(snapshot()))
    assert [line for line in shown(block) if line] == [line for line in expected if line]


def test_the_picture_is_there_and_small() -> None:
    (picture,) = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert 0 < (ROOT / picture).stat().st_size < MOST_BYTES_OF_THE_PICTURE


def test_what_is_named_exists() -> None:
    for page in (README, FIRST_RUN, READ_A_FAILURE):
        assert set(re.findall(r"--defect (\w+)", page)) <= set(STORIES)
    assert f"{PROFILES['dev']:,} examples" in FIRST_RUN
