"""The options of a pytest run, checked: a bad value gets one sentence and exit code 4."""

from __future__ import annotations

import argparse
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.errors import InvalidArgument

from statemachine.binding import Binding, BindingError, load
from statemachine.history.ndjson import Header, HistoryError
from statemachine.history.shown import cut, without_passwords
from statemachine.history.words import seconds_in
from statemachine.lifecycle import LifecycleError
from statemachine.report.asked import CORPUS, Asked
from statemachine.report.housekeeping import KEPT_FAILURES
from statemachine.report.text.paper import MOST_IN_SENTENCE, WIDE
from statemachine.report.timeline import NAME
from statemachine.search import accepted
from statemachine.search.accepted import NONE, AcceptanceError, Acceptances
from statemachine.search.corpus.places import CorpusPlace, Directory, PlaceError, place_for
from statemachine.search.engine import PROFILES
from statemachine.search.exhaustive import INTERLEAVED
from statemachine.search.lanes import EMBEDDED, KINDS, TRANSACTIONS
from statemachine.search.triage.script import EARLIER, Steps, steps_in
from statemachine.world import outside
from statemachine.world.databases import opening, safety
from statemachine.world.operations import histories


def asked_for(options: argparse.Namespace) -> Asked:
    """Check the options, without setting Django up.  Raises ``pytest.UsageError`` for a bad value."""
    try:
        return _asked_for(options)
    except (pytest.UsageError, OSError) as error:  # a path may be too long to be looked for
        said = without_passwords(cut(str(error), MOST_IN_SENTENCE))
        raise pytest.UsageError(WIDE.spelt(said)) from None


def _asked_for(options: argparse.Namespace) -> Asked:
    try:
        saved = histories.read(Path(options.replay)) if options.replay is not None else None
        earlier = _earlier(options.replay)
        with opening.private_if_set_up():
            binding = load(options.binding, options.defect)
    except HistoryError as error:
        raise pytest.UsageError(f"--replay {options.replay}: {error}") from None
    except (BindingError, LifecycleError) as error:
        raise pytest.UsageError(str(error)) from None
    if saved and saved[0].binding != options.binding:
        raise pytest.UsageError(
            f"--replay {options.replay}: the history was recorded with --binding {saved[0].binding} and this "
            f"is {options.binding}: give the binding that it was recorded with"
        )
    lanes = _lanes(options, saved[0] if saved else None)
    return Asked(
        options.binding,
        binding,
        options.defect,
        _seed(options.hypothesis_seed),
        lanes[0],
        lanes,
        clock_skew_seconds=_clock_skew(options.clock_skew, binding),
        replay_path=options.replay,
        saved=saved,
        earlier=earlier,
        fuzz_seconds=_fuzz_seconds(options),
        exhaust=_exhaust(options),
        corpus=_corpus(options),
        database_server=options.database_server,
        kills=options.kills,
        allowed=_allowed(options.allow),
        hang_seconds=_seconds("--hang-after", options.hang_after),
        minimise_seconds=_seconds("--minimise-for", options.minimise_for),
        report=_report(options.report, lanes[0]),
        keep_failures=_keep_failures(options.keep_failures),
        accepted=_accepted() if saved is None else NONE,
    )


def check_configuration(options: argparse.Namespace, file: Path | None, directory: Path) -> None:
    """Raise ``pytest.UsageError`` when what is replayed has brought pytest's configuration, ``file``.

    ``directory`` is where pytest was started.  Pytest looks for a configuration beside each path among its
    arguments, and takes that of ``--replay PATH`` for one of tests.
    """
    if options.replay is None or file is None or options.inifilename:
        return
    replayed = (directory / options.replay).resolve()
    home = file.parent.resolve()
    if replayed.is_relative_to(home) and not directory.resolve().is_relative_to(home):
        raise pytest.UsageError(
            f"--replay {options.replay}: {file} came with the history, and would configure this run; write "
            f"--replay={options.replay}, with =, or name a configuration of yours by -c"
        )


def choose_settings(asked: Asked, options: argparse.Namespace) -> str:
    """Set Django up with the binding's settings module, on private databases; return what these are.

    Raises ``pytest.UsageError``.
    """
    wanted = asked.binding.settings_module
    found = {
        "--ds": options.ds,
        "the environment's DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE"),
    }
    try:
        safety.check_no_reuse(options.reuse_db)
        safety.check_settings_module(wanted, asked.binding_path, found)
    except safety.Refused as error:
        raise pytest.UsageError(str(error)) from None
    try:
        made = opening.choose_settings(asked.binding, asked.binding_path)
        opening.set_up(asked.binding_path)
    except (BindingError, safety.Refused) as error:
        raise pytest.UsageError(WIDE.spelt(str(error))) from None
    return made


def check_profile(name: str | None) -> None:
    """Raise ``pytest.UsageError`` when Hypothesis knows no profile of that name."""
    try:
        settings.get_profile(name or "dev")
    except InvalidArgument:
        raise pytest.UsageError(
            f"--hypothesis-profile {name}: there is no such profile; this project has {', '.join(PROFILES)}"
        ) from None


