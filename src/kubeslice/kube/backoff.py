"""Waiting longer after each failure, never in step with others: exponential with full jitter and a cap."""

import random


class Backoff:
    """The waits, in seconds, of one thing that keeps failing."""

    def __init__(self, first: float = 0.05, cap: float = 5.0) -> None:
        self._first = first
        self._cap = cap
        self._failures = 0

    def next(self) -> float:
        """Return how long to wait before the next try."""
        ceiling = min(self._cap, self._first * 2.0 ** min(self._failures, 30))
        self._failures += 1
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing

    def reset(self) -> None:
        """Start over after a success."""
        self._failures = 0
