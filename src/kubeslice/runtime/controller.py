"""A controller: informers say which keys may have changed, workers reconcile one key at a time.

The reconcile contract is the same for start, change, resync and retry: a key, never an event. What a reconcile raises
decides what happens next: `Retry` and API trouble back off, `Terminal` waits for a change, anything else is a bug that
is logged with its traceback and backed off.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from kubeslice.kube.errors import ApiError, Conflict, Unavailable
from kubeslice.kube.queue import WorkQueue
from kubeslice.model.errors import Retry, Terminal
from kubeslice.model.ids import Key
from kubeslice.runtime.effort import Pace
from kubeslice.runtime.metrics import CollectorRegistry, ControllerMetrics
from kubeslice.runtime.sources import Source

log = logging.getLogger(__name__)

RECONCILE_TIMEOUT = 60.0
CONCURRENCY = 4


@dataclass(frozen=True)
class Result:
    """What a reconcile came to: one sentence for people, and when to look again (seconds) if not on a change."""

    sentence: str = ""
    after: float | None = None


def soonest(waits: Iterable[float | None]) -> float | None:
    """Return the shortest of several waits, in seconds; None, which is no wait at all, when all are None."""
    return min((wait for wait in waits if wait is not None), default=None)


class Reconciler(Protocol):
    """Brings one key from what is to what should be."""

    async def reconcile(self, key: Key) -> Result:
        """Observe, plan, apply, report. Raises `Retry` or `Terminal`."""
        ...


class Controller:
    """Runs one reconciler over the keys that its sources name, taking at most a `share` of the event loop."""

    def __init__(
        self,
        name: str,
        reconciler: Reconciler,
        sources: Sequence[Source],
        *,
        concurrency: int = CONCURRENCY,
        share: float = 1.0,
        metrics: ControllerMetrics | None = None,
    ) -> None:
        self.name = name
        self._reconciler = reconciler
        self._sources = sources
        self._concurrency = concurrency
        self._pace = Pace(share)
        self._metrics = metrics or ControllerMetrics(CollectorRegistry())
        self._queue = WorkQueue(self._pace.wait)
        self._sentences: dict[Key, str] = {}

    def enqueue(self, key: Key, *, is_urgent: bool = False) -> None:
        """Ask for a reconcile of `key`."""
        self._queue.add(key, is_urgent=is_urgent)
        self._metrics.waiting.labels(self.name).set(len(self._queue))

    @property
    def is_idle(self) -> bool:
        """Tell whether no key waits or is being worked on."""
        return self._queue.is_idle

    async def run(self) -> None:
        """Wait until every source has synced, then work until cancelled."""
        for source in self._sources:
            await source.informer.synced.wait()
        with contextlib.ExitStack() as ends:
            ends.callback(self._queue.close)
            for source in self._sources:
                ends.callback(source.connect(partial(self.enqueue, is_urgent=source.is_urgent)))
                # Each goes through all objects of a kind: who renews a lease or answers a probe has a turn in between.
                await asyncio.sleep(0)
            async with asyncio.TaskGroup() as group:
                for number in range(self._concurrency):
                    group.create_task(self._work(), name=f"{self.name}-{number}")

    async def _work(self) -> None:
        while True:
            key = await self._queue.take()
            started = time.monotonic()
            try:
                outcome = await self._pace.taken_by(self._reconcile(key))
            finally:
                self._queue.done(key)
            self._metrics.seconds.labels(self.name).observe(time.monotonic() - started)
            self._metrics.reconciles.labels(self.name, outcome).inc()
            self._metrics.waiting.labels(self.name).set(len(self._queue))

    async def _reconcile(self, key: Key) -> str:
        try:
            async with asyncio.timeout(RECONCILE_TIMEOUT):
                result = await self._reconciler.reconcile(key)
        except Retry as retry:
            self._say(key, f"will try again: {retry}")
            self._queue.retry(key, retry.after or 0.0)
            return "retry"
        except Terminal as refusal:
            self._queue.succeed(key)
            self._say(key, f"refused: {refusal}")
            return "terminal"
        except (Conflict, Unavailable) as error:
            log.debug("%s %s: %s", self.name, _readable(key), error.message)
            self._queue.retry(key)
            return "retry"
        except Exception as error:  # noqa: BLE001 - a bug in one reconcile must not end the process
            self._report(key, error)
            return "error"
        self._queue.succeed(key)
        self._say(key, result.sentence)
        if result.after is not None:
            self._queue.add_after(key, result.after)
        return "success"

    def _report(self, key: Key, error: Exception) -> None:
        wait = self._queue.retry(key)
        known = isinstance(error, ApiError)
        log.error(
            "%s %s: %s; again in %.1f s", self.name, _readable(key), error or type(error).__name__, wait,
            exc_info=None if known else error,
        )  # fmt: skip

    def _say(self, key: Key, sentence: str) -> None:
        if sentence and self._sentences.get(key) != sentence:
            log.info("%s %s: %s", self.name, _readable(key), sentence)
            self._sentences[key] = sentence


def _readable(key: Key) -> str:
    return "/".join(part for part in key if part)
