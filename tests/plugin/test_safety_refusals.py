"""A run writes to nothing but its own database, and refuses whatever could lead it elsewhere.

Each refusal is shown from outside: exit code 4, the names that disagree, and no search begun.
"""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import pytest

from tests.support.commandline import CHECKOUT, STRANGER, Ran, at_once, run, write

OURS = "models_under_test.settings"
SETTINGS = "from models_under_test.settings import *\n"

BINDINGS = """
from models_under_test.binding import AIJobsBinding

class OnPostgres(AIJobsBinding):
    settings_module = "postgres_settings"

class OnTwo(AIJobsBinding):
    settings_module = "two_settings"

class OnFiles(AIJobsBinding):
    settings_module = "file_settings"

class OnMirror(AIJobsBinding):
    settings_module = "mirror_settings"

class InReady(AIJobsBinding):
    settings_module = "ready_settings"

class Elsewhere(AIJobsBinding):
    settings_module = "their_settings"
"""

POSTGRES = """
DATABASES = {{"default": {{
    "ENGINE": "django.db.backends.postgresql", "NAME": "production",
    "HOST": "127.0.0.1", "PORT": {port}, "USER": "u", "PASSWORD": "p",
}}}}
"""

TWO = """
DATABASES["replica"] = {"ENGINE": "django.db.backends.mysql", "NAME": "production"}
"""

MIRROR = """
DATABASES["replica"] = {**DATABASES["default"], "TEST": {"MIRROR": "gone"}}
"""

IN_READY = """
from django.apps import AppConfig

class Config(AppConfig):
    name = "hasty"

    def ready(self):
        from django.db import connection
        connection.cursor().execute("INSERT INTO shop VALUES (1)")
"""

FILES = """
DATABASES = {{"default": {{
    "ENGINE": "django.db.backends.sqlite3", "NAME": {name!r}, "TEST": {{"NAME": {test!r}}},
}}}}
"""


def knocked(server: socket.socket) -> bool:
    """Whether anybody has tried to connect."""
    server.settimeout(0)
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Ran], Path]:
    """Every run that must be refused, and the directory in which all were made."""
    cwd = tmp_path_factory.mktemp("refusals")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        write(
            cwd,
            theirs=BINDINGS,
            their_settings=SETTINGS,
            ambient_settings="import pathlib; pathlib.Path('imported').touch()\n" + SETTINGS,
            postgres_settings=SETTINGS + POSTGRES.format(port=port),
            two_settings=SETTINGS + TWO,
            mirror_settings=SETTINGS + MIRROR,
            ready_settings=SETTINGS + "INSTALLED_APPS = [*INSTALLED_APPS, 'hasty.Config']\n",
            hasty=IN_READY,
        )
        ambient = "DJANGO_SETTINGS_MODULE"
        calls = {
            "ambient": partial(run, *CHECKOUT, cwd=cwd, env={ambient: "ambient_settings"}),
            "ambient, and ours": partial(run, *CHECKOUT, "--co", cwd=cwd, env={ambient: OURS}),
            "ambient, not there": partial(run, *CHECKOUT, cwd=cwd, env={ambient: "gone.settings"}),
            "--ds": partial(run, *CHECKOUT, "--ds", "their_settings", cwd=cwd),
            "--ds, not there": partial(run, *CHECKOUT, "--ds", "gone.settings", cwd=cwd),
            "ours for theirs": partial(
                run, *STRANGER, "--binding", "theirs:Elsewhere", cwd=cwd, env={ambient: OURS}
            ),
            "--reuse-db": partial(run, *CHECKOUT, "--reuse-db", cwd=cwd),
            "postgres": partial(run, *CHECKOUT, "--binding", "theirs:OnPostgres", cwd=cwd),
            "second alias": partial(run, *CHECKOUT, "--binding", "theirs:OnTwo", cwd=cwd),
            "mirror of nothing": partial(run, *CHECKOUT, "--binding", "theirs:OnMirror", cwd=cwd),
            "in ready": partial(run, *CHECKOUT, "--binding", "theirs:InReady", cwd=cwd),
        }
        ran = dict(zip(calls, at_once(calls.values()), strict=True))
        assert not knocked(server)
    return ran, cwd


@pytest.fixture
def answers(asked: tuple[dict[str, Ran], Path]) -> dict[str, Ran]:
    return asked[0]


MENTIONED = {
    "ambient": ("DJANGO_SETTINGS_MODULE", "ambient_settings", OURS),
    "ambient, not there": ("DJANGO_SETTINGS_MODULE", "gone.settings", OURS),
    "--ds": ("their_settings", OURS),
    "--ds, not there": ("gone.settings", OURS),
    "ours for theirs": ("DJANGO_SETTINGS_MODULE", OURS, "their_settings", "theirs:Elsewhere"),
    "--reuse-db": ("--reuse-db",),
    "postgres": ("default", "production", "django.db.backends.postgresql"),
    "second alias": ("replica", "production", "django.db.backends.mysql"),
    "mirror of nothing": ("replica", "'MIRROR': 'gone'", "leads to no database"),
    "in ready": ("hasty.py:9 used the database while Django was set up", "no such table: shop"),
}


@pytest.mark.parametrize(
    "name",
    MENTIONED,
)
def test_it_is_refused_and_the_names_are_given(name: str, answers: dict[str, Ran]) -> None:
    ran = answers[name]
    assert ran.code == 4, ran
    assert "Traceback" not in ran.output
    assert "collected" not in ran.output
    for mentioned in MENTIONED[name]:
        assert mentioned in ran.output, ran


def test_what_ds_names_is_blamed_on_ds(answers: dict[str, Ran]) -> None:
    assert "--ds" in answers["--ds"].output


def test_refused_settings_are_not_even_imported(asked: tuple[dict[str, Ran], Path]) -> None:
    answers, cwd = asked
    assert answers["ambient"].code == 4
    assert not (cwd / "imported").exists()


def test_the_bindings_own_settings_may_be_ambient(answers: dict[str, Ran]) -> None:
    assert answers["ambient, and ours"].code == 0, answers["ambient, and ours"]


def test_files_and_servers_that_are_named_are_not_touched(tmp_path: Path) -> None:
    databases, project = tmp_path / "databases", tmp_path / "project"
    databases.mkdir()
    project.mkdir()
    production, test = databases / "production.sqlite3", databases / "test.sqlite3"
    production.write_bytes(b"not even a database: a connection would fail")
    test.write_bytes(b"Django's test runner would delete this without asking")
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (production, test)}
    files = FILES.format(name=str(production), test=str(test))
    write(project, theirs=BINDINGS, file_settings=SETTINGS + files)
    options = ("--defect", "lease_as_long_as_visibility", "--hypothesis-seed=1", "--create-db")
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgres://u:p@127.0.0.1:{server.getsockname()[1]}/production"
        ran = run(*STRANGER, "--binding", "theirs:OnFiles", *options, cwd=project, env={"DATABASE_URL": url})
        assert not knocked(server)
    assert ran.report[0] == "FAIL  a_lease_lasts_its_declared_length"
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in databases.iterdir()} == before
    assert not list(project.glob("*sqlite*"))
