"""What a report is written on: how wide, which characters, and cells that fold where they do not fit."""

from __future__ import annotations

import ast
import io
import os
import re
import sys

import pytest

from statemachine.report.console import say
from statemachine.report.text.columns import TOGETHER, fitting, folded, side_by_side, useful_widths
from statemachine.report.text.paper import MOST_IN_CELL, WIDE, Paper, paper_for
from tests.support.commandline import REPO

OURS = REPO / "statemachine"


@pytest.mark.parametrize(
    ("columns", "width"),
    [("", 100), ("79", 80), ("80", 80), ("90", 90), ("250", 100), ("wide", 100), ("-3", 100)],
)
def test_a_pipe_is_as_wide_as_columns_says_and_else_100(columns: str, width: int) -> None:
    assert paper_for(io.StringIO(), {"COLUMNS": columns}).width == width


@pytest.mark.skipif(sys.platform == "win32", reason="pty is POSIX only")
@pytest.mark.parametrize(("columns", "width"), [(40, 80), (80, 80), (93, 93), (200, 100)])
def test_a_terminal_is_as_wide_as_it_is(columns: int, width: int) -> None:
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(ours, "wb"), os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        assert paper_for(terminal, {}).width == width
        assert paper_for(terminal, {"COLUMNS": "81"}).width == 81


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp949"])
def test_if_one_sign_cannot_be_shown_all_become_ascii(encoding: str) -> None:
    text = Paper(encoding=encoding).spelt("✗ 3 → 4 ─ · working (gate report §2.2) …")
    assert text == "x 3 -> 4 - . working (gate report section 2.2) ..."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "UTF8"])
def test_signs_stay_where_they_can_be_shown(encoding: str) -> None:
    assert Paper(encoding=encoding).spelt("✗ → ─ · § …") == "✗ → ─ · § …"


def test_text_of_the_system_under_test_is_kept_or_escaped_but_never_lost() -> None:
    assert Paper(encoding="cp1252").spelt("Zoë → 작업") == "Zoë -> \\uc791\\uc5c5"
    assert Paper(encoding="utf-8").spelt("a lone \udc80") == "a lone \\udc80"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("a\rb\x08c\x00\x9b", r"a\rb\x08c\x00\x9b"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("one\u2028two\u0085three", r"one\u2028two\x85three"),
        ("::error file=a::no", r"\::error file=a::no"),
        ("fine\n  ::set-output name=a::b", "fine\n  \\::set-output name=a::b"),
        ("##vso[task.complete]", r"#\#vso[task.complete]"),
        ("##[error]no", r"#\#[error]no"),
        ("so it said ##vso[task.complete]", r"so it said #\#vso[task.complete]"),
        ("\u00a0::error::no", "\u00a0\\::error::no"),
        ("##teamcity[x]", r"#\#teamcity[x]"),
        ("tests/a.py::test_b ## 3", "tests/a.py::test_b ## 3"),
    ],
)
def test_nothing_that_a_system_says_is_obeyed(said: str, shown: str) -> None:
    assert WIDE.spelt(said) == shown
    assert WIDE.spelt(shown) == shown


def test_no_line_that_is_wrapped_begins_with_a_command() -> None:
    lines = WIDE.wrap(f"{'word ' * 19} ::error::no", "  ")
    assert lines[1] == r"  \::error::no"


def test_a_cell_has_one_line() -> None:
    assert WIDE.cell("one\n::error::two") == r"one\n::error::two"


def test_what_has_no_end_is_cut_and_says_so() -> None:
    assert WIDE.cell("a" * 5_000) == f"{'a' * MOST_IN_CELL}… (3000 more characters)"
    assert "".join(WIDE.wrap("b" * 1_000_000)).endswith("(990000 more characters)")


def texts(source: str) -> str:
    """All string literals of a module but its docstrings."""
    tree = ast.parse(source)
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    literals = (
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings
    )
    return "".join(str(node.value) for node in literals)


def test_every_sign_of_a_report_has_an_ascii_spelling() -> None:
    # What is written to a file or a browser is not held to it; the gate speaks the language of its report.
    written = ("report/timeline", "report/plain_tests.py", "commands/certificate", "commands/gate")
    signs = {
        sign
        for file in OURS.rglob("*.py")
        if not file.relative_to(OURS).as_posix().startswith(written)
        for sign in re.findall(r"[^\x00-\x7f]", texts(file.read_text("utf-8")))
    } - {TOGETHER}
    assert "✗" in signs
    assert {sign for sign in signs if "\\" in Paper(encoding="ascii").spelt(sign)} == set()


def test_a_command_says_what_its_stream_cannot_show(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="cp1252", newline="\n"))
    say("✗ 작업 → é")
    assert written.getvalue() == "x \\uc791\\uc5c5 -> é\n".encode("cp1252")


def test_a_sentence_goes_on_under_its_margin() -> None:
    lines = Paper(20).wrap("FAIL  one two three four", "", "      ")
    assert lines == ["FAIL  one two three", "      four"]


def test_a_cell_that_is_too_long_goes_on_below_itself() -> None:
    assert list(side_by_side(["deliver m2 → A", "prepare refused", "j1"], [14, 8, 2])) == [
        "deliver m2 → A  prepare   j1",
        "                refused",
    ]


def test_what_belongs_together_is_not_parted_and_a_newline_parts() -> None:
    assert folded(f"duplicate m2 →{TOGETHER}B", 14) == ("duplicate m2", "→ B")
    assert folded("j1 DONE;\nj2 DONE", 40) == ("j1 DONE;", "j2 DONE")
    assert folded("", 5) == ("",)


def test_a_word_that_is_too_long_is_broken_and_nothing_is_lost() -> None:
    assert folded("IntegrityError", 6) == ("Integr", "ityErr", "or")


def test_only_widths_at_which_a_cell_folds_differently_are_tried() -> None:
    assert useful_widths(["prepare refused", "working"]) == [15, 7]
    assert useful_widths([]) == [0]


def test_columns_have_their_usual_widths_as_long_as_these_fit() -> None:
    rows = [("status", "RUNNING", "DONE")]
    assert fitting(rows, (30, 22, 6), 96) == [30, 22, 6]
    assert fitting(rows, (30, 22, 6), 40) == [6, 7, 4]


def test_columns_that_do_not_fit_fold_into_as_few_lines_as_possible() -> None:
    rows = [("row", "RUNNING, attempt 1", "UNIQUE constraint failed: ai_result.job_id")]
    widths = fitting(rows, (30, 22, 6), 60)
    lines = list(side_by_side(rows[0], widths))
    assert lines == [
        "row  RUNNING,   UNIQUE constraint failed: ai_result.job_id",
        "     attempt 1",
    ]


def test_if_not_even_words_fit_no_letter_is_lost() -> None:
    rows = [("a" * 30, "b" * 30)]
    widths = fitting(rows, (10, 10), 22)
    lines = list(side_by_side(rows[0], widths))
    assert max(map(len, lines)) <= 22
    assert "".join(lines).count("a") == "".join(lines).count("b") == 30


def test_a_file_gets_the_widest_paper() -> None:
    assert Paper(100, "utf-8") == WIDE
