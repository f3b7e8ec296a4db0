"""Words about a slice come soon, and not once for each of its tunnels."""

import itertools

from kubeslice.plan.cluster.worker_words import LATEST, SOONEST, Words


def tell(seconds: float, every: float = 0.1) -> list[float]:
    """Return when words are told that change all the time, for so many seconds."""
    moments, words = [], None
    for step in range(int(seconds / every)):
        now = step * every
        words = Words.seen(words, now)
        if words.due <= now:
            words = words.said(now)
            moments.append(now)
    return moments


def test_the_first_words_come_soon() -> None:
    assert Words.seen(None, 7.0).due == 7.0 + SOONEST
    assert Words.seen(Words.seen(None, 7.0), 7.5).due == 7.0 + SOONEST


def test_words_that_go_on_changing_are_told_less_and_less_often() -> None:
    moments = tell(60.0)
    assert SOONEST <= moments[0] <= SOONEST + 0.2
    assert len(moments) <= 60 / LATEST + 4
    assert all(later - earlier <= LATEST + 0.3 for earlier, later in itertools.pairwise(moments))


def test_after_some_quiet_words_come_soon_again() -> None:
    said = Words.seen(None, 0.0).said(1.0)
    assert Words.seen(said, 1.0 + LATEST + 0.1).due == 1.0 + LATEST + 0.1 + SOONEST
