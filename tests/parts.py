"""The parts of the test suite: what a bare ``pytest`` plays, and what it leaves to ``pytest --everything``.

A test that is not named here is quick: it plays in this process, or starts a small program of a few lines.
All others are in one part each, which is a mark as well: ``pytest -m servers``.  ``.ci/run`` and CI play
the parts one by one, or beside one another.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

QUICK = "quick"

PARTS: Mapping[str, str] = {
    "programs": "starts pytest or a command of this project, as a person types them",
    "workers": "starts real worker processes and kills some of them",
    "servers": "needs a server of its own: PostgreSQL or Redis",
    "browser": "looks at pages in a real browser",
    "searches": "searches for a planted defect, or for a false alarm, for thousands of examples",
}
"""The marks, and what a test does that bears one."""

BY_FIXTURE: Mapping[str, str] = {
    "postgresql_server": "servers",
    "redis": "servers",
    "browser": "browser",
}
"""The part of every test that has this fixture, and that no row of ``BY_PLACE`` names."""

BY_PLACE: Mapping[str, str] = {
    "statemachine/plugin/test_embedded.py": "searches",
    "statemachine/plugin/test_transactions.py": "searches",
    "tests/commands/certificate/test_without_server.py": "programs",
    "tests/commands/check_binding/test_command.py": "programs",
    "tests/commands/gate/test_walks.py": "workers",
    "tests/defects/sound": "searches",
    "tests/defects/test_other_pipelines.py": "searches",
    "tests/defects/test_planted.py::test_the_search_finds_and_minimises_the_defect": "searches",
    "tests/end_to_end": "programs",
    "tests/end_to_end/test_shared_corpus.py": "servers",
    "tests/logs/test_converted.py": "searches",
    "tests/plugin": "programs",
    "tests/processes": "workers",
    "tests/processes/test_databases.py": QUICK,
    "tests/processes/test_plan.py": QUICK,
    "tests/project/mutation/test_command.py": "programs",
    "tests/project/test_fuzz_workflow.py": "programs",
    "tests/project/test_parts.py::test_a_bare_run_says_what_it_leaves_out": "programs",
    "tests/project/test_parts.py::test_each_test_is_in_exactly_one_part": "programs",
    "tests/project/test_parts.py::test_a_run_that_asks_something_of_the_lanes_has_them": "programs",
    "tests/project/test_wheel.py": "programs",
    "tests/project/test_workflows.py": "programs",
    "tests/search/fuzzing": "programs",
    "tests/system/worker": "workers",
    "tests/system/worker/test_configuration.py": QUICK,
    "tests/system/worker/test_parts.py": QUICK,
    "tests/world/databases/test_private_server.py": "servers",
}
"""The part of a folder, a file or a test function.  Of several rows that name a test the longest counts."""

OF_A_SEARCH = (
    "--allow",
    "--binding",
    "--clock-skew",
    "--corpus",
    "--database-server",
    "--defect",
    "--exhaust",
    "--fuzz-for",
    "--hang-after",
    "--keep-failures",
    "--kills",
    "--lane",
    "--minimise-for",
    "--replay",
    "--report",
)
"""Options that ask something of the lanes: with one of them a bare run leaves nothing out."""

LONGEST_FIRST = (
    "statemachine/plugin/test_embedded.py",
    "statemachine/plugin/test_transactions.py",
    "tests/commands/gate/test_walks.py",
    "tests/processes/test_campaign.py",
    "tests/search/fuzzing/test_campaign.py",
    "tests/end_to_end/test_planted_defects.py",
    "tests/project/test_wheel.py",
    "tests/project/mutation/test_command.py",
    "tests/end_to_end/test_shared_corpus.py",
    "tests/end_to_end/test_fuzz.py",
    "tests/end_to_end/test_commands.py",
    "tests/defects/test_planted.py",
    "tests/defects/sound/test_variants.py",
)
"""Files of a minute and more, the longest first: one that came last would keep one processor busy alone."""


def part_of(test: str, fixtures: Collection[str]) -> str:
    """Return the part of a test by its id (``tests/folder/test_file.py::test_name[case]``) and fixtures."""
    place, _, _ = test.partition("[")
    rows = [row for row in BY_PLACE if place == row or place.startswith((f"{row}/", f"{row}::"))]
    by_fixture = next((part for name, part in BY_FIXTURE.items() if name in fixtures), QUICK)
    named = BY_PLACE[max(rows, key=len)] if rows else QUICK
    return by_fixture if named == QUICK else named


def place_in_order(test: str) -> int:
    """Return where a test belongs by its id: those of ``LONGEST_FIRST`` in that order, then all others."""
    file, _, _ = test.partition("::")
    return LONGEST_FIRST.index(file) if file in LONGEST_FIRST else len(LONGEST_FIRST)
