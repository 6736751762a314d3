"""A run's header cites the certificate, and says when the sources have changed since it was measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models_under_test.defects import STORIES
from statemachine.binding import DEFAULT_BINDING
from statemachine.commands.certificate import sources
from statemachine.commands.certificate.citation import Certificate, LaneFigures, cite, dumps, loads
from statemachine.commands.certificate.plan import measured_on
from statemachine.commands.certificate.sources import Digest
from tests.commands.certificate.literal import CERTIFICATE

CITED = (
    "the search found 44 of 45 planted defects on each of 20 seeds "
    "(docs/certificate.md, 2026-11-22, commit abc1234)"
)
AGAIN = (
    ", so it may find more or fewer now; to measure again: "
    "python -m statemachine certificate --write docs/certificate.md"
)
OTHER = Digest("0" * 16, "0" * 16)


@pytest.fixture(scope="module")
def fresh() -> Certificate:
    now = measured_on(DEFAULT_BINDING, STORIES)
    return CERTIFICATE._replace(
        binding=DEFAULT_BINDING,
        machine=now.machine,
        interleaving=now.interleaving,
        system=now.system,
        defects=now.defects,
    )


def cited(certificate: Certificate, folder: Path, binding: str = DEFAULT_BINDING) -> str:
    kept = folder / "certificate.json"
    kept.write_text(dumps(certificate), encoding="utf-8")
    return cite(binding, STORIES, kept)


def test_a_certificate_of_these_sources_is_cited_without_a_reservation(
    fresh: Certificate, tmp_path: Path
) -> None:
    assert cited(fresh, tmp_path) == f"certificate: {CITED}"


@pytest.mark.parametrize(
    ("group", "name", "since"),
    [
        ("machine", "invariants.leases", "the search or the claims have changed"),
        ("machine", "gone_by_now", "the search or the claims have changed"),
        ("interleaving", "search.contention", "the transactions lane has changed"),
        ("interleaving", "gone_by_now", "the transactions lane has changed"),
        ("system", "repositories.py", "the system under test has changed"),
        ("system", "gone_by_now.py", "the system under test has changed"),
        ("defects", "lease_edge_excluded", "defects were added, removed or changed (lease_edge_excluded)"),
        ("defects", "gone_by_now", "defects were added, removed or changed (gone_by_now)"),
    ],
)
def test_it_says_what_changed_since(
    group: str, name: str, since: str, fresh: Certificate, tmp_path: Path
) -> None:
    stale = fresh._replace(**{group: {**getattr(fresh, group), name: OTHER}})
    assert cited(stale, tmp_path) == f"certificate: {CITED}; since then {since}{AGAIN}"


def test_a_new_defect_is_named(fresh: Certificate, tmp_path: Path) -> None:
    others = {name: digest for name, digest in fresh.defects.items() if name != "running_job_reentered"}
    line = cited(fresh._replace(defects=others), tmp_path)
    assert line.endswith(
        f"; since then defects were added, removed or changed (running_job_reentered){AGAIN}"
    )


def test_a_comment_or_another_layout_is_no_change(fresh: Certificate, tmp_path: Path) -> None:
    moved = {name: digest._replace(text="another") for name, digest in fresh.machine.items()}
    assert cited(fresh._replace(machine=moved), tmp_path) == f"certificate: {CITED}"


def test_for_a_foreign_binding_it_says_whose_defects_and_judges_the_machine_only(
    fresh: Certificate, tmp_path: Path
) -> None:
    theirs = CITED.replace("planted defects", "defects planted in the bundled system")
    stale_system = fresh._replace(system={"repositories.py": OTHER})
    assert cited(stale_system, tmp_path, "theirs:Binding") == f"certificate: {theirs}"
    stale = fresh._replace(machine={"machine": OTHER})
    assert cited(stale, tmp_path, "theirs:Binding").endswith(
        f"; since then the search or the claims have changed{AGAIN}"
    )


def test_the_transactions_lane_changes_beside_the_system(fresh: Certificate, tmp_path: Path) -> None:
    lane = {**fresh.interleaving, "world.transactions.lane": OTHER}
    stale = fresh._replace(interleaving=lane, system={**fresh.system, "repositories.py": OTHER})
    lane_changed = "the transactions lane has changed"
    changes = f"since then the system under test has changed and {lane_changed}"
    assert cited(stale, tmp_path) == f"certificate: {CITED}; {changes}{AGAIN}"
    assert cited(stale, tmp_path, "theirs:Binding").endswith(f"abc1234); since then {lane_changed}{AGAIN}")
    stale = stale._replace(machine={"machine": OTHER})
    search = "since then the search or the claims have changed"
    assert cited(stale, tmp_path) == f"certificate: {CITED}; {search}{AGAIN}"


def test_two_lanes_have_their_own_counts(fresh: Certificate, tmp_path: Path) -> None:
    both = fresh._replace(transactions=LaneFigures(11, 12, 400))
    assert loads(dumps(both)) == both
    ours = (
        "the search found 44 of 45 planted defects in the embedded lane, 11 of 12 in the transactions lane "
        "on each of 20 seeds ("
    )
    assert cited(both, tmp_path).startswith(f"certificate: {ours}")
    theirs = ours.replace("planted defects", "defects planted in the bundled system")
    assert cited(both, tmp_path, "theirs:Binding").startswith(f"certificate: {theirs}")
    assert both._replace(found=0, measured=0).counts() == "11 of 12 defects in the transactions lane"


def test_a_certificate_from_before_the_transactions_lane_is_read(fresh: Certificate, tmp_path: Path) -> None:
    written = json.loads(dumps(fresh))
    del written["interleaving"], written["transactions"]
    older = loads(json.dumps(written))
    assert older == fresh._replace(interleaving={}, transactions=None)
    assert cited(older, tmp_path) == f"certificate: {CITED}"


def test_uncommitted_changes_and_an_unknown_commit_are_mentioned() -> None:
    assert CERTIFICATE._replace(modified=True).origin == "2026-11-22, commit abc1234 with uncommitted changes"
    assert CERTIFICATE._replace(commit="").origin == "2026-11-22, commit unknown"


def test_without_a_certificate_it_says_how_to_get_one(tmp_path: Path) -> None:
    assert cite(DEFAULT_BINDING, STORIES, tmp_path / "certificate.json").startswith("certificate: none yet;")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"machine": 1}', '{"machine": {}, "system": {}, "defects": {}}']
)
def test_a_damaged_certificate_is_no_traceback(text: str, tmp_path: Path) -> None:
    kept = tmp_path / "certificate.json"
    kept.write_text(text, encoding="utf-8")
    assert f"{kept} cannot be read" in cite(DEFAULT_BINDING, STORIES, kept)


def test_it_survives_being_written(fresh: Certificate) -> None:
    assert loads(dumps(fresh)) == fresh


def test_a_header_does_not_wait_for_it(
    fresh: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # To parse all sources takes 100 ms and more, to compare their texts 2.
    monkeypatch.setattr(sources, "meaning_digest", lambda source: pytest.fail("parsed without need"))
    assert cited(fresh, tmp_path) == f"certificate: {CITED}"
