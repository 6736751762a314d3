"""A run by time with real worker processes: what it finds, what it keeps, and what it survives."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from statemachine.binding import DEFAULT_BINDING, load
from statemachine.history.ndjson import Header
from statemachine.invariants import Verdict
from statemachine.plugin.progress import status
from statemachine.report.text.figures import doubt_lines, strategy_lines
from statemachine.report.text.paper import Paper
from statemachine.search.corpus.entries import Corpus, EntryKind
from statemachine.search.corpus.places import CorpusPlace, Directory
from statemachine.search.figures import InCorpus
from statemachine.search.fuzzing.campaign import Fuzz, FuzzCampaign
from statemachine.search.fuzzing.searches import Size, System
from tests.conftest import OpenLane
from tests.search.fuzzing import systems

SIZE = Size(examples=30, steps=30)
LATE = "completion_without_token"
"""Found within some ten examples on every seed: see docs/certificate.md."""

PATIENCE_SECONDS = 150
"""No campaign here needs it: each ends as soon as it has shown what its test is about."""

Fuzzing = Callable[..., FuzzCampaign]
Condition = Callable[[FuzzCampaign], bool]


def examples(number: int) -> Condition:
    return lambda campaign: campaign.total.tally.examples >= number


@pytest.fixture
def fuzzing(open_lane: OpenLane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fuzzing:
    """Fuzz in two processes until something is the case, in a directory of its own; the campaign."""
    monkeypatch.chdir(tmp_path)

    def fuzz(
        until: Condition,
        defect: str | None = None,
        path: str = DEFAULT_BINDING,
        place: CorpusPlace | None = None,
        most_failures: int = 0,
        seed: int = 100,
    ) -> FuzzCampaign:
        header = Header(path, load(path, defect).lifecycle, seed, defect)
        corpus = Corpus(place or Directory(Path("corpus")), header)

        def tick(campaign: FuzzCampaign) -> None:
            if until(campaign):
                campaign.asked = campaign.asked._replace(seconds=0)

        with open_lane(defect, path) as lane:
            asked = Fuzz(System(path, defect, 0), seed, PATIENCE_SECONDS, 2, SIZE)
            campaign = FuzzCampaign(lane, corpus, asked, tick, most_failures)
            campaign.run()
        assert campaign.elapsed < PATIENCE_SECONDS
        return campaign

    return fuzz


def test_the_correct_system_stays_clean_and_leaves_a_corpus(fuzzing: Fuzzing) -> None:
    told: list[str] = []

    def enough(campaign: FuzzCampaign) -> bool:
        told.append(status(campaign))
        return campaign.total.tally.examples >= 60

    campaign = fuzzing(enough)
    assert len(campaign.findings) == 0
    assert campaign.total.finished
    assert not campaign.total.doubts()
    kept = campaign.corpus.entries()
    assert {entry.kind for entry in kept} == {EntryKind.SITUATIONS}
    assert 0 < campaign.last_new <= campaign.elapsed
    assert " left · " in told[0]
    assert " · 0 failures · " in told[-1]
    assert len(status(campaign, Paper(80, "ascii"))) <= 80
    assert status(campaign, Paper(80, "ascii")).isascii()
    # What the corpus meets is not new to the next campaign.
    again = fuzzing(lambda campaign: campaign.replayed == len(kept))
    assert again.situations == campaign.situations


def test_a_defect_is_found_kept_and_found_again_first(fuzzing: Fuzzing) -> None:
    campaign = fuzzing(examples(10_000), LATE, most_failures=1)
    assert {found.signature.invariant for found in campaign.findings} == {"only_the_holder_finishes"}
    assert campaign.corpus.entries(EntryKind.FAILURES)
    again = fuzzing(examples(10_000), LATE, most_failures=1)
    assert again.total.tally.examples == 0, "nothing had to be searched for"
    (found,) = again.findings
    assert found.signature in campaign.findings.signatures
    assert found.origin == InCorpus("corpus")


def test_a_known_failure_is_counted_and_does_not_end_the_search(fuzzing: Fuzzing) -> None:
    campaign = fuzzing(lambda campaign: any(found.times > 3 for found in campaign.findings), LATE)
    assert campaign.total.finished
    assert len(campaign.corpus.entries(EntryKind.FAILURES)) < sum(found.times for found in campaign.findings)


def test_a_system_that_ends_its_process_is_doubted(fuzzing: Fuzzing) -> None:
    campaign = fuzzing(
        lambda campaign: bool(campaign.total.tally.lost), path="tests.search.fuzzing.systems:Dying"
    )
    assert re.match(
        r"the search with seed 10\d: its process ended with exit code 3", campaign.total.tally.lost[0]
    )
    assert campaign.total.tally.lost[0] in campaign.total.doubts().lost
    assert campaign.total.verdict is Verdict.UNKNOWN


def test_a_search_that_was_not_played_again_in_time_is_doubted(fuzzing: Fuzzing) -> None:
    campaign = fuzzing(lambda campaign: bool(campaign._retries), path="tests.search.fuzzing.systems:Dying")
    assert campaign.total.tally.lost
    assert campaign.total.verdict is Verdict.UNKNOWN


def test_a_system_that_cannot_be_played_ends_the_campaign_at_once(fuzzing: Fuzzing) -> None:
    campaign = fuzzing(lambda campaign: False, path="tests.search.fuzzing.systems:Unreadable")
    assert 0 < len(campaign.total.tally.lost) <= 4
    assert "no such view" in campaign.total.tally.lost[0]
    assert campaign.total.verdict is Verdict.UNKNOWN


def test_a_search_that_hangs_is_ended(fuzzing: Fuzzing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("statemachine.search.fuzzing.campaign.GRACE_SECONDS", 1)
    # Two searches of 30 examples each release a job at once.
    campaign = fuzzing(lambda campaign: campaign.elapsed > 10, path="tests.search.fuzzing.systems:Hanging")
    assert any("did not end when its time was up" in lost for lost in campaign.total.tally.lost)
    assert campaign.total.verdict is Verdict.UNKNOWN


def test_a_process_that_is_killed_does_not_keep_the_others_from_stopping() -> None:
    context = multiprocessing.get_context("spawn")
    stop = context.RawValue("b", 0)
    for _ in range(3):
        reader = context.Process(target=systems.read_for_ever, args=(stop,), daemon=True)
        reader.start()
        time.sleep(0.5)
        reader.kill()
        reader.join()
    stop.value = 1
    last = context.Process(target=systems.read_for_ever, args=(stop,), daemon=True)
    last.start()
    last.join(30)
    assert last.exitcode == 0


def test_what_cannot_exist_and_was_met_is_doubted(fuzzing: Fuzzing) -> None:
    campaign = fuzzing(examples(1), path="tests.search.fuzzing.systems:Importing")
    (doubt,) = doubt_lines(campaign.total.doubts())
    assert re.match(r"situation said to be unreachable was met \d+ times?: create: new id;", doubt)
    assert campaign.total.verdict is Verdict.UNKNOWN


def test_a_search_whose_process_was_killed_is_played_again(fuzzing: Fuzzing, tmp_path: Path) -> None:
    campaign = fuzzing(examples(60), path="tests.search.fuzzing.systems:DyingOnce")
    assert (tmp_path / "died").exists()
    assert not campaign.total.doubts()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a console, not to a process")
def test_an_interrupt_ends_it_in_order_and_keeps_what_was_met(fuzzing: Fuzzing) -> None:
    def interrupt(campaign: FuzzCampaign) -> bool:
        if campaign.situations and not campaign.interrupted:
            os.kill(os.getpid(), signal.SIGINT)
        return False

    campaign = fuzzing(interrupt)
    assert campaign.interrupted
    assert not campaign.total.finished
    assert campaign.total.verdict is Verdict.UNKNOWN
    assert campaign.corpus.entries()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to a console, not to a process")
def test_a_second_interrupt_ends_it_at_once_with_what_was_played(fuzzing: Fuzzing) -> None:
    seen: list[FuzzCampaign] = []

    def interrupt_twice(campaign: FuzzCampaign) -> bool:
        seen[:] = [campaign]
        if campaign.total.tally.examples:
            os.kill(os.getpid(), signal.SIGINT)
        return False

    with pytest.raises(KeyboardInterrupt):
        fuzzing(interrupt_twice)
    assert seen[0].total.tally.seconds > 0
    assert not seen[0].total.finished


class FullDisk(Directory):
    def save(self, kind: str, name: str, text: str) -> None:
        raise OSError(28, "No space left on device")


def test_on_a_full_disk_everything_found_stays_in_memory_and_is_reported(fuzzing: Fuzzing) -> None:
    campaign = fuzzing(examples(10_000), LATE, place=FullDisk(Path("corpus")), most_failures=1)
    assert all(found.failure.events for found in campaign.findings)
    assert campaign.corpus.unsaved > 0
    assert any("No space left on device" in note for note in strategy_lines(campaign.figures()))


def test_what_another_run_finds_is_looked_up_now_and_then(
    fuzzing: Fuzzing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("statemachine.search.fuzzing.campaign.SECONDS_BETWEEN_LOOKS", 0)
    found = fuzzing(examples(10_000), LATE, most_failures=1, seed=900)
    entry = found.corpus.entries(EntryKind.FAILURES)[0]
    shared = Directory(Path("shared"))

    def share(campaign: FuzzCampaign) -> bool:
        """Another run, which shares the place, finds it once this one is under way."""
        campaign._next_look = 0
        if campaign.total.tally.examples and not campaign.replayed:
            shared.save(entry.kind, entry.name, entry.text)
        return campaign.replayed > 0

    campaign = fuzzing(share, LATE, place=shared)
    assert found.findings.signatures & campaign.findings.signatures
