"""The binding of a published queue, django-q2, finds in the real package what its README says, and no more.

What is true of another release nobody has looked at: the package is pinned, and without it all is skipped.
"""

from __future__ import annotations

import re
import shutil
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.commandline import REPO, SHORT, SHORT_CONFTEST, STRANGER, Ran, at_once, run, write

pytestmark = pytest.mark.skipif(
    find_spec("django_q") is None, reason="django-q2 is not installed: pip install -e '.[examples]'"
)

EXAMPLE = REPO / "examples" / "django_q2"
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")


def listed(title: str) -> set[str]:
    """What the table of a section of the README lists."""
    return set(
        re.findall(r"^\| `(.+?)` \|", README.partition(f"## {title}\n")[2].partition("\n## ")[0], re.M)
    )


FOUND = {
    "test_a_result_that_cannot_be_saved_is_lost": "messages_outlive_unfinished_jobs",
    "test_a_task_is_executed_again_although_its_result_is_stored": "operations_answer_by_the_table",
    "test_a_late_success_replaces_a_final_failure": "terminal_jobs_never_change",
}
"""The histories in ``found.py``, and the claim that each of them breaks."""

LOST, AGAIN, LATE = FOUND

SHORTER_LOCKS = """
from datetime import timedelta
from binding import OwnOutcome

class Binding(OwnOutcome):
    def open(self, queue, publisher):
        super().open(queue, publisher)
        given = self.broker.timeout
        self.broker.timeout = lambda broker, task: given(broker, task) - timedelta(seconds=30)
"""


STYLES: dict[str, set[str]] = {"Binding": {LOST, AGAIN, LATE}, "Careful": {LOST}, "OwnOutcome": set()}
"""The bindings, and which of the histories still break their claim under each."""


def copied(to: Path) -> Path:
    """A copy of the example, so that runs leave their traces there."""
    copy = to / "django_q2"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return write(copy, conftest=SHORT_CONFTEST)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """What ``found.py`` prints under each binding."""
    cwd = copied(tmp_path_factory.mktemp("plays"))
    options = ("-p", "statemachine.plugin", "found.py", "--binding")
    told = at_once([partial(run, *options, f"binding:{style}", cwd=cwd) for style in STYLES])
    return dict(zip(STYLES, told, strict=True))


def found(ran: Ran) -> dict[str, str]:
    """The tests that failed, and the claim that each of them named first."""
    sections = re.split(r"^_+ (test_\w+) _+$", ran.output, flags=re.M)
    told = zip(sections[1::2], sections[2::2], strict=True)
    return {name: re.findall(r"^E +AssertionError: (\w+):", text, re.M)[0] for name, text in told}


def test_what_was_tried_is_what_is_pinned() -> None:
    pinned = f"django-q2=={metadata.version('django-q2')}"
    assert pinned in (EXAMPLE / "requirements.txt").read_text(encoding="utf-8").split()
    assert f"{pinned}\n" in README


@pytest.mark.parametrize("style", STYLES)
def test_each_style_of_use_mends_what_the_readme_says(style: str, plays: dict[str, Ran]) -> None:
    ran, still = plays[style], STYLES[style]
    assert found(ran) == {name: FOUND[name] for name in still}, ran
    assert "error" not in ran.lines[-1], ran
    passed = re.search(r"(\d+) passed", ran.lines[-1])
    assert int(passed[1] if passed else 0) == len(FOUND) - len(still), ran
    row = next(line for line in README.splitlines() if line.startswith(f"| `{style}`"))
    assert row.count("| found ") == len(still)


def test_the_readme_shows_the_tables_that_are_printed(plays: dict[str, Ran]) -> None:
    ran = plays["Binding"]
    printed = [line[1:].strip() for line in ran.lines if re.match(r"E +(✗ +)?(\d+-)?\d+ ", line)]
    shown = printed[5:]  # the lost result is shown as a search reports it
    assert len(shown) == 7 + 8, ran
    assert [line for line in shown if line not in README] == []


def test_a_search_finds_the_lost_result_and_replays_it(example: Path) -> None:
    options = ("--binding", "binding:Careful", "--hypothesis-seed=1")
    ran = run(*STRANGER, *options, cwd=example)
    assert ran.code == 1, ran
    assert ran.report[:2] == [
        f"FAIL  {FOUND[LOST]}",
        "      worker A deleted the message of j1 while j1 is RUNNING.",
    ]
    again = run(*ran.reproduce, cwd=example, script=True)
    assert again.summary[-1].startswith("REPRODUCED"), again


def test_an_application_that_keeps_its_outcomes_is_clean_and_what_is_not_judged_is_named(
    example: Path,
) -> None:
    options = ("--binding", "binding:OwnOutcome", "--hypothesis-seed=1")
    ran = run(*STRANGER, *SHORT, *options, cwd=example)
    assert ran.code == 0, ran
    assert ran.summary[-1].startswith("PASS (reach not judged)")
    for word, title in (("waived", "Waived"), ("unreachable", "Unreachable")):
        told = set(re.findall(rf"^  {word}: (.+?) \(", ran.output, re.M))
        assert told == listed(title) != set(), ran


def test_a_broker_that_gives_shorter_locks_is_caught(example: Path) -> None:
    write(example, shorter=SHORTER_LOCKS)
    ran = run(*STRANGER, *SHORT, "--binding", "shorter:Binding", "--hypothesis-seed=1", cwd=example)
    assert ran.code == 1, ran
    assert "FAIL  a_lease_lasts_its_declared_length" in ran.lines, ran
