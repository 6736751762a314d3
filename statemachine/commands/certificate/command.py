"""``python -m statemachine certificate``: measures what is not measured yet, and writes the tables.

A lane for which there is no server is not measured: its defects are listed, and how to get one is said.
"""

from __future__ import annotations

import argparse
import datetime
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from statemachine.binding import DEFAULT_BINDING, Binding
from statemachine.commands.certificate import citation
from statemachine.commands.certificate.catalogue import EMBEDDED, TRANSACTIONS, Planted, catalogue
from statemachine.commands.certificate.citation import Certificate, Counted
from statemachine.commands.certificate.commit import commit_of
from statemachine.commands.certificate.document import document, table
from statemachine.commands.certificate.findings import Findings
from statemachine.commands.certificate.hunt import INTERLEAVED, PLAIN, SEARCH
from statemachine.commands.certificate.measuring import Shard, measure
from statemachine.commands.certificate.plan import METHODS_OF, Plan, measured_on
from statemachine.commands.certificate.rows import Row, misses
from statemachine.report.console import BROKEN, DONE, INTERRUPTED, Command, UsageError, say, whole_number
from statemachine.world.databases.availability import missing_because, packages_missing
from statemachine.world.databases.opening import load_here
from statemachine.world.databases.postgresql import SERVER_VARIABLE, named_server

SEEDS = range(100, 120)
BASELINE_SEEDS = range(100, 105)
EXAMPLES = {SEARCH: 2000, PLAIN: 2000, INTERLEAVED: 400}
RESULTS = Path(".statemachine") / "certificate"


def seeds(text: str) -> range:
    """``100-119``, both included, or one number; ``none`` for no seeds."""
    if text == "none":
        return range(0)
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()) or int(last or first) < int(first):
        raise argparse.ArgumentTypeError(f"{text} is no range of seeds: write 100-119, or one number")
    return range(int(first), int(last or first) + 1)


def shard(text: str) -> Shard:
    """``1/2``: the first of two."""
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text} is no shard: write 1/2 for the first of two")
    return Shard(int(number), int(count))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--binding", metavar="MODULE:FACTORY", default=DEFAULT_BINDING, help="the system with the defects")
    add("--defects", metavar="NAME", nargs="+", help="only these (default: all that can be hunted)")
    add("--seeds", type=seeds, default=SEEDS, help="first-last (default: 100-119; tune on 0-19)")
    add("--baseline-seeds", type=seeds, default=BASELINE_SEEDS, help="of the plain machine, or none")
    add(
        "--examples",
        type=whole_number,
        metavar="N",
        help="examples a search at most (default: 2000, and 400 in the transactions lane)",
    )
    add(
        "--database-server",
        metavar="URL",
        help="hunt the defects of the transactions lane on this PostgreSQL server, in new databases "
        f"(default: ${SERVER_VARIABLE}, else one private server for all; where there can be none, those "
        "defects are listed and not hunted)",
    )
    add("--shard", type=shard, default=Shard(), metavar="K/N", help="measure only the K-th of N parts")
    add(
        "--jobs", type=whole_number, default=os.cpu_count() or 1, help="processes (default: a processor each)"
    )
    add("--results", type=Path, default=RESULTS, metavar="DIR", help=f"findings are kept here ({RESULTS})")
    add("--write", type=Path, metavar="FILE", help=f"write the certificate there ({citation.DOCUMENT})")


