"""The life of a tunnel in virtual time."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.tunnel import LONGEST_CALL, PATIENCE, Tunnel, is_news, report
from kubeslice.plan.wireguard import SeenPeer


def tunnel() -> Tunnel:
    return Tunnel(born=100.0, since=1_000_000.0)


def test_it_is_unknown_then_up_with_the_first_answer() -> None:
    one = tunnel()
    assert (one.state, one.judge(100.1, 0)) == ("UNKNOWN", False)
    one.sent(1, 100.0)
    one.received(1, 100.25)
    assert one.judge(100.25, 1_000_001.0)
    assert (one.state, one.since, one.latency) == ("UP", 1_000_001.0, 250_000)


def test_it_is_down_after_silence_and_not_after_one_lost_answer() -> None:
    one = tunnel()
    one.sent(1, 100.0)
    one.received(1, 100.1)
    one.judge(100.1, 0)
    assert not one.judge(100.1 + PATIENCE, 0)
    assert one.judge(100.2 + PATIENCE, 0)
    assert one.state == "DOWN"


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
    one, now, calls = tunnel(), 100.0, [100.0]
    for step in steps:
        now += step
        one.judge(now, 0)
        if one.is_due(now):
            one.call(now)
            calls.append(now)
    gaps = [after - before for before, after in pairwise(calls)]
    assert all(gap >= min(LONGEST_CALL, 2.0**number) for number, gap in enumerate(gaps))
    assert now - calls[-1] <= LONGEST_CALL + 2.0


def test_a_peer_that_answers_is_never_called_anew() -> None:
    one = tunnel()
    for number in range(100):
        one.sent(number, 100.0 + number)
        one.received(number, 100.01 + number)
        one.judge(100.01 + number, 0)
        assert not one.is_due(100.5 + number)


def test_news_is_a_change_of_state_at_once_and_figures_now_and_then() -> None:
    one = tunnel()
    one.sent(1, 100.0)
    one.received(1, 100.001)
    one.judge(100.001, 0)
    old = report(one, SeenPeer(received=1), 0, "pod", "kernel", 101.0)
    assert is_news(None, old, 0)
    assert not is_news(None, {**old, "state": "UNKNOWN"}, 0)
    assert is_news(old, {**old, "state": "UNKNOWN"}, 0)
    assert not is_news(old, old, 100)
    assert is_news(old, {**old, "state": "DOWN"}, 0.1)
    assert not is_news(old, {**old, "rxBytes": 5}, 10)
    assert is_news(old, {**old, "rxBytes": 5}, 31)
    assert not is_news(old, {**old, "latencyMicroseconds": 9000}, 1)
    assert is_news(old, {**old, "latencyMicroseconds": 9000}, 6)


def test_a_report_names_only_what_is_known() -> None:
    entry = report(tunnel(), SeenPeer(), 1, "pod", "kernel", 100.0)
    assert entry["plane"] == 1
    assert entry["since"] == "1970-01-12T13:46:40Z"
    assert not {"lastHandshakeTime", "latencyMicroseconds", "lossPercent", "endpoint"} & entry.keys()
