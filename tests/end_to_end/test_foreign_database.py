"""A database that the run did not make is never written to, however it got into the run's way."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tests.end_to_end.conftest import Found
from tests.support.commandline import CHECKOUT, STRANGER, run, write

OVERRIDE = """
import pytest
from django.db import connections

@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker):
    # The recipe of pytest-django for an existing database.
    connections["default"].settings_dict["NAME"] = "precious.sqlite3"
"""


def test_an_overridden_django_db_setup_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    precious = tmp_path / "precious.sqlite3"
    with sqlite3.connect(precious) as database:
        database.execute("CREATE TABLE ai_job (job_id TEXT)")
        database.execute("INSERT INTO ai_job VALUES ('kept')")
    before = precious.read_bytes()
    ran = run(*STRANGER, "--hypothesis-seed=1", cwd=write(tmp_path, conftest=OVERRIDE))
    assert ran.code == 4, ran
    assert "precious.sqlite3" in ran.output
    assert "django_db_setup" in ran.output
    assert precious.read_bytes() == before


THEIRS = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    pass
"""


def test_a_history_of_another_binding_is_refused_by_name(runs: dict[str, Found], tmp_path: Path) -> None:
    history = runs["lease_edge_excluded"].history
    cwd = write(tmp_path, theirs=THEIRS)
    ran = run(*CHECKOUT, "--binding", "theirs:Binding", "--replay", str(history), cwd=cwd)
    assert ran.code == 4, ran
    assert "theirs:Binding" in ran.output
    assert "models_under_test.binding:AIJobsBinding" in ran.output
