"""``python -m statemachine certificate``: search for every planted defect and write the table of the results.

What an earlier call has measured on the same sources is not measured again.  Without a PostgreSQL server
the defects of the transactions lane are listed and not searched for, with what to do to get a server.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

from statemachine.binding import DEFAULT_BINDING, Binding
from statemachine.commands.certificate import citation
from statemachine.commands.certificate.catalogue import EMBEDDED, TRANSACTIONS, Planted, catalogue
from statemachine.commands.certificate.citation import Certificate, LaneFigures
from statemachine.commands.certificate.document import document, table
from statemachine.commands.certificate.hunt import INTERLEAVED, PLAIN, SEARCH, HuntResults
from statemachine.commands.certificate.measuring import Share, measure
from statemachine.commands.certificate.plan import METHODS_OF, HuntPlan, measured_on
from statemachine.commands.certificate.rows import Row, misses
from statemachine.report.console import BROKEN, DONE, INTERRUPTED, Command, UsageError, say, whole_number
from statemachine.world.databases.availability import missing_because, packages_missing
from statemachine.world.databases.opening import load_here
from statemachine.world.databases.postgresql import SERVER_VARIABLE, named_server

SEEDS = range(100, 120)
"""The seeds that are reported.  Tune weights on 0-19, or they are fitted to the seeds that judge them."""
BASELINE_SEEDS = range(100, 105)
EXAMPLES = {SEARCH: 2000, PLAIN: 2000, INTERLEAVED: 400}
"""Examples of one search at most, by method."""
RESULTS = Path(".statemachine") / "certificate"


def seeds(text: str) -> range:
    """Parse ``100-119``, both included, or one number, or ``none``."""
    if text == "none":
        return range(0)
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) < int(first):
        raise argparse.ArgumentTypeError(f"{text} is no range of seeds: write 100-119, or one number")
    return range(int(first), int(last or first) + 1)


def shard(text: str) -> Share:
    """Parse ``1/2``, the first of two."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text} is no shard: write 1/2 for the first of two")
    return Share(int(number), int(count))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--binding", metavar="MODULE:FACTORY", default=DEFAULT_BINDING, help="the system under test")
    add("--defects", metavar="NAME", nargs="+", help="only these (default: all planted defects)")
    add(
        "--seeds",
        type=seeds,
        metavar="FIRST-LAST",
        default=SEEDS,
        help="seeds of each search (default: 100-119; keep 0-19 for tuning)",
    )
    add(
        "--baseline-seeds",
        type=seeds,
        metavar="FIRST-LAST",
        default=BASELINE_SEEDS,
        help="seeds of the plain Hypothesis machine it is compared with, or none (default: 100-104)",
    )
    add(
        "--examples",
        type=whole_number,
        metavar="N",
        help="examples of one search at most (default: 2000, and 400 in the transactions lane)",
    )
    add(
        "--database-server",
        metavar="URL",
        help="search for the defects of the transactions lane on this PostgreSQL server, in new databases "
        f"(default: ${SERVER_VARIABLE}, else a private server; where there is none, these defects are listed "
        "and not searched for)",
    )
    add("--shard", type=shard, default=Share(), metavar="K/N", help="measure only the K-th of N equal parts")
    add(
        "--jobs",
        type=whole_number,
        metavar="N",
        default=os.cpu_count() or 1,
        help="processes (default: as many as processors)",
    )
    add("--results", type=Path, default=RESULTS, metavar="DIR", help=f"where results are kept ({RESULTS})")
    add("--write", type=Path, metavar="FILE", help=f"write the table to this file, {citation.DOCUMENT} say")


def run(asked: argparse.Namespace) -> int:
    """Return 0 when this shard is measured, and 1 when --write lacks the results of other shards."""
    if asked.write is not None and asked.write.is_dir():
        raise UsageError(f"--write {asked.write}: it is a directory; name a file, {citation.DOCUMENT} say")
    binding = load_here(asked.binding)
    plan = _plan(asked, binding)
    part: Share = asked.shard
    name = "findings" if part == Share() else f"findings-{part.number}-of-{part.parts}"
    try:
        results = HuntResults(asked.results, f"{name}.jsonl")
    except OSError as error:
        raise UsageError(
            f"--results {asked.results}: {error.strerror}; name a folder that can be used"
        ) from None
    if results.unreadable:
        say(f"{results.unreadable} lines in {asked.results} cannot be read and are measured again")
    missing = _missing(asked, plan, results)
    if missing:
        say(f"The defects of the transactions lane are not searched for: {missing}")
    # Divided before the lane is left out: with and without a server, a machine has the same shards.
    mine = [one for one in part.of(plan.hunts()) if not missing or one.method != INTERLEAVED]
    if not measure(mine, results, asked.jobs, named_server(asked.database_server)):
        _print_partly(plan, results)
        say(f"Interrupted; the results are in {results.file}. The same command continues from there.")
        return INTERRUPTED
    return _conclude(asked, plan, results, missing)


def _missing(asked: argparse.Namespace, plan: HuntPlan, results: HuntResults) -> str:
    """Return why the waiting hunts of the transactions lane cannot be done; empty when they can."""
    waiting = any(one.method == INTERLEAVED and one not in results.by_hunt for one in plan.hunts())
    if not waiting:
        return ""
    named = named_server(asked.database_server)
    if named is not None and packages_missing():
        raise UsageError(f"--database-server needs {packages_missing()}: pip install '.[postgres]'")
    missing = missing_because(named) or ""
    if missing and not plan.hunts((TRANSACTIONS,)):
        raise UsageError(missing)
    return missing


