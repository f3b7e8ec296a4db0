"""The life of tunnels in virtual time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.tunnels.peers import SeenPeer
from kubeslice.plan.tunnels.tunnel import (
    FIRST_CALL,
    FIRST_PATIENCE,
    LONGEST_CALL,
    PATIENCE,
    Author,
    Line,
    State,
    Tunnel,
    carrier,
    is_news,
    report,
)

LONG_AGO = 1e9
AUTHOR = Author("pod", 1, "kernel", "cipher")


def tunnel() -> Tunnel:
    return Tunnel(born=100.0, since=1_000_000.0)


def answered(until: float = 101.0, step: float = 0.5) -> Tunnel:
    """Return a tunnel that was answered at once from 100 until then."""
    one, number, now = tunnel(), 0, 100.0
    while now <= until:
        one.sent(number, now)
        one.received(number, now + 0.001)
        number, now = number + 1, now + step
    one.judge(until, 0)
    return one


def test_it_is_unknown_then_up_with_the_first_answer() -> None:
    one = tunnel()
    assert (one.state, one.judge(100.1, 0)) == ("UNKNOWN", False)
    one.sent(1, 100.0)
    one.received(1, 100.25)
    assert one.judge(100.25, 1_000_001.0)
    assert (one.state, one.since, one.latency) == ("UP", 1_000_001.0, 250_000)


def test_a_peer_that_never_answered_is_down_after_a_while() -> None:
    one = tunnel()
    assert not one.judge(100.0 + FIRST_PATIENCE, 0)
    assert one.judge(100.1 + FIRST_PATIENCE, 0)
    assert one.state == "DOWN"


def test_three_unanswered_requests_in_a_second_and_a_half_take_it_down() -> None:
    one = answered(until=101.0)
    for number, now in enumerate((101.5, 102.0, 102.5)):
        one.sent(100 + number, now)
        one.judge(now, 0)
        assert one.state == "UP"
    assert not one.judge(101.5 + PATIENCE, 0)
    assert one.judge(101.6 + PATIENCE, 0)
    assert one.state == "DOWN"


def test_a_process_that_got_no_time_to_ask_raises_no_alarm() -> None:
    one = answered(until=101.0)
    assert not one.judge(160.0, 0)
    one.sent(100, 160.0)
    assert not one.judge(175.0, 0)
    one.sent(101, 175.0)
    assert not one.judge(175.1, 0)


def test_a_slow_path_is_no_dead_path() -> None:
    one, delay = tunnel(), 2.0
    for number in range(40):
        one.sent(number, 100.0 + number * 0.5)
        if number >= 4:
            one.received(number - 4, 98.0 + number * 0.5 + delay)
        one.judge(100.0 + number * 0.5, 0)
    assert (one.state, one.latency) == ("UP", 2_000_000)


def test_one_answer_brings_it_up_again() -> None:
    one = answered(until=101.0)
    for number in range(20):
        one.sent(100 + number, 101.5 + number / 2)
        one.judge(101.5 + number / 2, 0)
    states = [one.state]
    one.received(119, 111.1)
    assert one.judge(111.1, 0)
    assert [*states, one.state] == ["DOWN", "UP"]


def test_requests_before_the_first_answer_are_not_losses_and_later_ones_are() -> None:
    one = tunnel()
    for number in range(5):
        one.sent(number, 100.0 + number)
    one.received(4, 104.1)
    assert one.loss(110.0) == 0.0
    one.sent(5, 111.0)
    assert one.loss(111.5) == 0.0, "it may still be answered"
    assert one.loss(113.0) == 50.0


@given(st.lists(st.floats(0.05, 2.0), min_size=1, max_size=100))
def test_a_silent_peer_is_called_again_and_again_but_ever_less_often(steps: list[float]) -> None:
    one, now, called = tunnel(), 100.0, [100.0]
    for step in steps:
        now += step
        one.judge(now, 0)
        if one.is_due(now):
            assert one.call(now, LONG_AGO)
            called.append(now)
    gaps = [after - before for before, after in pairwise(called)]
    assert all(gap >= min(LONGEST_CALL, 2.0**number) for number, gap in enumerate(gaps))
    assert now - called[-1] <= LONGEST_CALL + 2.0


def test_a_peer_that_answers_is_never_called_anew() -> None:
    one = tunnel()
    for number in range(100):
        one.sent(number, 100.0 + number)
        one.received(number, 100.01 + number)
        one.judge(100.01 + number, 0)
        assert not one.is_due(100.5 + number)


def test_a_peer_that_has_just_met_us_is_not_called_anew_but_later() -> None:
    one = tunnel()
    now = 100.0 + FIRST_CALL
    assert one.is_due(now)
    assert not one.call(now, handshake_age=0.3)
    assert not one.is_due(now + 0.5)
    assert one.is_due(now + FIRST_CALL)
    assert one.call(now + FIRST_CALL, handshake_age=3.0)


def test_a_clock_that_is_put_back_keeps_nobody_from_calling() -> None:
    one = tunnel()
    assert one.call(100.0 + FIRST_CALL, handshake_age=-3600.0)


def test_a_peer_that_still_sends_may_be_busy_for_a_while() -> None:
    one, received, now, spared = answered(until=101.0), 1000, 101.0, []
    for number in range(40):
        now, received = now + 0.5, received + 100
        one.sent(100 + number, now)
        one.judge(now, 0)
        if one.is_due(now):
            if one.call(now, LONG_AGO, received):
                break
            spared.append(now)
    assert len(spared) >= 2
    assert 4 < now - 101.0 < 8

    silent = answered(until=101.0)
    for number in range(4):
        silent.sent(100 + number, 101.5 + number / 2)
    silent.judge(103.5, 0)
    assert not silent.call(103.5, LONG_AGO, 1000), "nobody looked before: it may have sent just now"
    assert silent.call(105.0, LONG_AGO, 1000)


def test_a_peer_that_answers_in_the_last_moment_is_not_called() -> None:
    one = tunnel()
    one.sent(1, 100.0)
    assert one.is_due(102.0)
    one.received(1, 102.0)
    one.judge(102.0, 0)
    assert not one.call(102.0, LONG_AGO)


def test_a_peer_with_other_endpoints_is_called_at_once_at_the_first() -> None:
    one, now = tunnel(), 100.0
    for _ in range(5):
        now += LONGEST_CALL
        assert one.is_due(now)
        one.call(now, LONG_AGO)
    assert not one.is_due(now + 1)
    one.has_moved = True
    assert one.is_due(now + 1)
    assert one.call(now + 1, LONG_AGO)
    assert (one.attempt, one.has_moved) == (0, False)


states = st.sampled_from(["UP", "DOWN", "UNKNOWN"])


@given(st.dictionaries(st.integers(1, 9), states, min_size=1, max_size=3))
def test_the_newest_generation_that_is_up_carries_the_traffic_else_the_oldest(known: dict[int, State]) -> None:
    found = carrier(known)
    up = {generation for generation, state in known.items() if state == "UP"}
    assert found == (max(up) if up else min(known))


def test_a_line_changes_over_without_being_down() -> None:
    line = Line(since=1.0, tunnels={1: answered(101.0)})
    assert line.judge(101.0, 50.0)
    assert (line.carrier, line.state, line.since) == (1, "UP", 50.0)
    line.tunnels[2] = Tunnel(born=101.0, since=0)
    assert not line.judge(101.1, 51.0)
    line.tunnels[2].sent(7, 101.1)
    line.tunnels[2].received(7, 101.2)
    assert line.judge(101.2, 52.0)
    assert (line.carrier, line.state, line.since) == (2, "UP", 50.0)
    del line.tunnels[1]
    assert not line.judge(101.3, 53.0)


def a_line() -> Line:
    line = Line(since=1_000_000.0, tunnels={2: answered(101.0)})
    line.judge(101.0, 1_000_000.0)
    return line


def test_news_is_a_change_of_state_at_once_and_figures_now_and_then() -> None:
    old = report(a_line(), {2: SeenPeer(received=1)}, AUTHOR, 1400, 101.0)
    assert is_news(None, old, 0)
    assert not is_news(None, {**old, "state": "UNKNOWN"}, 0)
    assert not is_news(old, old, 100)
    for change in ({"state": "DOWN"}, {"generation": 3}, {"pathMTU": 1300}, {"message": "a reason"}):
        assert is_news(old, {**old, **change}, 0.1)
    assert not is_news(old, {**old, "rxBytes": 5}, 10)
    assert is_news(old, {**old, "rxBytes": 5}, 31)
    assert not is_news(old, {**old, "latencyMicroseconds": 9000}, 1)
    assert is_news(old, {**old, "latencyMicroseconds": 9000}, 6)


def test_a_report_names_only_what_is_known() -> None:
    line = Line(since=1_000_000.0, tunnels={1: tunnel()})
    line.judge(100.0, 1_000_000.0)
    entry = report(line, {}, AUTHOR, None, 100.0)
    assert (entry["plane"], entry["generation"], entry["cipher"]) == (1, 1, "cipher")
    assert entry["since"] == "1970-01-12T13:46:40Z"
    assert (
        not {"lastHandshakeTime", "latencyMicroseconds", "lossPercent", "endpoint", "pathMTU", "message"} & entry.keys()
    )


def test_a_generation_is_told_when_the_routes_lead_to_it() -> None:
    line = Line(since=0.0, tunnels={1: answered(101.0), 2: answered(101.0)})
    line.judge(101.0, 0)
    line.laid = 1
    assert (line.carrier, report(line, {}, AUTHOR, None, 101.0)["generation"]) == (2, 1)
    line.laid = 2
    assert report(line, {}, AUTHOR, None, 101.0)["generation"] == 2


def test_a_report_is_of_the_generation_that_carries_and_counts_all_bytes() -> None:
    seen = {1: SeenPeer("old:1", 5, 10, 20, "the old one is broken"), 2: SeenPeer("new:1", 6, 1, 2)}
    entry = report(a_line(), seen, AUTHOR, 1400, 101.0)
    assert (entry["generation"], entry["endpoint"], entry["rxBytes"], entry["txBytes"]) == (2, "new:1", 11, 22)
    assert (entry["message"], entry["pathMTU"]) == ("the old one is broken", 1400)
