"""``python -m statemachine certificate``: measures what is not measured yet, and writes the table."""

from __future__ import annotations

import argparse
import datetime
import os
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from statemachine.binding import DEFAULT_BINDING, Binding
from statemachine.certificate import citation
from statemachine.certificate.catalogue import EMBEDDED, Planted, catalogue
from statemachine.certificate.citation import Certificate
from statemachine.certificate.commit import commit_of
from statemachine.certificate.document import document, table
from statemachine.certificate.findings import Findings
from statemachine.certificate.hunt import PLAIN, SEARCH, Finding, Hunt, hunt
from statemachine.certificate.plan import Plan, measured_on
from statemachine.certificate.rows import Row, misses
from statemachine.command import BROKEN, DONE, INTERRUPTED, Command, Misused, say, whole_number
from statemachine.pool import side_by_side
from statemachine.standalone import load_here

SEEDS = range(100, 120)
BASELINE_SEEDS = range(100, 105)
EXAMPLES = 2000
RESULTS = Path(".statemachine") / "certificate"


class Shard(NamedTuple):
    """The ``number``-th of equal ``parts`` of a measurement, counted from 1."""

    number: int = 1
    parts: int = 1

    def of(self, hunts: Sequence[Hunt]) -> Sequence[Hunt]:
        """Every ``parts``-th, so that the shards of a long catalogue take about as long."""
        return hunts[self.number - 1 :: self.parts]


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
    add("--defects", metavar="NAME", nargs="+", help="only these (default: all of the embedded lane)")
    add("--seeds", type=seeds, default=SEEDS, help="first-last (default: 100-119; tune on 0-19)")
    add("--baseline-seeds", type=seeds, default=BASELINE_SEEDS, help="of the plain machine, or none")
    add("--examples", type=whole_number, default=EXAMPLES, help="examples a search (default: 2000)")
    add("--shard", type=shard, default=Shard(), metavar="K/N", help="measure only the K-th of N parts")
    add(
        "--jobs", type=whole_number, default=os.cpu_count() or 1, help="processes (default: a processor each)"
    )
    add("--results", type=Path, default=RESULTS, metavar="DIR", help=f"findings are kept here ({RESULTS})")
    add("--write", type=Path, metavar="FILE", help=f"write the certificate there ({citation.DOCUMENT})")


def run(asked: argparse.Namespace) -> int:
    """Exit code 0 when this shard is measured; 1 when a certificate cannot be written yet."""
    if asked.write is not None and asked.write.is_dir():
        raise Misused(f"--write {asked.write}: it is a directory; name a file, {citation.DOCUMENT} say")
    binding = load_here(asked.binding)
    plan = _plan(asked, binding)
    part: Shard = asked.shard
    name = "findings" if part == Shard() else f"findings-{part.number}-of-{part.parts}"
    try:
        findings = Findings(asked.results, f"{name}.jsonl")
    except OSError as error:
        raise Misused(
            f"--results {asked.results}: {error.strerror}; name a folder that can be used"
        ) from None
    if findings.unreadable:
        say(f"{findings.unreadable} lines in {asked.results} cannot be read and are measured again")
    if not _measure(part.of(plan.hunts()), findings, asked.jobs):
        say(f"Interrupted; what is measured is in {findings.file}. The same command goes on from there.")
        return INTERRUPTED
    return _conclude(asked, plan, findings)


def _plan(asked: argparse.Namespace, binding: Binding) -> Plan:
    planted = _chosen(catalogue(binding), asked.defects)
    if not any(one.lane == EMBEDDED for one in planted):
        raise Misused(
            f"{asked.binding} has no defect of the embedded lane to look for: give it some in defects"
        )
    if not asked.seeds:
        raise Misused("--seeds none leaves nothing to measure: give some, as 100-119")
    by_method = {SEARCH: asked.seeds, PLAIN: asked.baseline_seeds}
    return Plan(
        asked.binding, planted, by_method, asked.examples, measured_on(asked.binding, binding.defects)
    )


