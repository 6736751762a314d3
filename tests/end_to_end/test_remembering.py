"""A failure that needs what its process remembers is told, kept and played again with its earlier example."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.commandline import SHORT, SHORT_CONFTEST, STRANGER, run, write

SYSTEM = """
from models_under_test.binding import AIJobsBinding

class Binding(AIJobsBinding):
    ended = set()

    def complete(self, job, tenant, attempt, result):
        if job.startswith("e"):  # of an example, not a bystander
            self.ended.add(job.partition("-")[0])
        return super().complete(job, tenant, attempt, result)

    def fail(self, job, tenant, attempt, error):
        return bool(self.ended - {job.partition("-")[0]}) or super().fail(job, tenant, attempt, error)
"""


def test_both_examples_are_kept_and_replayed(tmp_path: Path) -> None:
    write(tmp_path, remembering=SYSTEM, conftest=SHORT_CONFTEST)
    ours = (*STRANGER, "--binding", "remembering:Binding", "-x")
    ran = run(*ours, *SHORT, "--hypothesis-seed=5", cwd=tmp_path)
    assert ran.code == 1, ran
    assert "It needs what the process remembers" in ran.output
    (folder,) = set(re.findall(r"--replay=(\.statemachine/\w+)", ran.output))
    assert "it would pass without the example before it" in ran.output
    again = run(*ours, f"--replay={folder}", cwd=tmp_path)
    assert again.verdict.startswith("REPRODUCED"), again
    (tmp_path / folder / "earlier.ndjson").unlink()
    alone = run(*ours, f"--replay={folder}", cwd=tmp_path)
    assert alone.verdict.startswith("FIXED"), alone
