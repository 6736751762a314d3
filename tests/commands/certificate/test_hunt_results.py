"""Results on disk survive an interruption, a torn line, and being measured on several machines."""

from __future__ import annotations

from pathlib import Path

from statemachine.commands.certificate.hunt import HuntResults
from tests.commands.certificate.literal import finding


def test_what_was_added_is_there_again(tmp_path: Path) -> None:
    HuntResults(tmp_path / "new", "a.jsonl").add(finding(100))
    again = HuntResults(tmp_path / "new", "a.jsonl")
    assert again.by_hunt == {finding(100).hunt: finding(100)}
    assert again.unreadable == 0


def test_the_files_of_all_shards_are_read(tmp_path: Path) -> None:
    HuntResults(tmp_path, "findings-1-of-2.jsonl").add(finding(100))
    HuntResults(tmp_path, "findings-2-of-2.jsonl").add(finding(101, None))
    merged = HuntResults(tmp_path, "findings.jsonl")
    assert set(merged.by_hunt.values()) == {finding(100), finding(101, None)}


def test_a_torn_line_is_measured_again_and_spoils_no_other(tmp_path: Path) -> None:
    kept = HuntResults(tmp_path, "a.jsonl")
    kept.add(finding(100))
    kept.add(finding(101))
    kept.file.write_bytes(kept.file.read_bytes()[:-20])
    torn = HuntResults(tmp_path, "a.jsonl")
    assert (torn.unreadable, set(torn.by_hunt)) == (1, {finding(100).hunt})
    torn.add(finding(102))
    assert set(HuntResults(tmp_path, "a.jsonl").by_hunt) == {finding(100).hunt, finding(102).hunt}


def test_foreign_lines_are_counted(tmp_path: Path) -> None:
    (tmp_path / "foreign.jsonl").write_bytes(b'{}\n[]\n{"hunt": 1}\n\xff\n\n')
    assert HuntResults(tmp_path, "a.jsonl").unreadable == 4
