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

from tests.end_to_end.commandline import REPO, SHORT, SHORT_CONFTEST, STRANGER, Ran, at_once, run, write

pytestmark = pytest.mark.skipif(
    find_spec("django_q") is None, reason="django-q2 is not installed: pip install -e '.[examples]'"
)

EXAMPLE = REPO / "examples" / "django_q2"
README = (EXAMPLE / "README.md").read_text(encoding="utf-8")
WAIVED = README.partition("## Waived\n")[2].partition("\n## ")[0]

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


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """A copy of the example, so that runs leave their traces there."""
    copy = tmp_path / "django_q2"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    return write(copy, conftest=SHORT_CONFTEST)


def found(ran: Ran) -> dict[str, str]:
    """The tests that failed, and the claim that each of them named first."""
    sections = re.split(r"^_+ (test_\w+) _+$", ran.output, flags=re.M)
    told = zip(sections[1::2], sections[2::2], strict=True)
    return {name: re.findall(r"^E +AssertionError: (\w+):", text, re.M)[0] for name, text in told}


def test_what_was_tried_is_what_is_pinned() -> None:
    pinned = f"django-q2=={metadata.version('django-q2')}"
    assert pinned in (EXAMPLE / "requirements.txt").read_text(encoding="utf-8").split()
    assert f"{pinned}\n" in README


def test_each_style_of_use_mends_what_the_readme_says(example: Path) -> None:
    styles = {
        "Binding": dict(FOUND),
        "Careful": {LOST: FOUND[LOST]},
        "OwnOutcome": {},
    }
    plays = [
        partial(run, "-p", "statemachine.plugin", "--binding", f"binding:{style}", "found.py", cwd=example)
        for style in styles
    ]
    for (style, expected), ran in zip(styles.items(), at_once(plays), strict=True):
        assert found(ran) == expected, ran
        assert f"{len(FOUND) - len(expected)} passed" in ran.output or len(expected) == len(FOUND), ran
        row = next(line for line in README.splitlines() if line.startswith(f"| `{style}`"))
        assert row.count("found") == len(expected), row


def test_the_readme_shows_the_tables_that_are_printed(example: Path) -> None:
    ran = run("-p", "statemachine.plugin", "--binding", "binding:Binding", "found.py", cwd=example)
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


def test_an_application_that_keeps_its_outcomes_is_clean_and_every_waiver_is_told(example: Path) -> None:
    options = ("--binding", "binding:OwnOutcome", "--hypothesis-seed=1")
    ran = run(*STRANGER, *SHORT, *options, cwd=example)
    assert ran.code == 0, ran
    assert ran.summary[-1].startswith("PASS (reach not judged)")
    waived = set(re.findall(r"^  waived: (\w+) \(", ran.output, re.M))
    assert waived == set(re.findall(r"^\| `(\w+)` \|", WAIVED, re.M))


def test_a_broker_that_gives_shorter_locks_is_caught(example: Path) -> None:
    write(example, shorter=SHORTER_LOCKS)
    ran = run(*STRANGER, *SHORT, "--binding", "shorter:Binding", "--hypothesis-seed=1", cwd=example)
    assert ran.code == 1, ran
    assert ran.report[0] == "FAIL  a_lease_lasts_its_declared_length", ran