def run(asked: argparse.Namespace) -> int:
    """Exit code 0 when this shard is measured; 1 when a certificate cannot be written yet."""
    if asked.write is not None and asked.write.is_dir():
        raise UsageError(f"--write {asked.write}: it is a directory; name a file, {citation.DOCUMENT} say")
    binding = load_here(asked.binding)
    plan = _plan(asked, binding)
    part: Shard = asked.shard
    name = "findings" if part == Shard() else f"findings-{part.number}-of-{part.parts}"
    try:
        findings = Findings(asked.results, f"{name}.jsonl")
    except OSError as error:
        raise UsageError(
            f"--results {asked.results}: {error.strerror}; name a folder that can be used"
        ) from None
    if findings.unreadable:
        say(f"{findings.unreadable} lines in {asked.results} cannot be read and are measured again")
    missing = _missing(asked, plan, findings)
    if missing:
        say(f"Not hunted are the defects of the transactions lane: {missing}")
    # Dealt out first: a machine without a server has the same shards as one that has one.
    mine = [one for one in part.of(plan.hunts()) if not missing or one.method != INTERLEAVED]
    if not measure(mine, findings, asked.jobs, named_server(asked.database_server)):
        say(f"Interrupted; what is measured is in {findings.file}. The same command goes on from there.")
        return INTERRUPTED
    return _conclude(asked, plan, findings, missing)


def _missing(asked: argparse.Namespace, plan: Plan, findings: Findings) -> str:
    """Why hunts of the transactions lane cannot be done that have not been yet; empty when they can."""
    waiting = any(one.method == INTERLEAVED and one not in findings.by_hunt for one in plan.hunts())
    if not waiting:
        return ""
    named = named_server(asked.database_server)
    if named is not None and packages_missing():
        raise UsageError(f"--database-server needs {packages_missing()}: pip install '.[postgres]'")
    missing = missing_because(named) or ""
    if missing and not plan.hunts((TRANSACTIONS,)):
        raise UsageError(missing)
    return missing


def _plan(asked: argparse.Namespace, binding: Binding) -> Plan:
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
    return Plan(asked.binding, planted, by_method, examples, measured_on(asked.binding, binding.defects))


def _chosen(planted: Sequence[Planted], names: Sequence[str] | None) -> list[Planted]:
    known = {one.name: one for one in planted}
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise UsageError(
            f"--defects {' '.join(unknown)}: there is no such defect; there are {', '.join(known)}"
        )
    return [one for one in planted if names is None or one.name in names]


# -- the certificate ----------------------------------------------------------------------------


def _conclude(asked: argparse.Namespace, plan: Plan, findings: Findings, missing: str) -> int:
    unplayed = (TRANSACTIONS,) if missing else ()
    hunts = plan.hunts(unplayed)
    unmeasured = sum(one not in findings.by_hunt for one in hunts)
    rows = plan.rows(findings, unplayed)
    if unmeasured:
        say(
            f"This part is measured; {unmeasured} of {len(hunts)} searches are other shards': "
            f"put their files into {asked.results} and call again without --shard."
        )
        return BROKEN if asked.write else DONE
    certificate = _certificate(plan, rows)
    if asked.write:
        _write(asked, certificate, rows, missing)
    else:
        _tell(rows)
    say(f"{certificate.counts()} found on every seed")
    return DONE


def _tell(rows: Sequence[Row]) -> None:
    for lane in METHODS_OF:
        played = [row for row in rows if row.planted.lane == lane and row.played]
        for line in table(played) if played else ():
            say(line)
    for row in rows:
        for sentence in misses(row):
            say(f"missed: {sentence}")


def _certificate(plan: Plan, rows: Sequence[Row]) -> Certificate:
    measured = plan.measured
    found, played = (
        Counter(row.planted.lane for row in some)
        for some in ([row for row in rows if row.always_found], [row for row in rows if row.played])
    )
    interleaved = Counted(found[TRANSACTIONS], played[TRANSACTIONS], plan.examples[INTERLEAVED])
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
    # What runs cite is the whole catalogue of the bundled system on the seeds that are reported, measured
    # in a checkout: what is installed from elsewhere keeps the certificate that it came with.
    if certificate.commit and (asked.seeds, asked.examples, asked.defects, asked.binding) == standard:
        citation.KEPT.write_text(citation.dumps(certificate), encoding="utf-8", newline="\n")
        say(f"{citation.KEPT} written: runs cite it from now on")


COMMAND = Command(
    "certificate",
    "Measure how surely each planted defect is found, on which seeds and how soon, and write the table.",
    add_arguments,
    run,
)
