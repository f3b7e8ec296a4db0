"""The Secrets with the pre-shared keys of every pair of clusters of a slice. Called by `hub.rotation`.

The first end of a pair, by name, is written before the second: whoever finds only one of them copies it. Nothing is
overwritten that changed since it was read, so neither an old cache nor a second hub can change a key in force.
"""

import asyncio
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from kubeslice.hub.caches import Caches
from kubeslice.hub.groups import SliceName
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.applyset import PARALLEL, Item, sync
from kubeslice.kube.errors import AlreadyExists
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.resources import SECRETS
from kubeslice.plan.hub import presharedkeys
from kubeslice.plan.hub.presharedkeys import Entries
from kubeslice.plan.tenants.tenancy import Member
from kubeslice.plan.tunnels import topology
from kubeslice.plan.tunnels.topology import Pair


@dataclass(frozen=True)
class PreSharedKeys:
    """Looks after the pre-shared keys of slices."""

    api: Api
    caches: Caches

    async def ensure(self, name: SliceName, pairs: Iterable[Pair], generations: Mapping[int, Iterable[int]]) -> None:
        """Give every pair its keys in force, drop those that are retired, and the Secrets of all other pairs.

        Raises `Conflict` or `Retry` when a Secret is not as the cache shows it.
        """
        seen = dict(self.caches.shared_keys.pairs(name))
        wanted, gate = presharedkeys.entries(generations), asyncio.Semaphore(PARALLEL)
        kept = {topology.pair(*ends) for ends in pairs}
        stale = [obj for ends, obj in seen.items() if topology.pair(*ends) not in kept]
        await sync(self.api, names.HUB_MANAGER, [], [Item(SECRETS, obj) for obj in stale])
        lacking = [ends for ends in sorted(kept) if not _is_agreed(wanted, seen.get(ends), seen.get(ends[::-1]))]
        steps = [self._pair(name, ends, seen, wanted, gate) for ends in lacking]
        for outcome in await asyncio.gather(*steps, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _pair(
        self, name: SliceName, pair: Pair, seen: Mapping[Pair, Object], wanted: list[str], gate: asyncio.Semaphore
    ) -> None:
        first, second = seen.get(pair), seen.get((pair[1], pair[0]))
        data = presharedkeys.agreed(wanted, _data(first), _data(second), _new_key)
        async with gate:
            await self._write(name, pair, first, data)
            await self._write(name, (pair[1], pair[0]), second, data)

    async def _write(self, name: SliceName, pair: Pair, seen: Object | None, data: Entries) -> None:
        if seen is None:
            await self._create(presharedkeys.secret(name.name, Member(name.project, pair[0]), pair[1], data))
            return
        change = presharedkeys.change(seen, data)
        if change:
            await self.api.patch(SECRETS, objects.name(seen), objects.namespace(seen), change)

    async def _create(self, secret: Object) -> None:
        try:
            await self.api.create(SECRETS, secret)
        except AlreadyExists as error:
            raise Retry(f"Secret {objects.name(secret)} is there already, and not known here yet") from error


def _new_key() -> str:
    return presharedkeys.encoded(secrets.token_bytes(presharedkeys.KEY_LENGTH))


def _is_agreed(wanted: Collection[str], first: Object | None, second: Object | None) -> bool:
    """Tell whether both ends have all keys, the same and no others: most pairs of a slice, at every look."""
    data = _data(first)
    return len(data) == len(wanted) and all(map(data.get, wanted)) and data == _data(second)


def _data(secret: Object | None) -> Entries:
    return (secret or {}).get("data") or {}
