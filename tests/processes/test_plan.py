"""Fault plans: the same seed is the same plan anywhere, kills are spread, a bad file gets one sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from statemachine.binding.fleet import End
from statemachine.processes.moments import MOMENTS
from statemachine.processes.plan import Deed, KillPlan, PlanError, draw_plan, dumps, load
from tests.support.commandline import REPO

FLEETS = ("ai", "video", "messaging")


def drawn(seed: int, kills: int = 40) -> KillPlan:
    return draw_plan(seed, FLEETS, jobs=10, kills=kills, gap_seconds=0.5, work_seconds=0.3, lease_seconds=2)


def test_the_same_seed_is_the_same_plan_and_another_is_another() -> None:
    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)
    assert list(islice(drawn(7).jobs_of("ai", ("t1", "t2")), 30)) == list(
        islice(drawn(7).jobs_of("ai", ("t1", "t2")), 30)
    )


def test_the_same_seed_is_the_same_plan_in_another_process() -> None:
    program = (
        "from itertools import islice\n"
        "from tests.processes.test_plan import drawn, dumps\n"
        "print(dumps(drawn(7)), *islice(drawn(7).jobs_of('ai', ('t1', 't2')), 30))"
    )
    here = f"{dumps(drawn(7))} {' '.join(map(str, islice(drawn(7).jobs_of('ai', ('t1', 't2')), 30)))}\n"
    for hash_seed in ("1", "2"):
        ran = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            cwd=REPO,
            env={"PYTHONHASHSEED": hash_seed},
        )
        assert ran.stdout == here


def test_jobs_of_two_times_differ_in_their_names_only() -> None:
    first = list(islice(drawn(7).jobs_of("ai", ("t1", "t2"), 1), 20))
    second = list(islice(drawn(7).jobs_of("ai", ("t1", "t2"), 2), 20))
    assert [job.work for job in first] == [job.work for job in second]
    assert not {job.name for job in first} & {job.name for job in second}


def test_the_plan_has_as_many_kills_as_asked_for() -> None:
    for seed in range(20):
        plan = drawn(seed, kills=8)
        assert sum(strike.deed is Deed.KILL for strike in plan.strikes) == 8
        assert plan.strikes[-1].deed is Deed.KILL


def test_kills_are_spread_over_moments_and_fleets_and_other_deeds_stand_between() -> None:
    plans = [drawn(seed) for seed in range(50)]
    kills = Counter((s.moment, s.fleet) for plan in plans for s in plan.strikes if s.deed is Deed.KILL)
    # 2,000 kills over 15 cells: 133 each, standard deviation sqrt(2000 * 1/15 * 14/15) = 11.2.  Below 80 is
    # 4.8 deviations away: about 1e-6 a cell, 1e-5 for all fifteen; and the seeds are fixed.
    assert len(kills) == len(MOMENTS) * len(FLEETS)
    assert min(kills.values()) > 80
    deeds = Counter(strike.deed for plan in plans for strike in plan.strikes)
    # Weights 12 : 2 : 1 : 1, so 2,000 kills bring 167 of each of the last two, deviation about 13.
    assert set(deeds) == set(Deed)
    assert min(deeds.values()) > 100


def test_pauses_outlast_the_lease_and_only_the_first_jobs_are_transient() -> None:
    plan = drawn(3, kills=200)
    pauses = [strike.lasts for strike in plan.strikes if strike.deed is Deed.PAUSE]
    assert min(pauses) >= 2
    jobs = list(islice(plan.jobs_of("ai", ("t1",)), 200))
    assert not any(job.work.transient_attempts for job in jobs[plan.jobs // 2 :])
    assert {job.work.ends for job in jobs} == {End.COMPLETE, End.FAIL}
    assert max(job.work.seconds for job in jobs) <= 2 * plan.work_seconds
    assert {job.twice for job in jobs} == {True, False}


def test_a_saved_plan_is_the_same_plan(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(dumps(drawn(11)), encoding="utf-8")
    assert load(file) == drawn(11)


def changed(**values: Any) -> str:
    """A plan with other values; those of ``strike`` in its first strike."""
    plan = json.loads(dumps(drawn(11)))
    plan["strikes"][0] |= values.pop("strike", {})
    return json.dumps(plan | values)


BAD = {
    "no JSON": ("never", "no JSON: Expecting value at character 1"),
    "a list": ("[]", "it holds [] and no object"),
    "nothing in it": ("{}", "seed is missing"),
    "an unknown field": (changed(colour="red"), "colour"),
    "a field of a strike that is unknown": (changed(strike={"colour": "red"}), "colour"),
    "an unknown deed": (changed(strike={"deed": "SIGHUG"}), "deed is 'SIGHUG', and must be one of SIGKILL"),
    "an unknown moment": (
        changed(strike={"moment": "at noon"}),
        "moment is 'at noon', and must be one of before",
    ),
    "a moment that is a list": (changed(strike={"moment": []}), "moment is [], and must be text"),
    "a gap that is no number": (changed(strike={"gap": "long"}), "gap is 'long', and must be a number"),
    "a gap that is true": (changed(strike={"gap": True}), "gap is True, and must be a number"),
    "a gap below 0": (changed(strike={"gap": -1}), "gap is -1, and must be a number of seconds, 0 to"),
    "a pause of a year": (changed(strike={"lasts": 3e7}), "lasts is 30000000.0, and must be a number of"),
    "a fleet that is a number": (changed(strike={"fleet": 7}), "fleet is 7, and must be text"),
    "strikes that are a text": (changed(strikes="all"), "strikes is 'all', and must be a list of strikes"),
    "a strike that is a number": (changed(strikes=[7]), "and must be a list of strikes"),
    "work that never ends": (changed(work_seconds=float("inf")), "Infinity is no number of JSON"),
    "work of an infinite length": (changed().replace("0.2", "1e400", 1), "must be a number"),
    "half a job": (changed(jobs=1.5), "jobs is 1.5, and must be a whole number"),
    "jobs without end": (changed(jobs=10**18), "and must be 1 to 1000000"),
    "a seed that is a list": (changed(seed=[]), "seed is [], and must be a whole number"),
    "nested without end": ("[" * 100_000, "it is nested too deeply"),
    "a number of 5,000 digits": (changed().replace("11", "1" * 5000, 1), "a number in it is too long"),
    "a field twice": ('{"seed": 1, "seed": 2}', "'seed' is in it twice"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_a_bad_file_gets_one_sentence(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PlanError) as raised:
        load(file)
    told = str(raised.value)
    assert told.startswith(f"{file}: this is no fault plan (")
    assert told.endswith("name the plan.json of a saved run")
    assert words in told
    assert "\n" not in told


def test_a_file_that_is_not_there_gets_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"gone\.json: No such file or directory; name the plan\.json"):
        load(tmp_path / "gone.json")
