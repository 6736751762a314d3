"""Code that runs while Django is set up reaches private databases only, and so do all names of a database.

Django is set up once in a process, so each project here is one of its own; none starts pytest.
"""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.commandline import REPO, environment, write

SETTINGS = """
from models_under_test.settings import *
SQLITE = "django.db.backends.sqlite3"
DATABASES = {{"default": {{"ENGINE": SQLITE, "NAME": {file!r}, "TEST": {{"NAME": {file!r}}}}}}}
{more}
"""

BINDING = """
{first}
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    settings_module = "their_settings"
"""

AT_ONCE = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "their_settings"
django.setup()
"""

APPS = """
from django.apps import AppConfig

class TheirConfig(AppConfig):
    name = "app"

    def ready(self):
        from django.db import connections
        for alias in connections:
            with connections[alias].cursor() as cursor:
                cursor.execute("CREATE TABLE IF NOT EXISTS seen (x)")
                cursor.execute("INSERT INTO seen VALUES (1)")
                cursor.execute("PRAGMA database_list")
                print(alias, [file for _, _, file in cursor.fetchall()])
"""

MODELS = """
from django.db import models

class Line(models.Model):
    text = models.TextField()

    class Meta:
        app_label = "app"
"""

ROUTERS = """
class Replica:
    def db_for_read(self, model, **hints):
        return "replica"

    def db_for_write(self, model, **hints):
        return "default"

    def allow_relation(self, *two, **hints):
        return True
"""

PLAYED = """
import warnings
warnings.simplefilter("ignore", RuntimeWarning)  # Django's own, of queries in ready()
from statemachine.binding import BindingError
from statemachine.search.triage import script
from statemachine.world.databases.opening import open_lane
from statemachine.world.databases.safety import Refused

try:
    with open_lane("theirs:Binding") as lane:
        from django.db import connections
        played = script.play(lane, [
            script.Step(1, "create", {"job": "j1", "tenant": "t1"}),
            script.Step(2, "publish", {"job": "j1"}),
        ])
        assert played.left_out == {}, played
        same = connections["replica"] is connections["default"]
        print(played.failure, lane.example.committed_in_call, same)
        if "audit" in connections:
            from app.models import Line
            Line.objects.using("audit").create(text="x")
except (BindingError, Refused) as error:
    print(type(error).__name__, error)
"""

REPLICA = 'DATABASES["replica"] = dict(DATABASES["default"])\nDATABASE_ROUTERS = ["routers.Replica"]\n'
AUDIT = f'{REPLICA}DATABASES["audit"] = {{**DATABASES["default"], "NAME": "audit.sqlite3"}}\n'
ATTACHED = 'DATABASES["default"]["OPTIONS"] = {"init_command": "ATTACH \'their.sqlite3\' AS theirs"}\n'
IN_READY = APPS.replace("CREATE TABLE IF NOT EXISTS seen (x)", "SELECT 1")
AT_IMPORT = f"{MODELS}\nLINES = list(Line.objects.all())\n"

PLAYS = "None True True"


@pytest.mark.parametrize(
    ("more", "apps", "models", "expected", "first"),
    [
        pytest.param(REPLICA, APPS, MODELS, ["default ['']", "replica ['']", PLAYS], "", id="replica"),
        pytest.param(
            AUDIT, APPS, MODELS, ["default ['']", "replica ['']", "audit ['']", PLAYS], "", id="another one"
        ),
        pytest.param(
            REPLICA,
            IN_READY,
            MODELS,
            ["OwnFault", "apps.py:12 used the database while Django"],
            "",
            id="in ready",
        ),
        pytest.param(
            REPLICA, APPS, AT_IMPORT, ["OwnFault", "models.py:10 used the database while"], "", id="at import"
        ),
        pytest.param(ATTACHED, APPS, MODELS, ["Refused", "their.sqlite3 open as well"], "", id="attached"),
        pytest.param(
            REPLICA, APPS, MODELS, ["default ['']", "replica ['']", PLAYS], AT_ONCE, id="by the binding"
        ),
    ],
)
def test_only_private_databases_are_reached(
    more: str, apps: str, models: str, expected: list[str], first: str, tmp_path: Path
) -> None:
    file = tmp_path / "their.sqlite3"
    with closing(sqlite3.connect(file)) as theirs:
        theirs.execute("CREATE TABLE precious (x)")
    before = hashlib.sha256(file.read_bytes()).digest()
    settings = SETTINGS.format(file=str(file), more=f"{more}INSTALLED_APPS += ['app']")
    write(tmp_path, theirs=BINDING.format(first=first), their_settings=settings, routers=ROUTERS)
    (tmp_path / "app").mkdir()
    write(tmp_path / "app", __init__="", apps=apps, models=models)
    ran = subprocess.run(
        [sys.executable, "-c", PLAYED],
        cwd=tmp_path,
        env=environment({"PYTHONPATH": f"{REPO}:{tmp_path}"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    said = iter(ran.stdout.splitlines() if "'']" in expected[0] else ran.stdout.split(" ", 1))
    assert all(any(words in line for line in said) for words in expected), ran.stdout
    assert hashlib.sha256(file.read_bytes()).digest() == before
    assert [path.name for path in tmp_path.glob("*sqlite*")] == [file.name]
