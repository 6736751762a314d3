"""The summary of merged runs in Markdown, which a CI service shows beside a job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from statemachine.commands.merge.shards import Shard
from statemachine.history.shown import fenced
from statemachine.history.words import grouped
from statemachine.report.text.figures import doubt_lines
from statemachine.report.text.paper import WIDE
from statemachine.report.text.summary import verdict_line
from statemachine.search.findings import Finding
from statemachine.search.run import Run
from statemachine.search.triage.signature import Signature

_NOT_KEPT = "not saved"


def markdown(
    run: Run,
    findings: Sequence[Finding],
    shards: Sequence[Shard],
    replay: Mapping[Signature, str],
    summary: Sequence[str],
) -> str:
    """Return verdict, failures, shards, and the whole summary folded away.

    ``replay`` gives the command line that plays a finding of a signature again, where it could be saved.
    """
    return "\n".join(
        [
            f"## {_text(verdict_line(run))}",
            "",
            *(f"- {_text(doubt)}" for doubt in doubt_lines(run.doubts())),
            *_failures(findings, replay),
            "",
            *shard_table(shards),
            "",
            "<details><summary>What was met and judged</summary>",
            "",
            *fenced(map(WIDE.spelt, summary)),
            "",
            "</details>",
            "",
        ]
    )


def _failures(findings: Sequence[Finding], replay: Mapping[Signature, str]) -> Iterator[str]:
    if not findings:
        return
    yield from ["", "| claim | what happened | steps | play it again |", "|---|---|---:|---|"]
    for found in findings:
        seen = found.failure.headline
        again = _code(replay[found.signature]) if found.signature in replay else _NOT_KEPT
        yield f"| `{seen.invariant}` | {_text(seen.story)} | {found.steps} | {again} |"


def shard_table(shards: Sequence[Shard]) -> Iterator[str]:
    """Yield a table with a line for each shard, of its ``run.json``."""
    yield from ["| shard | seed | examples | steps | seconds | failures |", "|---|---:|---:|---:|---:|---:|"]
    for shard in shards:
        run = shard.run
        if run is None:
            yield f"| {_text(shard.name)} | | left no run | | | |"
            continue
        tally = run.tally
        counts = [run.seed, *map(grouped, (tally.examples, tally.steps, tally.seconds)), run.failures]
        yield f"| {_text(shard.name)} | {' | '.join(map(str, counts))} |"


def _code(said: str) -> str:
    """Return a command line as code in a table, where a bar would end the cell even so."""
    shown = WIDE.cell(said).replace("|", "\\|")
    return f"`{shown}`" if "`" not in shown else f"`` {shown} ``"


def _text(said: str) -> str:
    """Escape what Markdown would take for markup: a story may quote what the system said."""
    shown = "".join(
        f"\\{letter}" if letter in "\\`*_{}[]<>#|~" else letter for letter in " ".join(said.split())
    )
    return WIDE.cell(shown)
