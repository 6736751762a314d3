"""``python -m statemachine merge``: adds up the shards of a run to one verdict.

Figures are added up.  The failing histories of all shards are played again here; what still breaks is
minimised and reported once, however many shards met it.  So are those of a shard that was killed.  A failure
that does not repeat with the code of this machine is not reported; a shard of which no failure repeats
raises a doubt.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path

from statemachine.binding import DEFAULT_BINDING
from statemachine.commands.merge.markdown import markdown
from statemachine.commands.merge.shards import Shard, shards_in
from statemachine.history.situation_pairs import pairs_of
from statemachine.history.words import counted
from statemachine.invariants import Verdict
from statemachine.report.asked import CORPUS, Asked
from statemachine.report.console import BROKEN, DONE, Command, UsageError, say
from statemachine.report.failure_folder import write_whole
from statemachine.report.failure_reports import report_failures
from statemachine.report.text.figures import accepted_lines
from statemachine.report.text.lanes import LIMITS
from statemachine.report.text.paper import paper_for
from statemachine.report.text.summary import run_summary
from statemachine.search import accepted
from statemachine.search.corpus.entries import Corpus, EntryKind
from statemachine.search.corpus.places import place_for
from statemachine.search.corpus.replay import found_again, replayed
from statemachine.search.corpus.selection import Selection
from statemachine.search.engine import EXAMPLES_OF_A_TIMED_RUN, register_profiles
from statemachine.search.findings import Findings
from statemachine.search.lanes import EMBEDDED
from statemachine.search.run import Run
from statemachine.search.triage.explain import explain
from statemachine.world.databases.opening import open_lane
from statemachine.world.lane import Lane


class Merge:
    """Adds up ``shards`` on an open lane, and merges their corpora into ``corpus``."""

    def __init__(self, lane: Lane, corpus: Corpus, shards: Sequence[Shard]) -> None:
        self.lane = lane
        self.corpus = corpus
        self.shards = shards
        self.total = Run(lane, judges_reach_from=EXAMPLES_OF_A_TIMED_RUN)
        self.notes: list[str] = []
        self.played: set[str] = set()
        """Names of the entries that were played."""
        self._selection = Selection()
        # Names of entries that break something here, and of the shards that have such an entry.
        self._failing: set[str] = set()
        self._repeated: set[str] = set()

    @property
    def findings(self) -> Findings:
        return self.total.findings

    def run(self) -> None:
        self._replay(self.corpus)
        for shard in self.shards:
            self._add(shard)
            corpus = Corpus(shard.corpus, self.corpus.header)
            self._replay(corpus)
            if not self._failing.isdisjoint(entry.name for entry in corpus.entries(EntryKind.FAILURES)):
                self._repeated.add(shard.name)
        for entry in self._selection.chosen():
            self.corpus.take(entry)
        self.corpus.drop(self._selection.needless())
        self.notes += self.corpus.notes
        self.total.findings = self.findings.minimised(self.lane)
        self.total.tally.lost += self._not_repeated()

    def _not_repeated(self) -> list[str]:
        return [
            f"{shard.name} found {counted(shard.run.failures, 'failure')}, and none breaks anything here: "
            "merge with the code that the shards have played"
            for shard in self.shards
            if shard.run is not None and shard.run.failures and shard.name not in self._repeated
        ]

    def _add(self, shard: Shard) -> None:
        run = shard.run
        if run is None:
            self.total.tally.lost.append(
                f"{shard.name} left no run.json (was it killed, or its disk full?): what it had played is "
                "not counted; what it had found is in its corpus"
            )
            return
        lost = [f"{shard.name}: {reason}" for reason in run.tally.lost]
        self.total.tally.add(replace(run.tally, lost=lost))
        self.notes += [f"{shard.name}: {note}" for note in run.notes]
        if not run.finished:
            self.total.tally.lost.append(f"{shard.name} was interrupted after {run.tally.seconds:.0f} s")

    def _replay(self, corpus: Corpus) -> None:
        lifecycle = self.lane.binding.lifecycle
        for again in replayed(self.lane, corpus, but=self.played):
            self.played.add(again.entry.name)
            fails = again.failure is not None
            self._selection.add(again.entry, pairs_of(lifecycle, again.events), fails=fails)
            if again.failure is not None:
                self._failing.add(again.entry.name)
                self.findings.add(found_again(again, again.failure, corpus.place, self.corpus))
        if corpus is not self.corpus:
            self.notes += corpus.notes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folders", nargs="+", metavar="FOLDER", help="the .statemachine of each shard, or what holds it")
    add(
        "--corpus",
        metavar="PLACE",
        default=CORPUS,
        help="where to keep what all of them found: a directory, or a Redis (default: .statemachine/corpus)",
    )
    add("--markdown", metavar="FILE", help="write the summary as Markdown too, at the end of FILE")
    add(
        "--binding",
        metavar="MODULE:FACTORY",
        default=DEFAULT_BINDING,
        help="the system under test, that of the shards (default: the bundled one)",
    )


def run(asked: argparse.Namespace) -> int:
    """Exit code 0 for PASS, 1 for FAIL and UNKNOWN.

    Raises ``RunFileError`` and ``PlaceError``, and what opening the binding raises.
    """
    shards = shards_in(asked.folders)
    first = next((shard.run for shard in shards if shard.run is not None), None)
    path = asked.binding
    if first is not None and path != first.binding:
        raise UsageError(
            f"--binding {path}: these are runs of the binding {first.binding!r}; give it by --binding if it "
            "is yours (a module is never imported because a file names it)"
        )
    defect = first.defect if first is not None else None
    place = place_for(asked.corpus)
    acceptances = accepted.read(accepted.FILE, datetime.now(UTC).date())
    register_profiles()
    with open_lane(path, defect) as lane:
        seed = first.seed if first is not None else 0
        ours = Asked(path, lane.binding, defect, seed, corpus=place, paper=paper_for(sys.stdout))
        merge = Merge(lane, Corpus(place, ours.header()), shards)
        merge.total.accepted = acceptances
        say(f"{counted(len(shards), 'shard')} of {path}: playing what they found again")
        merge.run()
        reported = report_failures(ours, merge.total, partial(explain, lane))
    if reported.text:
        say(f"\n{reported.text}\n")
    merge.total.finished = True
    kept = (
        f"Corpus: {counted(len(merge.played), 'history', 'histories')} played again; {place} now holds "
        f"{len(merge.corpus.entries())}"
    )
    last = [
        f"{counted(len(shards), 'shard')} added up, their seconds as well",
        kept,
        *accepted_lines(merge.total),
        *merge.notes,
        *LIMITS[EMBEDDED.name],
    ]
    summary = run_summary(merge.total, lane.binding.waived, last, ours.paper)
    for line in summary:
        say(line)
    if asked.markdown is not None:
        found = list(chain.from_iterable(merge.total.open_findings.by_claim()))
        replay = {signature: ours.replay_command(folder) for signature, folder in reported.folders.items()}
        _append(Path(asked.markdown), markdown(merge.total, found, shards, replay, summary))
    return DONE if merge.total.verdict is Verdict.PASS else BROKEN


def _append(file: Path, text: str) -> None:
    """Add ``text`` at the end of ``file``: the job summary of GitHub is one file for all steps."""
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    write_whole(file, (before + text).encode())


COMMAND = Command(
    "merge",
    "Add up the runs of several machines: one verdict, and each distinct failure once.",
    add_arguments,
    run,
)
