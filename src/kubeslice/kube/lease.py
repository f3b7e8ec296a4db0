"""Leader election by a coordination.k8s.io Lease: at most one of several replicas acts.

The holder renews; the others watch the clock, not the holder's clock: a lease is free when its record has not changed
for its whole duration by the observer's own monotonic time. Where the two have different durations, as while a setting
is changed, the holder's counts. A holder renews with one conditional patch of the record it wrote last; it reads the
lease only when that is refused.
"""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from kubeslice.kube.api import Api, Object
from kubeslice.kube.errors import ApiError, Conflict, NotFound
from kubeslice.model.resources import LEASES

log = logging.getLogger(__name__)

# Long enough for a machine that stands still for a moment: a holder that loses its lease ends its process. A holder
# that ends in order releases, and one that is started again in its pod is the same candidate, so both go on at once.
DURATION = 6.0
# Of a hub: whoever stands by leads within five seconds of a kill. A shorter one than SHORTEST is lost all the time.
HUB_DURATION = 3.5
SHORTEST = 2.0
RENEWALS, TRIES = 3, 9  # in each duration


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
        self._renew_every = duration / RENEWALS
        self._retry_every = duration / TRIES
        self._observed: tuple[str, float] = ("", 0.0)
        self._held: Object = {}
        self.is_leading = False

    @property
    def lease(self) -> Object:
        """Return the lease as this candidate wrote it last."""
        return {"apiVersion": LEASES.api_version, "kind": LEASES.kind, **self._held}

    async def run(self, lead: Callable[[], Awaitable[None]]) -> None:
        """Wait for the lease, run `lead` while holding it. Raises `LeadershipLost` when it is lost."""
        while not await self._try(self._acquire, self._duration):  # noqa: ASYNC110 - another process changes what we wait for
            await asyncio.sleep(self._retry_every)
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
        pause = self._renew_every
        while True:
            await asyncio.sleep(pause)
            asked = time.monotonic()
            is_renewed = await self._try(self._extend, max(deadline - asked, self._retry_every))
            if is_renewed:
                # Counted from before the request: others count from when they saw its effect, which is later.
                deadline = asked + self._duration
            elif time.monotonic() >= deadline:
                raise LeadershipLost(f"the lease {self._namespace}/{self._name} could not be renewed")
            pause = self._renew_every if is_renewed else self._retry_every

    async def _try(self, step: Callable[[], Awaitable[bool]], seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await step()
        except (ApiError, TimeoutError) as error:
            log.debug("lease %s: %s", self._name, error)
            return False

    async def _extend(self) -> bool:
        """Renew the lease as we wrote it last; when somebody else wrote it since, see who holds it now."""
        try:
            await self._write(self._held)
        except (Conflict, NotFound):
            return await self._acquire()
        return True

    async def _acquire(self) -> bool:
        try:
            lease = await self._api.get(LEASES, self._name, self._namespace)
        except NotFound:
            metadata = {"name": self._name, "namespace": self._namespace}
            self._held = await self._api.create(LEASES, {"metadata": metadata, "spec": self._record(0)})
            return True
        holder = (lease.get("spec") or {}).get("holderIdentity") or ""
        if holder not in ("", self._identity) and not self._has_expired(lease):
            return False
        try:
            await self._write(lease)
        except Conflict:
            return False
        return True

    async def _write(self, lease: Object) -> None:
        """Make `lease` ours, if it is still as it was when we saw it. Raises `Conflict`."""
        spec = lease.get("spec") or {}
        record = self._record(int(spec.get("leaseTransitions") or 0))
        if spec.get("holderIdentity") == self._identity:
            del record["acquireTime"]
        else:
            record["leaseTransitions"] += 1
        change = {"metadata": {"resourceVersion": lease["metadata"]["resourceVersion"]}, "spec": record}
        self._held = await self._api.patch(LEASES, self._name, self._namespace, change)

    def _has_expired(self, lease: Object) -> bool:
        version, now = lease["metadata"]["resourceVersion"], time.monotonic()
        if version != self._observed[0]:
            self._observed = (version, now)
        return now - self._observed[1] > self._patience(lease)

    def _patience(self, lease: Object) -> float:
        """Return after how many seconds a holder that is silent has lost the lease: by its own word if that is another.

        The record holds whole seconds, so for the same setting our own number is the better one.
        """
        recorded = int((lease.get("spec") or {}).get("leaseDurationSeconds") or 0)
        return recorded if recorded and recorded != self._recorded else self._duration

    @property
    def _recorded(self) -> int:
        return math.ceil(self._duration)

    def _record(self, transitions: int) -> Object:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._recorded,
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
