"""Leader election by a coordination.k8s.io Lease: at most one of several replicas acts.

The holder renews; the others watch the clock, not the holder's clock: a lease is free when its record has not changed
for its whole duration by the observer's own monotonic time.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import ApiError, Conflict, NotFound
from kubeslice.model.resources import LEASES

log = logging.getLogger(__name__)

DURATION = 3.0
RENEW_EVERY = 0.7


class LeadershipLost(Exception):
    """Another replica holds the lease now, or ours could not be renewed in time."""


class Leader:
    """One candidate for one lease."""

    def __init__(self, api: Api, name: str, namespace: str, identity: str, duration: float = DURATION) -> None:
        self._api = api
        self._name = name
        self._namespace = namespace
        self._identity = identity
        self._duration = duration
        self._observed: tuple[str, float] = ("", 0.0)
        self.is_leading = False

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, run `lead` while holding it. Raises `LeadershipLost` when it is lost."""
        while not await self._try_acquire():  # noqa: ASYNC110 - another process changes what we wait for
            await asyncio.sleep(RENEW_EVERY)
        log.info("leading as %s", self._identity)
        self.is_leading = True
        try:
            async with asyncio.TaskGroup() as group:
                renewal = group.create_task(self._renew())
                await lead()
                renewal.cancel()
        finally:
            self.is_leading = False
            await self._release()

    async def _renew(self) -> None:
        deadline = time.monotonic() + self._duration
        while True:
            await asyncio.sleep(RENEW_EVERY)
            if await self._try_acquire():
                deadline = time.monotonic() + self._duration
            elif time.monotonic() > deadline:
                raise LeadershipLost(f"the lease {self._namespace}/{self._name} could not be renewed")

    async def _try_acquire(self) -> bool:
        try:
            async with asyncio.timeout(self._duration):
                return await self._acquire()
        except (ApiError, TimeoutError) as error:
            log.debug("lease %s: %s", self._name, error)
            return False

    async def _acquire(self) -> bool:
        try:
            lease = await self._api.get(LEASES, self._name, self._namespace)
        except NotFound:
            metadata = {"name": self._name, "namespace": self._namespace}
            await self._api.create(LEASES, {"metadata": metadata, "spec": self._record(0)})
            return True
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder not in ("", self._identity) and not self._has_expired(lease):
            return False
        transitions = int(spec.get("leaseTransitions") or 0) + (holder != self._identity)
        change = {
            "metadata": {"resourceVersion": lease["metadata"]["resourceVersion"]},
            "spec": self._record(transitions),
        }
        try:
            await self._api.patch(LEASES, self._name, self._namespace, change)
        except Conflict:
            return False
        return True

    def _has_expired(self, lease: Object) -> bool:
        version, now = lease["metadata"]["resourceVersion"], time.monotonic()
        if version != self._observed[0]:
            self._observed = (version, now)
        return now - self._observed[1] > self._duration

    def _record(self, transitions: int) -> Object:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._duration)),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": transitions,
        }

    async def _release(self) -> None:
        try:
            async with asyncio.timeout(1):
                lease = await self._api.get(LEASES, self._name, self._namespace)
                if (lease.get("spec") or {}).get("holderIdentity") == self._identity:
                    version = lease["metadata"]["resourceVersion"]
                    change = {"metadata": {"resourceVersion": version}, "spec": {"holderIdentity": ""}}
                    await self._api.patch(LEASES, self._name, self._namespace, change)
        except (ApiError, TimeoutError):
            log.debug("the lease %s was not released; it expires by itself", self._name)
