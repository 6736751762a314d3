"""docs/bind-your-own.md, followed to the letter: its code is written to a directory, its commands are run.

What the page prints of ``check-binding`` must be what the command prints, and what it says that the walk
or the search would find, they find.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator
from pathlib import Path

import pytest

from statemachine.history.reach import required
from statemachine.lifecycle import Lifecycle
from tests.support.commandline import REPO, STRANGER, Ran, command, run

PAGE = (REPO / "docs" / "bind-your-own.md").read_text(encoding="utf-8")
LIFECYCLES = (REPO / "docs" / "lifecycles.md").read_text(encoding="utf-8")
BINDING = "verify_reports:Binding"
PROFILE = """
from hypothesis import settings
settings.register_profile("page", max_examples=30, stateful_step_count=40)
"""
SEARCH = ("-p", "page_profile", *STRANGER, "--hypothesis-profile", "page", "--hypothesis-seed=1")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.S)


def files(page: str) -> Iterator[tuple[str, str, bool]]:
    """Path, text, and whether the text continues what was there, of each block that names a file."""
    for block in blocks(page, "python"):
        named = re.match(r"# ([\w/]+\.py)(, continued)?\n", block)
        assert named, block
        yield named[1], block, bool(named[2])


def follow(directory: Path, page: str, *, until_continued: bool = False) -> None:
    """Write the page's files below ``directory``."""
    for name, text, continued in files(page):
        if continued and until_continued:
            return
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        before = path.read_text(encoding="utf-8") + "\n" if continued else ""
        path.write_text(before + text, encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The directory of a user who has followed the page to its end."""
    follow(tmp_path, PAGE)
    (tmp_path / "page_profile.py").write_text(PROFILE, encoding="utf-8")
    return tmp_path


def shows(ran: Ran, block: str) -> None:
    """Every line of ``block`` is one of the output, in this order; ``…`` leaves some out."""
    printed, place = ran.lines, 0
    for line in block.splitlines():
        if line and line != "…":
            assert line in printed[place:], (line, ran)
            place = printed.index(line, place) + 1


def change(directory: Path, name: str, old: str, new: str) -> None:
    path = directory / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, (name, old)
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_binding_has_fewer_than_eighty_lines(shop: Path) -> None:
    lines = (shop / "verify_reports.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 80
    assert f"The binding has {len(lines)} lines" in PAGE


def test_every_file_and_section_that_is_linked_is_there() -> None:
    for link in re.findall(r"\]\(([^)]+)\)", PAGE):
        path, _, anchor = link.partition("#")
        linked = REPO / "docs" / path
        assert linked.exists(), link
        if anchor:
            assert f"## {anchor.replace('-', ' ')}" in linked.read_text(encoding="utf-8").lower(), link


def test_the_situation_that_is_declared_unreachable_is_one_that_runs_require() -> None:
    (shown,) = re.findall(r"`unreachable = (\{.+?\})`", LIFECYCLES)
    assert literal_eval(shown).keys() <= set(required(Lifecycle()))


def test_after_the_first_step_it_lists_what_is_left_to_write(tmp_path: Path) -> None:
    follow(tmp_path, PAGE, until_continued=True)
    ran = command("check-binding", BINDING, cwd=tmp_path)
    assert ran.code == 1, ran
    assert ran.output.strip() == blocks(PAGE, "text")[0].strip()


def test_after_the_second_step_a_wrong_lease_gets_a_sentence(shop: Path) -> None:
    change(shop, "verify_reports.py", "lease_seconds=600", "lease_seconds=540")
    ran = command("check-binding", BINDING, cwd=shop)
    assert ran.code == 1, ran
    shows(ran, blocks(PAGE, "text")[1])


def test_the_whole_binding_has_nothing_to_mend_and_is_searched(shop: Path) -> None:
    ran = command("check-binding", BINDING, cwd=shop)
    assert ran.code == 0, ran
    shows(ran, blocks(PAGE, "text")[2])
    searched = run(*SEARCH, "--binding", BINDING, cwd=shop)
    assert searched.code == 0, searched
    assert searched.summary[-1].startswith("PASS")


def test_the_walk_finds_what_is_not_fenced(shop: Path) -> None:
    change(shop, "reports/services.py", ", customer=customer, attempt=attempt)", ", customer=customer)")
    ran = command("check-binding", BINDING, cwd=shop)
    assert ran.code == 1, ran
    assert "was carried out, with a token that is not the holder's" in " ".join(ran.output.split())


def test_the_search_alone_finds_a_message_deleted_too_early(shop: Path) -> None:
    change(shop, "reports/worker.py", '"acknowledge" if services.has_ended(*job) else None', '"acknowledge"')
    assert command("check-binding", BINDING, cwd=shop).code == 0
    searched = run(*SEARCH, "--binding", BINDING, cwd=shop)
    assert searched.code == 1, searched
    assert "messages_outlive_unfinished_jobs" in searched.output


def test_the_polled_table_is_bound_as_the_page_on_lifecycles_says(shop: Path) -> None:
    follow(shop, LIFECYCLES)
    ran = command("check-binding", "verify_polled:Binding", cwd=shop)
    assert ran.code == 0, ran
    searched = run(*SEARCH, "--binding", "verify_polled:Binding", cwd=shop)
    assert searched.code == 0, searched
    assert searched.summary[-1].startswith("PASS")
