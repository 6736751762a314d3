"""Somebody who has installed the project, in a directory of their own, with a binding of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.commandline import CHECKOUT, SHORT, STRANGER, run, write

THEIRS = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    tenants = ("acme", "globex")

class Lenient(Binding):
    waived = {"every_job_ends": "an operator ends jobs by hand, see the runbook"}

    def create(self, job, tenant):
        if tenant not in self.tenants:
            raise ValueError(f"there is no tenant {tenant}")
        super().create(job, tenant)
"""

THEIR_DEFECT = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    defects = {"forgets_tenants": "Caught by `operations_answer_by_the_table`."}

    def plant(self, defect):
        self.planted = defect

    def complete(self, job, tenant, attempt, result):
        return super().complete(job, "t1" if hasattr(self, "planted") else tenant, attempt, result)
"""


@pytest.mark.parametrize("script", [True, False], ids=["pytest", "python -m pytest"])
def test_a_binding_in_the_current_directory_is_found(script: bool, tmp_path: Path) -> None:
    write(tmp_path, theirs=THEIRS)
    ran = run(*STRANGER, "--binding", "theirs:Binding", "--collect-only", cwd=tmp_path, script=script)
    assert ran.code == 0, ran
    assert "statemachine: theirs:Binding\n" in ran.output
    assert "1 test collected" in ran.output


def test_a_binding_of_their_own_is_played_and_what_it_waives_is_listed(short: Path) -> None:
    write(short, theirs=THEIRS)
    ran = run(*STRANGER, *SHORT, "--binding", "theirs:Lenient", "--hypothesis-seed=1", cwd=short, script=True)
    assert ran.code == 0, ran
    assert ran.verdict.startswith("PASS (reach not judged)")
    waived = [line for line in ran.summary if "an operator ends jobs by hand, see the runbook" in line]
    assert len(waived) == 1
    assert "waived" in waived[0]
    assert "every_job_ends" in waived[0]
    assert not re.search(r"every_job_ends \d", "\n".join(ran.summary)), "waived, and yet judged"


def test_their_own_defects_are_planted_and_the_command_names_both(tmp_path: Path) -> None:
    write(tmp_path, theirs=THEIR_DEFECT)
    options = ("--binding", "theirs:Binding", "--defect", "forgets_tenants")
    ran = run(*STRANGER, *options, "--hypothesis-seed=1", cwd=tmp_path)
    assert ran.code == 1, ran
    assert set(options) <= set(ran.reproduce)
    again = run(*ran.reproduce, cwd=tmp_path, script=True)
    assert again.verdict.startswith("REPRODUCED"), again


@pytest.mark.parametrize("ambient", ["", "gone.settings", "raises"])
def test_help_names_the_options_whatever_the_settings(ambient: str, tmp_path: Path) -> None:
    write(tmp_path, raises="1 / 0")
    ran = run(*CHECKOUT, "--help", cwd=tmp_path, env={"DJANGO_SETTINGS_MODULE": ambient})
    assert ran.code == 0, ran
    text = " ".join(ran.output.split())
    for option in ("--binding=MODULE:FACTORY", "--defect=NAME", "--replay=PATH"):
        explained = re.search(rf"{option} (\w[^-]{{20,}})", text)
        assert explained, option


def test_pytest_on_the_whole_checkout_collects(checkout: Path) -> None:
    ran = run(".", "--collect-only", "-q", cwd=checkout)
    assert ran.code == 0, ran


def test_pytest_on_the_package_collects_in_a_checkout(checkout: Path) -> None:
    ran = run("statemachine", "--collect-only", "-q", cwd=checkout, script=True)
    assert ran.code == 0, ran
    assert ran.lines[0] == "statemachine/plugin/test_embedded.py::test_leased_jobs_survive"