def _chosen(planted: Sequence[Planted], names: Sequence[str] | None) -> list[Planted]:
    known = {one.name: one for one in planted}
    unknown = sorted(set(names or ()) - set(known))
    if unknown:
        raise Misused(f"--defects {' '.join(unknown)}: there is no such defect; there are {', '.join(known)}")
    return [one for one in planted if names is None or one.name in names]


# -- measuring ----------------------------------------------------------------------------------


def _measure(hunts: Sequence[Hunt], findings: Findings, jobs: int) -> bool:
    """Hunt what has not been hunted; False when interrupted."""
    waiting = [one for one in hunts if one not in findings.by_hunt]
    if not waiting:
        return True
    say(f"{len(waiting)} of {len(hunts)} searches to do, {jobs} at a time")
    progress = _Progress(waiting)
    todo = iter(waiting)
    with closing(side_by_side(hunt, lambda: next(todo, None), jobs)) as results:
        try:
            for found in results:
                if found is not None:
                    findings.add(found)
                progress(found)
        except KeyboardInterrupt:
            return False
    return True


class _Progress:
    """Prints a line when a defect is done, and a sign of life when nothing has been for long."""

    def __init__(self, waiting: Sequence[Hunt]) -> None:
        self.all = len(waiting)
        self.left = Counter((one.method, one.defect) for one in waiting)
        self.found: Counter[tuple[str, str]] = Counter()
        self.asked = Counter(self.left)

    def __call__(self, found: Finding | None) -> None:
        if found is None:
            say(f"  {self._done()}: still searching")
            return
        key = (found.hunt.method, found.hunt.defect)
        self.left[key] -= 1
        self.found[key] += found.invariant is not None
        if not self.left[key]:
            how = "plain machine: " if key[0] == PLAIN else ""
            say(f"  {self._done()}: {how}{key[1]} found on {self.found[key]} of {self.asked[key]} seeds")

    def _done(self) -> str:
        return f"{self.all - self.left.total():5} of {self.all}"


# -- the certificate ----------------------------------------------------------------------------


def _conclude(asked: argparse.Namespace, plan: Plan, findings: Findings) -> int:
    hunts = plan.hunts()
    missing = sum(one not in findings.by_hunt for one in hunts)
    rows = plan.rows(findings)
    if missing:
        say(
            f"This part is measured; {missing} of {len(hunts)} searches are other shards': "
            f"put their files into {asked.results} and call again without --shard."
        )
        return BROKEN if asked.write else DONE
    certificate = _certificate(plan, rows)
    if asked.write:
        _write(asked, certificate, rows)
    else:
        for line in table([row for row in rows if row.planted.lane == EMBEDDED]):
            say(line)
        for row in rows:
            for sentence in misses(row):
                say(f"missed: {sentence}")
    say(f"{certificate.found} of {certificate.measured} defects found on every seed")
    return DONE


def _certificate(plan: Plan, rows: Sequence[Row]) -> Certificate:
    measured = plan.measured
    commit, modified = commit_of(measured.files)
    return Certificate(
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        commit=commit,
        modified=modified,
        binding=plan.binding,
        seeds=len(plan.seeds[SEARCH]),
        examples=plan.examples,
        found=sum(row.always_found for row in rows),
        measured=sum(row.planted.lane == EMBEDDED for row in rows),
        machine=measured.machine,
        system=measured.system,
        defects=measured.defects,
    )


def _write(asked: argparse.Namespace, certificate: Certificate, rows: Sequence[Row]) -> None:
    standard = (SEEDS, EXAMPLES, None, DEFAULT_BINDING)
    words = ["python -m statemachine certificate"]
    words += [f"--binding {asked.binding}"] * (asked.binding != DEFAULT_BINDING)
    words += [f"--defects {' '.join(asked.defects or ())}"] * (asked.defects is not None)
    words += [f"--seeds {asked.seeds.start}-{asked.seeds[-1]}"] * (asked.seeds != SEEDS)
    words += [f"--examples {asked.examples}"] * (asked.examples != EXAMPLES)
    asked.write.parent.mkdir(parents=True, exist_ok=True)
    asked.write.write_text(document(certificate, rows, " ".join(words)), encoding="utf-8", newline="\n")
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
