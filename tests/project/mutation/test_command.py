"""The command, with mutmut and pytest as they are, on a project of a dozen lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.mutation.__main__ import main
from benchmarks.mutation.suite import TIMEOUT, bench

SYSTEM = """
class LeasedJobRepository:
    step = 1

    def _acquire(self, attempt):
        return attempt + self.step

    def other(self):
        return 2
"""

CONFTEST = """
from hypothesis import settings
settings.register_profile("fuzz", max_examples=1)

def pytest_addoption(parser):
    parser.addoption("--corpus")
"""

TEST = """
from pathlib import Path
from models_under_test.repositories import LeasedJobRepository

def test_an_attempt_is_one_more(pytestconfig):
    assert not Path(pytestconfig.getoption("--corpus")).exists()
    assert Path.cwd() in Path(__file__).parents
    assert LeasedJobRepository()._acquire(1) {operator} 2
"""

NOT_RUN = """
[[not_run]]
module = "repositories.py"
definition = "LeasedJobRepository.other"
reason = "nobody calls it"
"""

EQUIVALENT = """
[[equivalent]]
module = "repositories.py"
definition = "LeasedJobRepository"
before = "step = 1"
after = "step = 2"
reason = "so one might think"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    files = {
        "pyproject.toml": '[tool.pytest.ini_options]\n[tool.mutmut]\nsource_paths = ["models_under_test"]\n'
        'only_mutate = ["models_under_test/repositories.py"]\n',
        "models_under_test/__init__.py": "",
        "models_under_test/repositories.py": SYSTEM,
        "statemachine/conftest.py": CONFTEST,
        "statemachine/test_it.py": TEST.format(operator="=="),
        "benchmarks/mutation/known.toml": NOT_RUN,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_mutant_is_killed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--write", str(project / "mutation.md")], root=project) == 0
    told = capsys.readouterr()
    assert told.out == (
        "PASS  100.0 % of 3 mutants killed (goal 95%): 0 survived; 0 equivalent, 0 excluded and 1 not run "
        "are not counted\n"
    )
    assert (project / "mutation.md").read_text().startswith("# What the search would not notice\n")
    assert (project / "models_under_test/repositories.py").read_text() == SYSTEM

    # Once more, from what it remembers; and an equivalent that is none makes it fail.
    (project / "benchmarks/mutation/known.toml").write_text(NOT_RUN + EQUIVALENT)
    before = (project / ".mutation/outcomes.ndjson").read_text()
    assert main(["--jobs", "1"], root=project) == 1
    assert (project / ".mutation/outcomes.ndjson").read_text() == before
    assert "listed as equivalent, and killed (error)" in capsys.readouterr().out


def test_a_weak_suite_leaves_a_survivor(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "statemachine/test_it.py").write_text(TEST.format(operator=">="))
    assert main(["--jobs", "1"], root=project) == 1
    told = capsys.readouterr().out
    assert (
        "repositories.py LeasedJobRepository: step = 1 → step = 2: it survived, and nothing says why" in told
    )
    assert told.splitlines()[-1].startswith("FAIL  66.6 % of 3 mutants killed")


def test_a_suite_that_fails_without_a_mutant_measures_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "statemachine/test_it.py").write_text(TEST.format(operator="!="))
    assert main(["--jobs", "1"], root=project) == 2
    assert "mutation: the unchanged system does not pass (error)" in capsys.readouterr().err


def test_a_suite_that_never_fails_measures_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "statemachine/test_it.py").write_text("def test_nothing(): pass\n")
    assert main(["--jobs", "1"], root=project) == 2
    assert (
        "LeasedJobRepository._acquire raised at every call, and the suite passed" in capsys.readouterr().err
    )


def test_what_is_run_cannot_be_listed_as_not_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "benchmarks/mutation/known.toml").write_text(NOT_RUN.replace("other", "_acquire"))
    assert main(["--jobs", "1"], root=project) == 2
    assert "of what is listed as not run, something is (error)" in capsys.readouterr().err


@pytest.mark.parametrize(("body", "limit"), [("while True: pass", 2), ("import time; time.sleep(99)", 0.4)])
def test_a_standstill_is_killed(project: Path, body: str, limit: float) -> None:
    with bench(project) as place:
        outcome = place.run({"repositories.py": body}, "short", 1, limit)
    assert outcome.verdict == TIMEOUT


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--seeds", "1"], ["repositories.py"]])
def test_a_wrong_argument_gets_a_sentence(arguments: list[str]) -> None:
    asked = [sys.executable, "-m", "benchmarks.mutation", *arguments]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert arguments[0] in done.stderr
    assert "Traceback" not in done.stderr
