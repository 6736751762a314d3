"""A sample of the bad inputs of ``benchmarks/bad_inputs.py``: each ends in a sentence or in a report.

The whole of it also spoils corpora and shards, words of command lines and replays, and takes minutes.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.bad_inputs import IN_PROCESS, good_files, play
from statemachine.history import ndjson
from statemachine.history.ndjson import Header
from tests.conftest import OpenLane
from tests.defects.test_planted import shown
from tests.support.scripts import MINIMAL

DEFECT = "refused_delivery_deletes_message"


def test_bad_inputs_end_in_sentences(open_lane: OpenLane, tmp_path: Path) -> None:
    with open_lane(DEFECT) as lane:
        failure = shown(lane, MINIMAL[DEFECT])
        assert failure is not None
        header = Header("models_under_test.binding:AIJobsBinding", lane.binding.lifecycle, 1, DEFECT)
    tallies = play(good_files(ndjson.dumps(header, failure.events), "", ""), 150, 1, tmp_path, IN_PROCESS)
    assert set(tallies) == set(IN_PROCESS)
    assert [bad for tally in tallies.values() for bad in tally.bad] == []
    # A reader that takes all, or refuses all, would be no reader.
    assert tallies["history"].ends["sentence"] > 20
    assert tallies["log"].ends["told in the report"] > 10
    assert tallies["option"].ends["sentence"] > 3
