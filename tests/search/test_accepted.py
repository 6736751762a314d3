"""Accepted findings: they do not fail a run, hide no other finding, and are met, past or mended aloud."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from models_under_test.binding import AIJobsBinding
from models_under_test.defects import create_again_publishes_again, sweep_never_marks
from models_under_test.pipelines import with_replaced
from statemachine.history.ndjson import Header
from statemachine.invariants import Verdict
from statemachine.report.text.figures import accepted_lines
from statemachine.report.text.summary import verdict_line
from statemachine.search.accepted import NONE, Acceptance, AcceptanceError, Acceptances, read
from statemachine.search.corpus.entries import Corpus
from statemachine.search.corpus.places import Directory
from statemachine.search.run import Run
from statemachine.search.strategy import PlainSearch
from statemachine.search.triage.signature import Signature
from tests.conftest import OpenLane

EXAMPLES = 60
TODAY, YESTERDAY = date(2030, 6, 15), date(2030, 6, 14)
TWO_BUGS = f"{__name__}:TwoBugs"
FIRST, SECOND = "a_job_is_created_once", "recovery_sends_only_unsent_jobs"


class TwoBugs(AIJobsBinding):
    def planted_parts(self) -> dict[str, Any]:
        once = with_replaced(self.parts(), create_again_publishes_again.PARTS)
        return with_replaced(once, sweep_never_marks.PARTS)


@pytest.fixture(autouse=True)
def small_profile() -> Iterator[None]:
    settings.register_profile("accepting", settings.get_profile("dev"), max_examples=EXAMPLES)
    before = settings.get_current_profile_name()
    settings.load_profile("accepting")
    yield
    settings.load_profile(before)


def played(open_lane: OpenLane, place: Path, accepted: Acceptances = NONE) -> Run:
    """Search the system of two bugs, with the corpus that earlier searches have left at ``place``."""
    with open_lane(None, TWO_BUGS) as lane:
        corpus = Corpus(Directory(place), Header(TWO_BUGS, lane.binding.lifecycle))
        search = PlainSearch(lane, corpus, 1, lambda control: None, exit_first=False)
        search.total.accepted = accepted
        search.run()
        search.total.minimise()
    return search.total


def accepting(run: Run, *claims: str, until: date = TODAY) -> Acceptances:
    found = sorted(run.findings.signatures)
    return Acceptances(
        tuple(
            Acceptance(one.invariant, str(one), "known", until) for one in found if one.invariant in claims
        ),
        TODAY,
    )


def claims_of(run: Run) -> set[str]:
    return {found.signature.invariant for found in run.open_findings}


def test_what_is_accepted_hides_nothing_and_is_told(open_lane: OpenLane, tmp_path: Path) -> None:
    found = played(open_lane, tmp_path / "corpus")
    assert claims_of(found) == {FIRST, SECOND}
    minimal = accepting(found, FIRST)
    first = found.findings.by_claim()[0][0]
    assert str(first.signature) in {one.signature for one in minimal.entries}

    for place in ("corpus", "new"):
        one = played(open_lane, tmp_path / place, minimal)
        assert claims_of(one) == {SECOND}
        assert one.verdict is Verdict.FAIL

    both = played(open_lane, tmp_path / "corpus", accepting(found, FIRST, SECOND))
    assert claims_of(both) == set()
    assert (both.verdict, both.failure) == (Verdict.PASS, None)
    assert both.tally.examples >= EXAMPLES, "it is searched as if nothing were broken"
    assert "nothing was broken but" in verdict_line(both)
    assert "until 2030-06-15 at the earliest" in verdict_line(both)
    assert any(line.startswith(f"accepted until {TODAY}, met ") for line in accepted_lines(both))

    past = played(open_lane, tmp_path / "corpus", accepting(found, FIRST, SECOND, until=YESTERDAY))
    assert past.verdict is Verdict.FAIL
    assert claims_of(past) == {FIRST, SECOND}
    assert any(
        f"accepted until {YESTERDAY}, which is past, and met " in line for line in accepted_lines(past)
    )


def test_what_is_not_met_any_more_is_told(open_lane: OpenLane) -> None:
    with open_lane() as lane:
        run = Run(lane)
        run.tally.examples = 7
        entry = Acceptance("every_job_ends", "drain: RUNNING", "a ticket", TODAY)
        run.accepted = Acceptances((entry, entry._replace(until=YESTERDAY)), TODAY)
        assert accepted_lines(run) == [
            f"accepted until {TODAY} and not met in 7 examples: every_job_ends (drain: RUNNING); if it is "
            "mended, take it out of statemachine.toml",
            f"accepted until {YESTERDAY}, which is past, and not met: every_job_ends (drain: RUNNING); "
            "take it out of statemachine.toml",
        ]
        run.meet_again({Signature("every_job_ends", "drain", "RUNNING"): 3})
        assert accepted_lines(run)[0] == (
            f"accepted until {TODAY}, met 3 times: every_job_ends (drain: RUNNING): a ticket"
        )


# -- the file ---------------------------------------------------------------------------------------

GOOD = {
    "claim": '"every_job_ends"',
    "signature": '"drain:\\n  RUNNING"',
    "reason": '"a ticket"',
    "until": "2030-06-15",
}


def entry(**changes: str | None) -> str:
    fields = GOOD | changes
    return "\n".join(["[[accepted]]", *(f"{name} = {value}" for name, value in fields.items() if value)])


def test_a_file_is_read_and_none_accepts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "statemachine.toml"
    assert read(file, TODAY).entries == ()
    file.write_text(entry())
    accepted = read(file, TODAY)
    assert accepted.entries == (Acceptance("every_job_ends", "drain: RUNNING", "a ticket", TODAY),)
    assert accepted.of(Signature("every_job_ends", "drain", "RUNNING")) is accepted.entries[0]
    assert accepted.of(Signature("every_job_ends", "drain", "PENDING")) is None
    assert read(file, date(2030, 6, 16)).of(Signature("every_job_ends", "drain", "RUNNING")) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[accepted", "is no TOML"),
        ("\x00", "is no TOML"),
        ("[accepted]", "accepted must be a list of tables"),
        ("accepted = [3]", "[[accepted]] 1: 3 is no table"),
        ("[other]", "'other' means nothing here"),
        (
            entry(untill='"x"'),
            "'untill' means nothing here; the fields are claim, signature, reason and until",
        ),
        (entry(reason=None), "reason is missing; give why it is accepted"),
        (entry(reason='" "'), "reason is ' '; give why it is accepted"),
        (entry(claim="7"), "claim is 7; give the claim that breaks"),
        (entry(claim='"all_is_well"'), "claim is 'all_is_well', which is none"),
        (entry(until=None), "until is missing; give the last day"),
        (entry(until='"2030-06-15"'), "until is '2030-06-15'; give the last day"),
        (entry(until="2030-06-15T00:00:00"), "until is 2030-06-15 00:00:00; give the last day"),
        (f"{entry()}\n{entry()}", "[[accepted]] 2: an earlier entry has the same claim and signature"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_sentence(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "statemachine.toml"
    file.write_text(text)
    with pytest.raises(AcceptanceError) as refused:
        read(file, TODAY)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(refused.value).startswith(str(file))
