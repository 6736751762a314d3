"""``python -m statemachine clean``: deletes what runs have left in a ``.statemachine``, and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path

from statemachine.history.words import counted
from statemachine.report.console import DONE, Command, UsageError, say
from statemachine.report.failure_folder import FOLDER, IGNORE
from statemachine.report.housekeeping import (
    CERTIFICATE,
    CORPUS,
    FAILURE,
    Stored,
    delete,
    foreign_in,
    is_our_ignore,
    stored_in,
)

LASTING = (CORPUS, CERTIFICATE)
"""What took long to find, and helps later runs: it is deleted only where that is asked for."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", nargs="?", type=Path, default=FOLDER, metavar="FOLDER", help=f"default: {FOLDER}")
    add(
        "--keep",
        type=_number,
        default=0,
        metavar="N",
        help="keep the newest N failure folders (default: 0)",
    )
    add("--all", action="store_true", help="delete the corpus and what a certificate has measured as well")
    add("--dry-run", action="store_true", help="list what would be deleted, and delete nothing")


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is no whole number")
    return int(text)


def run(asked: argparse.Namespace) -> int:
    """Return exit code 0.  Raises ``UsageError`` for a folder that no run has left, and ``OSError``."""
    root: Path = asked.folder
    stored = _check(root)
    going = _going(stored, asked.keep, everything=asked.all)
    staying = [*(one.path for one in stored if one not in going), *foreign_in(root)]
    for one in going:
        say(f"  {one.path.as_posix()}   ({one.what}, {counted(len(one.files), 'file')})")
        if not asked.dry_run:
            delete(one)
    word = "would be deleted" if asked.dry_run else "deleted"
    say(f"{counted(len(going), 'thing')} {word} in {root}, {len(staying)} left")
    for path in staying:
        say(f"  left: {path.as_posix()}")
    if not asked.dry_run and all(map(is_our_ignore, root.iterdir())):
        (root / IGNORE).unlink(missing_ok=True)
        root.rmdir()
    return DONE


def _check(root: Path) -> list[Stored]:
    """Return what is in ``root``, which must be a folder that a run has left."""
    if root.is_symlink():
        raise UsageError(f"{root} is a symbolic link, which is not followed: name the folder itself")
    if not root.is_dir():
        raise UsageError(f"{root} is no directory: name the folder that runs have left, {FOLDER} say")
    stored = stored_in(root)
    # A folder of an older release has no .gitignore of ours; then nothing else may lie in it.
    others = any(path.name != IGNORE for path in foreign_in(root))
    if not is_our_ignore(root / IGNORE) and (others or not stored):
        raise UsageError(
            f"{root} is not a folder of this project's findings: it has no {IGNORE} that a run has written, "
            "and holds other things; delete by hand what you do not need"
        )
    return stored


def _going(stored: list[Stored], keep: int, *, everything: bool) -> list[Stored]:
    failures = [one for one in stored if one.what == FAILURE]
    kept = [*failures[:keep], *(one for one in stored if one.what in LASTING and not everything)]
    return [one for one in stored if one not in kept]


COMMAND = Command(
    "clean",
    "Delete the failures that runs have left in .statemachine; with --all the corpus as well.",
    add_arguments,
    run,
)
