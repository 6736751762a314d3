"""The digest of a source follows its meaning; the sources are all modules that a search can import."""

from __future__ import annotations

from pathlib import Path

import pytest

from models_under_test.binding import MessagingBinding, PipelineBinding, VideoBinding
from models_under_test.defects import STORIES
from statemachine.binding import DEFAULT_BINDING
from statemachine.commands.certificate.plan import measured_on
from statemachine.commands.certificate.sources import (
    changed,
    digest,
    imported_by,
    meaning_digest,
    system_files,
    text_digest,
)

SOURCE = b'"""Why."""\n\ndef double(n: int) -> int:\n    """Twice."""\n    return 2 * n\n'
SAME = {
    "a comment": SOURCE.replace(b"2 * n", b"2 * n  # twice"),
    "another layout": SOURCE.replace(b"2 * n", b"(\n        2\n        * n\n    )"),
    "another docstring": SOURCE.replace(b"Twice", b"Two times"),
    "an import": b"from elsewhere import double as twice\n" + SOURCE,
    "no docstring": SOURCE.replace(b'    """Twice."""\n', b""),
    "Windows": SOURCE.replace(b"\n", b"\r\n"),
}
OTHER = {
    "a number": SOURCE.replace(b"2", b"3"),
    "an operator": SOURCE.replace(b"*", b"+"),
    "a name": SOURCE.replace(b"double", b"twice"),
    "an argument": SOURCE.replace(b"n: int", b"n: int, m: int = 0"),
    "a default": SOURCE.replace(b"n: int", b"n: int = 0"),
    "a string that does something": SOURCE.replace(b"2 * n", b"'Twice.'"),
}


@pytest.mark.parametrize("source", SAME.values(), ids=SAME)
def test_a_source_of_the_same_meaning_has_the_same_digest(source: bytes) -> None:
    assert source != SOURCE
    assert meaning_digest(source) == meaning_digest(SOURCE)


@pytest.mark.parametrize("source", OTHER.values(), ids=OTHER)
def test_a_source_of_another_meaning_has_another_digest(source: bytes) -> None:
    assert meaning_digest(source) != meaning_digest(SOURCE)


def test_a_checkout_on_windows_has_the_same_text() -> None:
    assert text_digest(SAME["Windows"]) == text_digest(SOURCE)


def test_a_change_is_noticed_and_a_comment_is_no_change(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_bytes(SOURCE)
    before = digest(file)
    assert not changed(file, before)
    file.write_bytes(SAME["a comment"])
    assert not changed(file, before)
    for other in (OTHER["a number"], b"def ("):
        file.write_bytes(other)
        assert changed(file, before)
    file.unlink()
    assert changed(file, before)
    assert changed(None, before)


def test_the_machine_is_all_that_a_search_imports_and_no_report() -> None:
    machine = set(imported_by("search.engine"))
    assert {"search.machine", "search.triage.minimise", "invariants", "invariants.leases"} <= machine
    assert {"world.queue", "world.example", "world.operations.strays", "world.operations.drain"} <= machine
    assert {"history.legality", "history.ledger", "world.operations.deadlines"} <= machine
    assert machine.isdisjoint({"search.lanes", "history.overlaps", "world.databases.opening"})
    assert [name for name in machine if name.startswith("world.transactions")] == []
    above = ("report", "logs", "processes", "commands", "plugin")
    assert [name for name in machine if name.startswith(above)] == []
    assert "commands.certificate.baseline" in imported_by("commands.certificate.baseline")


def test_a_start_that_was_moved_is_an_error() -> None:
    with pytest.raises(LookupError, match=r"no module search\.gone below statemachine/"):
        imported_by("search.gone")


def test_each_defect_has_its_own_source_and_histories_by_hand_are_left_out() -> None:
    system, own = system_files(DEFAULT_BINDING, STORIES)
    assert set(own) == set(STORIES)
    assert {"repositories.py", "binding.py", "defects/__init__.py"} <= set(system)
    assert not any("minimal" in name for name in system)


@pytest.mark.parametrize(("binding", "folder"), [(VideoBinding, "video"), (MessagingBinding, "messaging")])
def test_the_defects_of_other_bindings_are_left_out(binding: type[PipelineBinding], folder: str) -> None:
    system, own = system_files(f"models_under_test.binding:{binding.__name__}", binding().defects)
    assert set(own) == set(binding().defects)
    assert {path.parent.name for path in own.values()} == {folder}
    planted = {name for name in system if name.startswith("defects/")}
    assert planted == {f"defects/{folder}/__init__.py"}
    ours, _ = system_files(DEFAULT_BINDING, STORIES)
    assert {name for name in ours if name.startswith("defects/")} == {
        "defects/__init__.py",
        "defects/__main__.py",
    }


def test_a_binding_in_a_single_module_is_its_own_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lonely_binding.py").write_bytes(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    system, own = system_files("lonely_binding:Binding", [])
    assert list(system.values()) == [tmp_path / "lonely_binding.py"]
    assert own == {}


def test_a_defect_that_changes_leaves_the_results_of_the_others_valid() -> None:
    now = measured_on(DEFAULT_BINDING, STORIES)
    own = {**now.defects, "lease_edge_excluded": now.machine["search.machine"]}
    later = now._replace(defects=own)
    same = "running_job_reentered"
    assert later.fingerprint("search", same) == now.fingerprint("search", same)
    assert later.fingerprint("search", "lease_edge_excluded") != now.fingerprint(
        "search", "lease_edge_excluded"
    )
    plain = now._replace(plain={**now.plain, "commands.certificate.baseline": now.machine["search.machine"]})
    assert plain.fingerprint("search", same) == now.fingerprint("search", same)
    assert plain.fingerprint("plain", same) != now.fingerprint("plain", same)


def test_the_transactions_lane_decides_what_is_found_there_and_nowhere_else() -> None:
    now = measured_on(DEFAULT_BINDING, STORIES)
    assert {"search.lanes", "history.overlaps"} < set(now.interleaving)
    assert {"world.transactions.lane", "search.contention", "world.transactions.scheduler"} < set(
        now.interleaving
    )
    assert set(now.interleaving).isdisjoint(now.machine)
    race, whole = "id_constraint_dropped", "running_job_reentered"
    other = now.machine["search.machine"]
    lane = now._replace(interleaving={**now.interleaving, "world.transactions.scheduler": other})
    assert lane.fingerprint("interleaved", race) != now.fingerprint("interleaved", race)
    assert lane.fingerprint("search", whole) == now.fingerprint("search", whole)
    assert lane.fingerprint("plain", whole) == now.fingerprint("plain", whole)
    machine = now._replace(machine={**now.machine, "minimise": other})
    assert machine.fingerprint("interleaved", race) != now.fingerprint("interleaved", race)
