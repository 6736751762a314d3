"""``--report``: a page of whatever was played, at the place that was asked for, or a sentence why not."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.support.commandline import CHECKOUT, SHORT, SHORT_CONFTEST, STRANGER, Ran, at_once, run, write
from tests.support.pages import Parsed

DEFECT = ("--defect", "refused_delivery_deletes_message", "--hypothesis-seed=1")


@pytest.fixture(scope="module")
def cwd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("report"), conftest=SHORT_CONFTEST)


@pytest.fixture(scope="module")
def runs(cwd: Path) -> dict[str, Ran]:
    """A run that passes and one that fails, and two replays of what the second one saved, all with pages."""
    passing = partial(run, *STRANGER, *SHORT, "--report", "new/folder", cwd=cwd)
    failing = partial(run, *CHECKOUT, *DEFECT, "--report", "failing.html", cwd=cwd)
    passed, failed = at_once([passing, failing])
    play = partial(run, *CHECKOUT, "--replay", failed.folder, cwd=cwd)
    again, mended = at_once(
        [partial(play, *DEFECT, "--report", "again.html"), partial(play, "--report", "mended.html")]
    )
    return {"passed": passed, "failed": failed, "again": again, "mended": mended}


CODES = {"passed": 0, "failed": 1, "again": 1, "mended": 0}
PAGES = {
    "passed": ("new/folder/timeline.html", "PASS (reach not judged)", "no invariant was broken"),
    "failed": ("failing.html", "FAIL", "messages_outlive_unfinished_jobs"),
    "again": ("again.html", "REPRODUCED", "messages_outlive_unfinished_jobs"),
    "mended": ("mended.html", "FIXED", "no longer happens"),
}


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_where_it_was_wanted(name: str, cwd: Path, runs: dict[str, Ran]) -> None:
    place, verdict, headline = PAGES[name]
    assert runs[name].code == CODES[name], runs[name]
    assert f"--report: the page is in {Path(place)}" in runs[name].output
    page = Parsed((cwd / place).read_text("ascii"))
    assert page.broken_links == []
    assert page.foreign == []
    assert page.text.startswith(f"\n{verdict}: ")
    assert any(headline in heading for heading in (*page.text_of("h1"), *page.text_of("h1", "prose")))


def test_a_failure_has_its_page_beside_its_history(cwd: Path, runs: dict[str, Ran]) -> None:
    folder = runs["failed"].folder
    page = (cwd / folder / "timeline.html").read_text("ascii")
    named = f"    {folder}/timeline.html   (the same, to be looked at in a browser)"
    assert named in runs["failed"].report
    assert page == (cwd / "failing.html").read_text("ascii")
    for line in runs["failed"].reproduce:
        assert line in Parsed(page).text


def test_the_page_of_a_run_shows_an_example_and_what_was_judged(cwd: Path, runs: dict[str, Ran]) -> None:
    page = Parsed((cwd / "new/folder/timeline.html").read_text("ascii"))
    assert "step-1" in page.ids
    assert "the first of those in which most leases were taken" in page.text
    assert "every_job_ends" in page.cells


def test_nothing_else_is_left_behind(cwd: Path, runs: dict[str, Ran]) -> None:
    assert list(cwd.rglob("*.part")) == []


@pytest.fixture(scope="module")
def refused(cwd: Path) -> dict[str, Ran]:
    (cwd / "notes.txt").write_text("mine")
    wanted = {
        "a file of another kind": ("--report", "notes.txt"),
        "inside of a file": ("--report", "notes.txt/page.html"),
        "nothing": ("--report", ""),
        "real processes": ("--report", "page.html", "--lane", "processes"),
    }
    ran = at_once(partial(run, *CHECKOUT, *options, cwd=cwd) for options in wanted.values())
    return dict(zip(wanted, ran, strict=True))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a file of another kind", "--report 'notes.txt': give a file whose name ends in .html"),
        ("inside of a file", "--report notes.txt/page.html: notes.txt is no directory"),
        ("nothing", "--report '': give a file"),
        ("real processes", "--report page.html: --lane processes draws no page"),
    ],
)
def test_a_place_that_will_not_do_is_refused_at_once(
    name: str, said: str, cwd: Path, refused: dict[str, Ran]
) -> None:
    assert refused[name].code == 4, refused[name]
    assert said in refused[name].output
    assert "Traceback" not in refused[name].output
    assert (cwd / "notes.txt").read_text() == "mine"


def test_a_page_that_cannot_be_written_is_reported_and_changes_no_verdict(tmp_path: Path) -> None:
    write(tmp_path, conftest=SHORT_CONFTEST)
    (tmp_path / "page.html.part").mkdir()
    ran = run(*STRANGER, *SHORT, "--report", "page.html", cwd=tmp_path)
    assert ran.code == 0, ran
    assert "--report page.html: the page could not be written" in ran.output
    assert not (tmp_path / "page.html").exists()
