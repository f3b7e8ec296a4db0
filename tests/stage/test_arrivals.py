"""What a receiver makes of what arrives: losses, order, and the time without service."""

import pytest

from kubeslice.stage.meter.arrivals import Arrivals
from kubeslice.stage.meter.streams import STAMP, Pieces


def arrivals(*things: tuple[int, float, float]) -> Arrivals:
    found = Arrivals()
    for number, sent, arrived in things:
        found.arrive(number, sent, arrived)
    return found


def test_a_backlog_that_is_worked_off_is_no_gap() -> None:
    found = arrivals((0, 1.0, 1.001), (1, 1.1, 1.601), (2, 1.2, 1.603), (3, 1.3, 1.9))
    assert found.take_gap() == pytest.approx(0.501)


def test_what_arrives_in_turn_was_without_service_while_it_travelled() -> None:
    found = arrivals((0, 1.0, 1.001), (1, 2.0, 2.5), (2, 3.0, 3.001))
    assert (found.received, found.lost, found.reordered) == (3, 0, 0)
    assert found.take_gap() == pytest.approx(0.5)
    assert found.take_gap() == 0.0


def test_a_loss_is_a_gap_since_the_last_that_arrived() -> None:
    found = arrivals((7, 1.0, 1.001), (10, 1.3, 1.301))
    assert (found.received, found.lost) == (2, 2)
    assert found.take_gap() == pytest.approx(0.3)


def test_a_sender_that_pauses_makes_no_gap() -> None:
    assert arrivals((0, 1.0, 1.001), (1, 9.0, 9.001)).take_gap() < 0.01


def test_what_comes_late_is_not_lost() -> None:
    found = arrivals((0, 1.0, 1.0), (2, 1.2, 1.2), (1, 1.1, 1.3), (1, 1.1, 1.4))
    assert (found.received, found.lost, found.reordered) == (3, 0, 1)


def test_a_stream_is_cut_into_the_pieces_that_were_sent() -> None:
    sent = b"".join(STAMP.pack(3, number, number * 10**9) + bytes(10) for number in range(3))
    pieces = Pieces(STAMP.size + 10)
    found = [piece for start in range(0, len(sent), 7) for piece in pieces.feed(sent[start : start + 7])]
    assert found == [(3, 0, 0.0), (3, 1, 1.0), (3, 2, 2.0)]