def _plan(asked: argparse.Namespace, binding: Binding) -> HuntPlan:
    planted = _chosen(catalogue(binding), asked.defects)
    if not any(one.lane in METHODS_OF for one in planted):
        raise UsageError(
            f"{asked.binding} has no defect of the {' or '.join(METHODS_OF)} lane to look for: give it some "
            "in defects"
        )
    if not asked.seeds:
        raise UsageError("--seeds none leaves nothing to measure: give some, as 100-119")
    by_method = {SEARCH: asked.seeds, PLAIN: asked.baseline_seeds, INTERLEAVED: asked.seeds}
    examples = {method: asked.examples or most for method, most in EXAMPLES.items()}
    return HuntPlan(asked.binding, planted, by_method, examples, measured_on(asked.binding, binding.defects))


def _chosen(planted: Sequence[Planted], names: Sequence[str] | None) -> list[Planted]:
    known = {one.name: one for one in planted}
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise UsageError(
            f"--defects {' '.join(unknown)}: there is no such defect; there are {', '.join(known)}"
        )
    return [one for one in planted if names is None or one.name in names]


# -- the certificate ----------------------------------------------------------------------------


def _conclude(asked: argparse.Namespace, plan: HuntPlan, results: HuntResults, missing: str) -> int:
    unplayed = (TRANSACTIONS,) if missing else ()
    hunts = plan.hunts(unplayed)
    unmeasured = sum(one not in results.by_hunt for one in hunts)
    rows = plan.rows(results, unplayed)
    if unmeasured:
        say(
            f"This shard is measured; {unmeasured} of {len(hunts)} searches are those of other shards: "
            f"copy their files into {asked.results} and call again without --shard."
        )
        return BROKEN if asked.write else DONE
    certificate = _certificate(plan, rows)
    if asked.write:
        _write(asked, certificate, rows, missing)
    else:
        _print(rows)
    say(f"{certificate.counts()} found on every seed")
    return DONE


def _print_partly(plan: HuntPlan, results: HuntResults) -> None:
    """Print the rows of what was measured by now, and that they are not all."""
    hunts = plan.hunts()
    done = sum(one in results.by_hunt for one in hunts)
    if done:
        say(f"Partial: {done} of {len(hunts)} searches are done, and these rows count only those.")
        _print([row for row in plan.rows(results) if row.searched])


def _print(rows: Sequence[Row]) -> None:
    for lane in METHODS_OF:
        played = [row for row in rows if row.planted.lane == lane and row.played]
        for line in table(played) if played else ():
            say(line)
    for row in rows:
        for sentence in misses(row):
            say(f"missed: {sentence}")


def _certificate(plan: HuntPlan, rows: Sequence[Row]) -> Certificate:
    measured = plan.measured
    found, played = (
        Counter(row.planted.lane for row in some)
        for some in ([row for row in rows if row.always_found], [row for row in rows if row.played])
    )
    interleaved = LaneFigures(found[TRANSACTIONS], played[TRANSACTIONS], plan.examples[INTERLEAVED])
    commit, modified = commit_of(measured.files)
    return Certificate(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        commit=commit,
        modified=modified,
        binding=plan.binding,
        seeds=len(plan.seeds[SEARCH]),
        examples=plan.examples[SEARCH],
        found=found[EMBEDDED],
        measured=played[EMBEDDED],
        machine=measured.machine,
        system=measured.system,
        defects=measured.defects,
        interleaving=measured.interleaving if interleaved.measured else {},
        transactions=interleaved if interleaved.measured else None,
    )


def _write(asked: argparse.Namespace, certificate: Certificate, rows: Sequence[Row], missing: str) -> None:
    standard = (SEEDS, None, None, DEFAULT_BINDING)
    words = ["python -m statemachine certificate"]
    words += [f"--binding {asked.binding}"] * (asked.binding != DEFAULT_BINDING)
    words += [f"--defects {' '.join(asked.defects or ())}"] * (asked.defects is not None)
    words += [f"--seeds {asked.seeds.start}-{asked.seeds[-1]}"] * (asked.seeds != SEEDS)
    words += [f"--examples {asked.examples}"] * (asked.examples is not None)
    asked.write.parent.mkdir(parents=True, exist_ok=True)
    page = document(certificate, rows, " ".join(words), missing)
    asked.write.write_text(page, encoding="utf-8", newline="\n")
    say(f"{asked.write} written")
    # Runs cite only a measurement of the whole catalogue of the bundled system on the reported seeds, made
    # in a checkout: an installed package keeps the certificate that it came with.
    if certificate.commit and (asked.seeds, asked.examples, asked.defects, asked.binding) == standard:
        citation.KEPT.write_text(citation.dumps(certificate), encoding="utf-8", newline="\n")
        say(f"{citation.KEPT} written: every run cites it from now on")


def commit_of(files: Collection[Path]) -> tuple[str, bool]:
    """Return the abbreviated commit that holds ``files``, and whether any of them differs from it.

    The commit is empty when there is no git, or when git does not track the first file: files installed in a
    virtual environment inside of some repository do not belong to that repository's commit.
    """
    first = next(iter(files), None)
    if first is None or _git(first.parent, "ls-files", "--error-unmatch", first.name) is None:
        return "", False
    top = Path((_git(first.parent, "rev-parse", "--show-toplevel") or "").strip())
    inside = [str(file) for file in files if file.resolve().is_relative_to(top.resolve())]
    commit = _git(top, "rev-parse", "--short", "HEAD") or ""
    return commit.strip(), bool(_git(top, "status", "--porcelain", "--", *inside))


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        ran = subprocess.run(
            ["git", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ran.stdout if ran.returncode == 0 else None


COMMAND = Command(
    "certificate",
    "Measure on how many seeds, and how soon, the search finds each planted defect, and write the table.",
    add_arguments,
    run,
)
