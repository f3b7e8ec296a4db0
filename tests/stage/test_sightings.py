"""Lines of both ends are cut to the time of a trial and summed up."""

import json

from kubeslice.stage import sightings
from kubeslice.stage.sightings import Telling


def line(end: str, time: float, *, late: float = 0.0, died: int = 0, **flows: list[float]) -> Telling:
    named = {name.replace("_", "-"): values for name, values in flows.items()}
    told = {"t": time, "late": late, "flows": named, "died": {"tcp-small-0": died}}
    return sightings.read(end, json.dumps(told).encode())


def test_only_what_came_after_the_start_counts() -> None:
    seen = sightings.sum_up(
        [
            line("a", 1.0, udp_small_0=[100, 5, 1, 3.0, 0.0]),
            line("a", 2.0, udp_small_0=[150, 7, 1, 0.25, 0.0], tcp_small_0=[9, 0, 0, 0.5, 0.0]),
            line("b", 2.0, late=0.02, udp_small_0=[50, 0, 0, 0.1, 0.0]),
        ],
        since=1.5,
    )
    assert (seen.packets, seen.lost, seen.reordered) == (50 + 9 + 50, 2, 0)
    assert (seen.gap, seen.datagram_gap, seen.worst) == (0.5, 0.25, "tcp-small-0 to a")
    assert seen.died == ()
    assert seen.late == 0.02


def test_a_connection_that_broke_is_lost() -> None:
    seen = sightings.sum_up([line("a", 1.0, died=1), line("a", 2.0, died=2)], since=1.5)
    assert seen.died == ("tcp-small-0 from a",)


def test_a_flow_that_stays_silent_is_lost_and_its_silence_a_gap() -> None:
    seen = sightings.sum_up([line("a", 9.0, udp_bulk_1=[10, 0, 0, 0.0, 7.5])], since=1.0)
    assert seen.died == ("udp-bulk-1 to a",)
    assert seen.gap == 7.5


def test_nothing_told_is_nothing_seen() -> None:
    assert sightings.sum_up([], since=0.0).packets == 0