def _report(asked: str | None, lane: str) -> Path | None:
    """Return the file that ``--report`` asks for; nothing is written yet."""
    if asked is None:
        return None
    if lane not in KINDS:
        raise pytest.UsageError(
            f"--report {asked}: --lane {lane} draws no page; leave one of the two options out"
        )
    path = Path(asked)
    if not asked.strip() or (path.is_file() and path.suffix != ".html"):
        raise pytest.UsageError(
            f"--report {asked!r}: give a file whose name ends in .html, or a directory to put {NAME} into"
        )
    file = path if path.suffix == ".html" and not path.is_dir() else path / NAME
    above = next(parent for parent in file.parents if parent.exists())
    if not above.is_dir():
        raise pytest.UsageError(f"--report {asked}: {above} is no directory; give another place")
    return file


def _accepted() -> Acceptances:
    try:
        return accepted.read(accepted.FILE, datetime.now(UTC).date())
    except AcceptanceError as error:
        raise pytest.UsageError(WIDE.spelt(str(error))) from None


def _keep_failures(asked: str | None) -> int:
    if asked is None:
        return KEPT_FAILURES
    if not asked.isdecimal() or int(asked) < 1:
        raise pytest.UsageError(f"--keep-failures {asked}: give a whole number of at least 1")
    return int(asked)


def _fuzz_seconds(options: argparse.Namespace) -> int:
    """Return how long to fuzz, 0 for not at all."""
    if options.fuzz_for is None:
        return 0
    for name, value in (("--replay", options.replay), ("--lane", options.lane not in (None, EMBEDDED.name))):
        if value:
            raise pytest.UsageError(
                f"--fuzz-for {options.fuzz_for}: it searches in the embedded lane; leave {name} out, or it"
            )
    try:
        return seconds_in(options.fuzz_for)
    except ValueError as error:
        raise pytest.UsageError(f"--fuzz-for: {error}") from None


def _earlier(replay: str | None) -> Steps:
    """Return the example that must be played before the history, as it lies beside it; empty if none does.

    Raise ``HistoryError`` when it cannot be read.
    """
    if replay is None:
        return ()
    path = Path(replay)
    file = (path if path.is_dir() else path.parent) / EARLIER
    return steps_in(histories.read(file)[1]) if file.exists() else ()


def _lanes(options: argparse.Namespace, saved: Header | None) -> tuple[str, ...]:
    """Return the lanes to play: the one that was asked for, that of a replay, or all that play examples."""
    if options.kills and options.lane != "processes":
        raise pytest.UsageError(
            f"--kills {options.kills}: of no use but to the lane of real processes; give --lane processes as "
            "well, or leave it out"
        )
    if options.database_server and options.lane == EMBEDDED.name:
        raise pytest.UsageError(
            "--database-server: of no use to the embedded lane, which runs on SQLite in memory; leave --lane "
            "embedded out, give another lane, or leave the server out"
        )
    if options.exhaust is not None:
        if options.lane not in (None, TRANSACTIONS.name) or saved is not None or options.fuzz_for:
            raise pytest.UsageError(
                f"--exhaust {options.exhaust}: it plays every order of two operations in the transactions "
                "lane; leave --replay, --fuzz-for and other lanes out"
            )
        return (TRANSACTIONS.name,)
    if saved is None:
        # A run by time searches in the lane that is fast enough for that.
        return (options.lane,) if options.lane else (EMBEDDED.name,) if options.fuzz_for else tuple(KINDS)
    if options.lane == "processes":
        raise pytest.UsageError(
            "--replay plays a history step by step: leave --lane processes out; a plan of real processes is "
            "played again by python -m statemachine processes --plan"
        )
    if saved.lane not in KINDS:
        raise pytest.UsageError(
            f"--replay {options.replay}: the history names the lane {saved.lane!r}, and only those of "
            f"{' and '.join(KINDS)} can be replayed; was its first line edited?"
        )
    if options.lane not in (None, saved.lane):
        raise pytest.UsageError(
            f"--replay {options.replay}: the history was recorded in the {saved.lane} lane and this is "
            f"--lane {options.lane}: leave the lane out"
        )
    return (saved.lane,)


def _exhaust(options: argparse.Namespace) -> tuple[str, str] | None:
    if options.exhaust is None:
        return None
    names = [name.strip() for name in options.exhaust.split(",")]
    strange = [name for name in names if name not in INTERLEAVED]
    if len(names) != 2 or strange:
        raise pytest.UsageError(
            f"--exhaust {options.exhaust}: give two operations with a comma between them, of "
            f"{', '.join(INTERLEAVED)}; the same one twice is two calls of it"
        )
    return names[0], names[1]


def _corpus(options: argparse.Namespace) -> CorpusPlace:
    try:
        # The default place is not checked: if nothing can be kept there, the run says so at its end.
        return Directory(Path(CORPUS)) if options.corpus is None else place_for(options.corpus)
    except PlaceError as error:
        raise pytest.UsageError(f"--corpus: {error}") from None


def _clock_skew(asked: str, binding: Binding) -> int:
    lease = binding.lifecycle.lease_seconds
    if not asked.isdecimal() or int(asked) >= lease:
        raise pytest.UsageError(
            f"--clock-skew {asked}: give whole seconds, at least 0 and less than the lease of {lease} s"
        )
    return int(asked)


def _allowed(asked: str) -> frozenset[str]:
    try:
        return outside.parse(asked)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None


def _seconds(option: str, asked: str) -> int:
    if not asked.isdecimal():
        raise pytest.UsageError(f"{option} {asked}: give whole seconds, at least 0")
    return int(asked)


def _seed(asked: str | None) -> int:
    if asked is None:
        return secrets.randbelow(2**32)
    try:
        return int(asked)
    except ValueError:
        raise pytest.UsageError(f"--hypothesis-seed {asked}: give a whole number") from None
