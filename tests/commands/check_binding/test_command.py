"""``check-binding`` before a scene is played: paths that lead nowhere, bindings with missing pieces."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from statemachine.__main__ import main
from statemachine.report.console import BROKEN, MISUSED
from tests.support.commandline import Ran, at_once, command, write

BEGUN = """
from statemachine.binding import Binding as Port
from statemachine.lifecycle import Lifecycle

class Empty:
    pass

class Subclass(Port):
    settings_module = "shop.settings"

class Unfit:
    settings_module = "shop.settings"
    lifecycle = Lifecycle(offers=())
    tenants = ("t1",)
    waived = {"every_job_starts": "so"}
    defects = {}
    open = create = publish = mark_running = complete = fail = observe = reset = lambda self, *given: None
    def deliver(self, worker): ...

class WordForLifecycle(Unfit):
    lifecycle = "3540"

def impossible():
    return Lifecycle(lease_seconds=4000)

def raises():
    return 1 / 0
"""
IMPOSSIBLE = """
from statemachine.lifecycle import Lifecycle

class Binding:
    lifecycle = Lifecycle(pending="RUNNING")
"""
EAGER = "from django.contrib.auth.models import User"


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with modules whose names no other test imports."""
    monkeypatch.chdir(write(tmp_path, begun_binding=BEGUN, impossible_binding=IMPOSSIBLE))
    return tmp_path


MISUSES = {
    "no factory named": ("begun_binding", "write it as package.module:Factory"),
    "no such module": ("gone_binding:B", "gone_binding cannot be imported"),
    "no such factory": ("begun_binding:Gone", "begun_binding has no Gone; name the binding in it"),
}


@pytest.mark.parametrize(("path", "words"), MISUSES.values(), ids=MISUSES)
def test_a_path_that_leads_nowhere_is_misuse(
    path: str, words: str, theirs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-binding", path]) == MISUSED
    printed = capsys.readouterr()
    assert words in printed.err
    assert len(printed.err.splitlines()) == 1
    assert printed.out == ""


THINGS_TO_MEND = {
    "nothing yet": (
        "begun_binding:Empty",
        14,
        ["todo settings_module A Django settings module", "todo reset"],
    ),
    "the port subclassed": ("begun_binding:Subclass", 13, ["todo lifecycle What the system promises"]),
    "pieces that do not fit": (
        "begun_binding:Unfit",
        3,
        [
            "MEND its deliver(worker) cannot be called as deliver(worker, queue)",
            "write def deliver(self, worker, queue)",
            "it waives every_job_starts, which is no invariant",
            "its tenants are ('t1',); name two different ones",
        ],
    ),
    "a lifecycle that is a word": (
        "begun_binding:WordForLifecycle",
        1,
        ["its lifecycle is a str; make it a statemachine.lifecycle.Lifecycle"],
    ),
    "an impossible lifecycle": (
        "impossible_binding:Binding",
        1,
        ["its lifecycle contradicts itself: the statuses RUNNING, RETRYING, RUNNING", "are not distinct"],
    ),
    "an impossible lifecycle, later": (
        "begun_binding:impossible",
        1,
        ["impossible() raised LifecycleError: lease_seconds is 4000", "make the lease at most"],
    ),
    "a factory that raises": ("begun_binding:raises", 1, ["raises() raised ZeroDivisionError"]),
}


@pytest.mark.parametrize(("path", "count", "words"), THINGS_TO_MEND.values(), ids=THINGS_TO_MEND)
def test_things_to_write_or_to_mend_are_counted(
    path: str, count: int, words: list[str], theirs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check-binding", path]) == BROKEN
    printed = capsys.readouterr()
    text = " ".join(printed.out.split())
    for expected in words:
        assert expected in text, printed.out
    counted = re.search(r"(\d+) things? to mend or to write", text)
    assert counted
    assert int(counted[1]) == count, printed.out
    assert text.endswith(f"Then run this again: python -m statemachine check-binding {path}")
    assert printed.err == ""


SETTINGS = """
from models_under_test.binding import AIJobsBinding

class Gone(AIJobsBinding):
    settings_module = "gone.settings"

class Bare(AIJobsBinding):
    settings_module = "bare"

class Server(AIJobsBinding):
    settings_module = "server"

class NoApp(AIJobsBinding):
    settings_module = "noapp"

class Unmigrated(AIJobsBinding):
    settings_module = "unmigrated"
    def create(self, job, tenant):
        from django.contrib.sites.models import Site
        Site.objects.create(domain=job, name=tenant)
    def open(self, queue, publisher): pass
    def observe(self, jobs): return []
    def others(self, jobs): return 0
    def reset(self, jobs): pass
"""
SQLITE = 'DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}\n'


def test_settings_that_cannot_be_used_are_explained_in_a_sentence(tmp_path: Path) -> None:
    write(
        tmp_path,
        theirs=SETTINGS,
        eager=f"{EAGER}\nclass Binding: pass",
        bare="SECRET_KEY = 'x'",
        server='DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "live"}}',
        noapp=f"{SQLITE}INSTALLED_APPS = ['gone_app']",
        unmigrated=f"{SQLITE}INSTALLED_APPS = ['models_under_test']\nUSE_TZ = True",
    )

    def check(path: str) -> Ran:
        return command("check-binding", path, cwd=tmp_path)

    expected = {
        "theirs:Gone": (BROKEN, "its settings module gone.settings cannot be loaded"),
        "theirs:Bare": (BROKEN, "bare names no database in DATABASES; name one of SQLite"),
        "theirs:Server": (MISUSED, "uses django.db.backends.postgresql: the embedded lane runs on a SQLite"),
        "theirs:NoApp": (BROKEN, "django.setup() raised ModuleNotFoundError: No module named 'gone_app'"),
        "theirs:Unmigrated": (BROKEN, "create(j1, t1) raised RuntimeError: Model class"),
        "eager:Binding": (BROKEN, "import Django models in open() only"),
    }
    for path, ran in zip(
        expected, at_once([lambda path=path: check(path) for path in expected]), strict=True
    ):
        code, words = expected[path]
        assert ran.code == code, ran
        assert words in " ".join(ran.output.split()), ran
        assert "Traceback" not in ran.output, ran
