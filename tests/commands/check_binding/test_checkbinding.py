"""``check-binding``: one mistake at a time, and the sentence that a newcomer reads about it.

Every sentence of the command has a binding here that is spoiled in one place and must get it.  A correct
binding gets none.  ``UPDATE_SNAPSHOTS=1 pytest tests/commands/check_binding`` writes the snapshots anew; read
the diff.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from models_under_test import variants
from models_under_test.binding import AIJobsBinding, MessagingBinding, VideoBinding
from statemachine.commands.check_binding.exercise import exercise
from statemachine.report.console import BROKEN, DONE
from statemachine.report.text.paper import WIDTH
from tests.commands.check_binding import broken
from tests.commands.check_binding.mistakes import MISTAKES
from tests.support.snapshots import is_as_it_was

SNAPSHOTS = Path(__file__).parent / "snapshots"
PATH = "theirs.binding:Binding"
VARIANTS = [variant for variant in vars(variants).values() if getattr(variant, "lifecycle", None)]


def check(binding: Any, capsys: pytest.CaptureFixture[str], *missing: str) -> tuple[int, str]:
    """The exit code, and what was printed."""
    capsys.readouterr()
    code = exercise(binding, list(missing), PATH, datetime.now(UTC))
    return code, capsys.readouterr().out


def in_one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_gets_a_sentence_with_its_remedy(
    name: str, transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    mistake = MISTAKES[name]
    code, text = check(mistake.binding(), capsys)
    assert code == BROKEN
    printed, place = in_one_line(text), 0
    for words in mistake.words:
        place = printed.find(words, place)
        assert place >= 0, (words, text)
    assert printed.endswith(
        f"to mend or to write. Then run this again: python -m statemachine check-binding {PATH}"
    )
    assert "Traceback" not in text
    assert max(map(len, text.splitlines())) <= WIDTH


@pytest.mark.parametrize("binding", [AIJobsBinding, VideoBinding, MessagingBinding, *dict.fromkeys(VARIANTS)])
def test_a_correct_binding_has_nothing_to_mend(
    binding: type[Any], transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = check(binding(), capsys)
    assert code == DONE, text
    assert "MEND" not in text
    assert text.splitlines()[-1] == f"pytest -p statemachine.plugin --pyargs statemachine --binding {PATH}"


@pytest.mark.parametrize(("name", "binding"), [("bundled", AIJobsBinding), ("broken", broken.HALF)])
def test_the_output_is_that_of_the_snapshot(
    name: str, binding: type[Any], transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = check(binding(), capsys)
    is_as_it_was(text, SNAPSHOTS / f"{name}.txt")


def test_a_mistake_is_counted_once_however_many_calls_show_it(
    transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    _, text = check(MISTAKES["no holder"].binding(), capsys)
    assert text.count("MEND") == 2
    assert "the same as above" in text
    assert "\n1 thing to mend" in text


def test_a_write_without_a_transaction_is_noted_and_nothing_to_mend(
    transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = check(broken.doing(publish=broken.publish_in_autocommit)(), capsys)
    assert code == DONE, text
    printed = in_one_line(text)
    assert "note publish(j1, t1)" in printed
    assert "publish(j1, t1) wrote without a transaction" in printed
    assert "may end UNKNOWN: put transaction.atomic() around the writes" in printed
    assert "name the situations that such a run never meets in the binding's unreachable" in printed


def test_local_time_of_the_settings_is_named(
    transactional_db: None, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.TIME_ZONE = "Asia/Seoul"
    _, text = check(MISTAKES["local time"].binding(), capsys)
    printed = in_one_line(text)
    assert "A.prepare() left lease_expires_at 2030-10-27 10:29" in printed
    assert "32400 s off: local time is taken for UTC; set USE_TZ = True" in printed


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (("publish",), ["todo publish Send the job's message", "todo publish needs publish"]),
        (("deliver",), ["todo receive needs deliver", "ok publish(j1, t1)", "ok mark_running(j1, t1)"]),
        (("complete", "release"), ["todo complete needs complete, release", "ok A.acknowledge()"]),
        (("reset",), ["the other scenes need an empty database: write reset(jobs)"]),
    ],
)
def test_missing_pieces_are_named_and_the_rest_is_played(
    missing: tuple[str, ...], words: list[str], transactional_db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = check(AIJobsBinding(), capsys, *missing)
    assert code == BROKEN
    for expected in words:
        assert expected in in_one_line(text), text
    assert "MEND" not in text
