"""Real hunts of defects of the transactions lane, as the command makes them: in processes, on one server."""

from __future__ import annotations

import pytest

from statemachine.binding import DEFAULT_BINDING
from statemachine.commands.certificate.hunt import INTERLEAVED, SEARCH, Dealt, Hunt, HuntResults
from statemachine.commands.certificate.measuring import measure
from tests.support.postgresql import names

DEFECT = "acquired_without_lock"
"""Two workers read one job as PENDING; found in 4 to 30 examples on the seeds 0-4."""
BY_HAND = 9


def asked(method: str, defect: str, examples: int) -> Hunt:
    return Hunt(DEFAULT_BINDING, method, defect, 0, examples, "")


@pytest.fixture(scope="module")
def measured(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> HuntResults:
    """One defect of each lane, and that of the transactions lane once more where it is not searched long."""
    findings = HuntResults(tmp_path_factory.mktemp("results"), "findings.jsonl")
    hunts = [
        asked(INTERLEAVED, DEFECT, 100),
        asked(INTERLEAVED, DEFECT, 1),
        asked(SEARCH, "lease_as_long_as_visibility", 60),
    ]
    before = names(postgresql_server)
    assert measure(hunts, findings, 2, postgresql_server)
    assert names(postgresql_server) == before
    return findings


def test_a_race_is_found_minimised_and_kept_with_its_server(measured: HuntResults) -> None:
    found = measured.by_hunt[asked(INTERLEAVED, DEFECT, 100)]
    assert found.invariant == "one_holder_at_a_time"
    assert 1 < found.examples < 100
    assert BY_HAND <= found.shrunk < found.steps
    assert found.server.startswith("PostgreSQL ")


def test_what_is_not_found_has_played_all_its_examples(measured: HuntResults) -> None:
    found = measured.by_hunt[asked(INTERLEAVED, DEFECT, 1)]
    assert (found.invariant, found.steps, found.shrunk) == (None, 0, 0)
    assert found.examples >= 1


def test_beside_it_whole_operations_are_played_without_a_server(measured: HuntResults) -> None:
    found = measured.by_hunt[asked(SEARCH, "lease_as_long_as_visibility", 60)]
    assert (found.invariant, found.server) == ("a_lease_lasts_its_declared_length", "")


def test_what_was_measured_is_read_again(measured: HuntResults) -> None:
    assert HuntResults(measured.file.parent, "other.jsonl").by_hunt == measured.by_hunt


def test_a_hunt_is_printed_without_its_database() -> None:
    dealt = Dealt(asked(INTERLEAVED, DEFECT, 1), {"PASSWORD": "secret"}, "PostgreSQL 17.4")
    assert str(dealt) == f"the hunt for {DEFECT} in --binding {DEFAULT_BINDING} with seed 0"
