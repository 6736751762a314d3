"""What a stage refuses before a worker is started: one sentence, exit code 4, and nothing left behind."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from statemachine.__main__ import main
from tests.support.commandline import CHECKOUT, command, run, write

NO_FLEETS = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    environment = fleets = property(lambda self: self.missing)
"""

OTHER_DATABASE = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    settings_module = "their_settings"
"""

THEIR_SETTINGS = """
from models_under_test.settings import *
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "/srv/production.sqlite3"}}
"""

NO_STOP = "import signal\nfor name in ('SIGSTOP', 'SIGCONT', 'SIGKILL'):\n    delattr(signal, name)\n"
"""As ``sitecustomize``: a Python that knows as many signals as on Windows."""


@dataclass
class Printed:
    """The refusals of commands that are run here, where Django is configured for something else: none of
    them may get so far as to configure it.
    """

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> str:
        """What a refused command said: one sentence, and exit code 4."""
        try:
            code = main(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
        printed = self.capsys.readouterr()
        assert (code, printed.out, printed.err.count("\n")) == (4, "", 1), printed
        return printed.err


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    return Printed(capsys)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return write(tmp_path, theirs=NO_FLEETS, others=OTHER_DATABASE, their_settings=THEIR_SETTINGS)


@pytest.mark.parametrize("lane", ["processes", "gate"])
def test_a_binding_without_fleets_is_refused(lane: str, place: Path, printed: Printed) -> None:
    words = printed(lane, "--binding", "theirs:Binding")
    assert "--binding theirs:Binding: it lacks environment, fleets, so there are no worker processes" in words
    assert "statemachine/binding/fleet.py" in words


@pytest.mark.parametrize("lane", ["processes", "gate"])
def test_a_database_that_is_not_the_runs_own_is_refused_by_name(lane: str, place: Path) -> None:
    ran = command(lane, "--binding", "others:Binding", cwd=place, env={"TMPDIR": str(place / "tmp")})
    assert (ran.code, len(ran.lines)) == (4, 1), ran
    words = "database 'default' of their_settings is /srv/production.sqlite3 and not SQLite file in WAL"
    assert words in ran.lines[0]
    assert list((place / "tmp").iterdir()) == []


@pytest.mark.parametrize("lane", ["processes", "gate"])
def test_foreign_settings_in_the_environment_are_refused(
    lane: str, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "their_settings")
    assert "DJANGO_SETTINGS_MODULE names their_settings" in printed(lane)


@pytest.mark.parametrize("lane", ["processes", "gate"])
def test_a_server_of_another_kind_is_refused(
    lane: str, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "names a mysql server: write postgresql://USER@HOST:PORT/postgres"
    assert words in printed(lane, "--database-server", "mysql://root@db/x")
    monkeypatch.setenv("STATEMACHINE_DATABASE_URL", "mysql://root@db/x")
    assert words in printed(lane)


@pytest.mark.parametrize("lane", ["processes", "gate"])
def test_where_there_are_no_posix_signals_one_sentence_says_so(
    lane: str, printed: Printed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(signal, "SIGSTOP")
    words = printed(lane)
    assert words.startswith(f"python -m statemachine {lane}: real workers are frozen and killed by POSIX")
    assert "on Windows in WSL or a container" in words


def test_the_same_sentence_ends_pytest(tmp_path: Path) -> None:
    write(tmp_path, sitecustomize=NO_STOP)
    ran = run(*CHECKOUT, "--lane", "processes", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert ran.code == 4, ran
    assert "real workers are frozen and killed by POSIX signals" in ran.output


BAD = {
    "no such defect": (("--defect", "gremlins"), "--defect gremlins"),
    "no such plan": (("--plan", "gone.json"), "gone.json: No such file or directory; name the plan.json"),
    "no lease": (("--margin", "3"), "--margin 3: the lease is the visibility timeout of 3 s less the margin"),
    "work beyond the cap": (("--work", "2"), "--work 2: a job may cost twice that, and inference is cut"),
    "work below 0": (("--work", "-1"), "-1 is not a number of seconds"),
    "a gap that is no number": (("--gap", "nan"), "nan is not a number of seconds"),
    "no jobs": (("--jobs", "0"), "0 is no whole number above 0"),
    "a directory with something in it": (
        ("--keep", "tmp/.."),
        "it exists and is not an empty directory; name a new",
    ),
}


@pytest.mark.parametrize(("options", "words"), BAD.values(), ids=BAD)
def test_a_wrong_option_gets_one_sentence(
    options: tuple[str, ...], words: str, place: Path, printed: Printed
) -> None:
    assert words in printed("processes", *options)


def test_a_pipeline_that_is_not_there_is_named_with_those_that_are(place: Path) -> None:
    ran = command("processes", "--pipelines", "ai", "audio", cwd=place)
    assert (ran.code, len(ran.lines)) == (4, 1), ran
    words = "--pipelines audio: there is no such pipeline; there are ai, video, messaging"
    assert ran.lines[0].endswith(words)
