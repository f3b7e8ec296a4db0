"""Promises decide about faults: what is lost, how long, and whether everything came back."""

import json

import pytest

from kubeslice.bench.failover import chosen
from kubeslice.bench.faults import Promise, faults
from kubeslice.bench.matrix import Matrix, Outcome, Quiet, Trial
from kubeslice.stage.observer import Observed
from kubeslice.stage.sightings import Sight

FINE = Sight(gap=0.05, packets=1000)


def outcome(promise: Promise, *sights: Sight, failure: str = "") -> Outcome:
    return Outcome("x", promise, [Trial("victim", sight, failure) for sight in sights])


@pytest.mark.parametrize(
    ("promise", "sight", "kept"),
    [
        (Promise.ANOTHER_PATH, Sight(gap=0.9, lost=50), True),
        (Promise.ANOTHER_PATH, Sight(gap=1.1, lost=50), False),
        (Promise.ANOTHER_PATH, Sight(gap=0.1, died=("tcp-small-0",)), False),
        (Promise.NOTHING, FINE, True),
        (Promise.NOTHING, Sight(gap=0.3), False),
        (Promise.NOTHING, Sight(gap=0.05, lost=1), False),
        (Promise.NO_LOSS, Sight(gap=0.3), True),
        (Promise.NO_LOSS, Sight(gap=0.05, lost=1), False),
        (Promise.COMES_BACK, Sight(gap=7.0, lost=900), True),
        (Promise.COMES_BACK, Sight(gap=7.0, died=("udp-small-1",)), False),
    ],
)
def test_a_promise_decides(promise: Promise, sight: Sight, *, kept: bool) -> None:
    assert (outcome(promise, FINE, sight).missed == "") is kept


def test_what_happens_without_a_fault_too_is_not_noticed() -> None:
    noisy = Outcome("x", Promise.NOTHING, [Trial("victim", Sight(gap=0.4))], noise=0.5)
    assert noisy.missed == ""


def test_what_did_not_come_back_is_missed() -> None:
    assert outcome(Promise.NOTHING, FINE, failure="not as before").missed == "not as before"


@pytest.mark.parametrize(
    ("quiet", "observed", "is_ok"),
    [
        (Quiet(60, [], FINE), Observed(), True),
        (None, Observed(), True),
        (Quiet(60, ["worker-1: red plane 0 is DOWN"], FINE), Observed(), False),
        (Quiet(60, [], Sight(lost=1)), Observed(), False),
        (None, Observed(strangers=["unknown: UDP"]), False),
    ],
)
def test_alarms_and_strangers_on_the_wan_decide_too(quiet: Quiet | None, observed: Observed, *, is_ok: bool) -> None:
    matrix = Matrix("failover", [outcome(Promise.NOTHING, FINE)], quiet, observed)
    assert matrix.is_ok is is_ok
    assert json.loads(json.dumps(matrix.wire()))["ok"] is is_ok
    assert matrix.table().row_count == 2 + (quiet is not None)


def test_faults_are_chosen_by_name() -> None:
    assert [fault.name for fault in chosen(["node", "hub"])] == ["node", "hub"]
    assert len(chosen([])) == len(faults())
    with pytest.raises(ValueError, match="no fault 'x'; there are tunnel-process"):
        chosen(["x"])
