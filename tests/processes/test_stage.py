"""What a stage refuses before a worker is started: one sentence, exit code 4, and nothing left behind."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from statemachine.__main__ import main
from tests.end_to_end.commandline import CHECKOUT, Ran, command, run, write

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


def sentence(ran: Ran) -> str:
    """What a refused command said: one line, and no traceback."""
    assert ran.code == 4, ran
    assert len(ran.lines) == 1, ran
    return ran.lines[0]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "tmp").mkdir()
    return write(tmp_path, theirs=NO_FLEETS, others=OTHER_DATABASE, their_settings=THEIR_SETTINGS)


@pytest.mark.parametrize("lane", ["processes", "gate"])
def test_a_binding_without_fleets_is_refused(lane: str, place: Path) -> None:
    told = sentence(command(lane, "--binding", "theirs:Binding", cwd=place))
    assert "--binding theirs:Binding: it lacks environment, fleets, so there are no worker processes" in told
    assert "statemachine/processes/fleet.py" in told


@pytest.mark.parametrize("lane", ["processes", "gate"])
def test_a_database_that_is_not_the_runs_own_is_refused_by_name(lane: str, place: Path) -> None:
    ran = command(lane, "--binding", "others:Binding", cwd=place, env={"TMPDIR": str(place / "tmp")})
    told = sentence(ran)
    assert (
        "database 'default' of their_settings is /srv/production.sqlite3 and not SQLite file in WAL" in told
    )
    assert list((place / "tmp").iterdir()) == []


@pytest.mark.parametrize("lane", ["processes", "gate"])
def test_foreign_settings_in_the_environment_are_refused(lane: str, place: Path) -> None:
    told = sentence(command(lane, cwd=place, env={"DJANGO_SETTINGS_MODULE": "their_settings"}))
    assert "DJANGO_SETTINGS_MODULE names their_settings" in told


@pytest.mark.parametrize("lane", ["processes", "gate"])
def test_a_server_of_another_kind_is_refused(lane: str, place: Path) -> None:
    for env, options in (
        ({}, ("--database-server", "mysql://root@db/x")),
        ({"STATEMACHINE_DATABASE_URL": "mysql://root@db/x"}, ()),
    ):
        told = sentence(command(lane, *options, cwd=place, env=env))
        assert "names a mysql server: write postgresql://USER@HOST:PORT/postgres" in told


def test_where_there_are_no_posix_signals_one_sentence_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delattr(signal, "SIGSTOP")
    for lane in ("processes", "gate"):
        assert main([lane]) == 4
        told = capsys.readouterr().err
        assert told.startswith(f"python -m statemachine {lane}: real workers are frozen and killed by POSIX")
        assert "on Windows in WSL or a container" in told
        assert told.count("\n") == 1


def test_the_same_sentence_ends_pytest(tmp_path: Path) -> None:
    write(tmp_path, sitecustomize=NO_STOP)
    ran = run(*CHECKOUT, "--lane", "processes", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    assert ran.code == 4, ran
    assert "real workers are frozen and killed by POSIX signals" in ran.output


BAD = {
    "no such pipeline": (
        ("--pipelines", "ai", "audio"),
        "--pipelines audio: there is no such pipeline; there are",
    ),
    "no such defect": (("--defect", "gremlins"), "--defect gremlins"),
    "no such plan": (("--plan", "gone.json"), "gone.json: No such file or directory; name the plan.json"),
    "no lease": (("--margin", "3"), "--margin 3: the lease is the visibility timeout of 3 s less the margin"),
    "work beyond the cap": (("--work", "2"), "--work 2: a job may cost twice that, and inference is cut"),
    "work below 0": (("--work", "-1"), "-1 is no number of seconds"),
    "a gap that is no number": (("--gap", "nan"), "nan is no number of seconds"),
    "no jobs": (("--jobs", "0"), "0 is no whole number above 0"),
    "a directory with something in it": (("--keep", "tmp/.."), "something is there already; name a new"),
}


@pytest.mark.parametrize(("options", "words"), BAD.values(), ids=BAD)
def test_a_wrong_option_gets_one_sentence(options: tuple[str, ...], words: str, place: Path) -> None:
    ran = command("processes", *options, cwd=place)
    assert ran.code == 4, ran
    assert words in ran.lines[-1], ran
    assert "Traceback" not in ran.output
