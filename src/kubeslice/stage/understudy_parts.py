"""What an understudy does with each kind of object that the hub writes for its cluster. Called by `stage.understudy`.

The steps and the sentences are a worker's; only the keys, ports and tunnels behind them are made up.
"""

import base64
import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from kubeslice.hub.index import Index
from kubeslice.kube import finalizers, objects
from kubeslice.kube.api import Api, Object
from kubeslice.model import names
from kubeslice.model.ids import OWN, Key
from kubeslice.model.resources import WORKERSERVICEIMPORTS, WORKERSLICECONFIGS, WORKERSLICEGATEWAYS
from kubeslice.model.tunnels import PlaneState
from kubeslice.model.workerserviceimport import WorkerServiceImport
from kubeslice.model.workerslicegateway import WorkerSliceGateway
from kubeslice.plan import findings
from kubeslice.plan.cluster import worker_gateway
from kubeslice.plan.cluster.worker_gateway import Told
from kubeslice.plan.cluster.worker_words import Words
from kubeslice.plan.keys import gateway_keys
from kubeslice.plan.services import discovery
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter
from kubeslice.runtime.sources import Source, intent
from kubeslice.worker.hubcaches import HubCaches

FIRST_PORT = 30000
PORTS = 2768


@dataclass
class Configs:
    """Plays the slice itself: keys and ports of its gateways, and how it does."""

    hub: Api
    reporter: Reporter
    caches: HubCaches
    address: str
    _words: dict[str, Words] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep the pairs of each slice at hand."""
        self._pairs = Index(self.caches.gateways, _slice_of)

    async def reconcile(self, key: Key) -> Result:
        """Hold and report on one WorkerSliceConfig, or let it go when all its pairs have gone."""
        obj = self.caches.configs.get(key.name, key.namespace)
        if obj is None:
            return Result()
        pairs = self._pairs.of(str(objects.spec(obj).get("sliceName")))
        if objects.is_deleting(obj):
            if not pairs:
                await finalizers.remove(self.hub, WORKERSLICECONFIGS, obj, names.WORKER_SLICE_CONFIG_FINALIZER)
            return Result()
        obj = await finalizers.add(self.hub, WORKERSLICECONFIGS, obj, names.WORKER_SLICE_CONFIG_FINALIZER)
        gateways, now = self._gateways(obj), self.reporter.clock.monotonic()
        # Words alone wait for more words: a tunnel that is wanted and up a moment later is told of once.
        words = self._words[key.name] = Words.seen(self._words.get(key.name), now)
        if words.due > now and objects.status(obj).get("gateways") == gateways:
            return Result(after=words.due - now)
        self._words[key.name] = words.said(now)
        planes = int(objects.spec(obj).get("gatewayReplicas") or 1)
        up = sum(plane.get("state") == "UP" for pair in pairs for plane in objects.status(pair).get("planes") or [])
        ready = findings.ready("Ready", f"0 pods on the slice, {up} of {len(pairs) * planes} tunnels up")
        namespaces = (objects.spec(obj).get("namespaceIsolationProfile") or {}).get("applicationNamespaces") or []
        status = {"gateways": gateways, "onboardedAppNamespaces": [{"name": name} for name in namespaces]}
        await self.reporter.report(WORKERSLICECONFIGS, obj, [ready], status)
        return Result()

    def _gateways(self, obj: Object) -> list[Object]:
        spec = objects.spec(obj)
        if not spec.get("clusterSubnetCIDR"):
            return []
        return [
            self._gateway(objects.name(obj), plane, generation)
            for plane in range(int(spec.get("gatewayReplicas") or 1))
            for generation in gateway_keys.generations(spec, plane)
        ]

    def _gateway(self, name: str, plane: int, generation: int) -> Object:
        digest = hashlib.sha256(f"{self.caches.namespace}/{name}/{plane}/{generation}".encode()).digest()
        return {
            "plane": plane,
            "generation": generation,
            "publicKey": base64.b64encode(digest).decode(),
            "endpoints": [f"{self.address}:{FIRST_PORT + int.from_bytes(digest[:2], 'big') % PORTS}"],
        }


@dataclass(frozen=True)
class Pairs:
    """Plays the gateways: a tunnel is up as soon as the peer's key and the shared one are there."""

    hub: Api
    reporter: Reporter
    caches: HubCaches
    _told: dict[str, Told] = field(default_factory=dict)

    async def reconcile(self, key: Key) -> Result:
        """Hold and report on one WorkerSliceGateway, or let it go."""
        obj = self.caches.gateways.get(key.name, key.namespace)
        if obj is None:
            return Result()
        if objects.is_deleting(obj):
            await finalizers.remove(self.hub, WORKERSLICEGATEWAYS, obj, names.WORKER_SLICE_GATEWAY_FINALIZER)
            return Result()
        obj = await finalizers.add(self.hub, WORKERSLICEGATEWAYS, obj, names.WORKER_SLICE_GATEWAY_FINALIZER)
        pair = WorkerSliceGateway.parse(obj)
        remote, relay = pair.spec.remote_gateway_config, pair.spec.relay
        planes = self._planes(pair)
        is_same = self._is_same(obj, [plane.wire() for plane in planes])
        wait = self._until_due(obj, is_keyed=len(planes) == len(remote.planes)) if is_same else 0.0
        if wait > 0:
            return Result(after=wait)
        expected = max(1, len({peer.plane for peer in remote.planes}))
        found = [
            worker_gateway.readiness(remote.cluster_name, expected, planes, len(remote.planes), relay),
            worker_gateway.degradation(remote.cluster_name, expected, planes, relay),
        ]
        told = {"planes": [plane.wire() for plane in planes], "gatewayNumber": pair.spec.gateway_number}
        await self.reporter.report(WORKERSLICEGATEWAYS, obj, found, told)
        now = self.reporter.clock.monotonic()
        self._told[key.name] = last = Told.figures(now) if is_same else Told.state(key.name, now)
        return Result(after=last.due(self.caches.gateways.count, is_first=False) - now)

    def _is_same(self, obj: Object, after: list[Object]) -> bool:
        return worker_gateway.is_same_state(objects.status(obj).get("planes") or [], after)

    def _until_due(self, obj: Object, *, is_keyed: bool) -> float:
        name, now = objects.name(obj), self.reporter.clock.monotonic()
        last = self._told[name] = Told.known(self._told.get(name), name, now, is_keyed=is_keyed)
        return last.due(self.caches.gateways.count, is_first=not objects.conditions(obj)) - now

    def _planes(self, pair: WorkerSliceGateway) -> list[PlaneState]:
        """Return the newest generation of each plane that both sides have the keys of."""
        shared = self.caches.secrets.get(pair.metadata.name, self.caches.namespace) or {}
        known = {
            peer.plane: peer
            for peer in sorted(pair.spec.remote_gateway_config.planes, key=lambda peer: peer.generation)
            if peer.public_key and names.pre_shared_key(peer.plane, peer.generation) in (shared.get("data") or {})
        }
        return [
            PlaneState(
                plane=plane,
                generation=peer.generation,
                state="UP",
                endpoint=next(iter(peer.endpoints), ""),
                latency_microseconds=random.randint(300, 90_000),  # noqa: S311 - a figure that changes
            )
            for plane, peer in sorted(known.items())
        ]


@dataclass(frozen=True)
class Imports:
    """Plays the imported services."""

    hub: Api
    reporter: Reporter
    caches: HubCaches

    async def reconcile(self, key: Key) -> Result:
        """Hold and report on one WorkerServiceImport, or let it go."""
        obj = self.caches.imports.get(key.name, key.namespace)
        if obj is None:
            return Result()
        if objects.is_deleting(obj):
            await finalizers.remove(self.hub, WORKERSERVICEIMPORTS, obj, names.WORKER_SERVICE_IMPORT_FINALIZER)
            return Result()
        obj = await finalizers.add(self.hub, WORKERSERVICEIMPORTS, obj, names.WORKER_SERVICE_IMPORT_FINALIZER)
        wanted = WorkerServiceImport.parse(obj)
        endpoints = discovery.imported_endpoints(wanted)
        verdict = discovery.import_verdict(len(endpoints), wanted.spec.source_clusters, [])
        await self.reporter.report(WORKERSERVICEIMPORTS, obj, verdict.findings)
        return Result()


def sources(caches: HubCaches) -> dict[str, list[Source]]:
    """Return what wakes each of the parts."""
    return {
        "configs": [
            Source(caches.configs, _own, intent),
            Source(caches.gateways, lambda obj: _config_of(caches, obj), _states),
        ],
        "pairs": [Source(caches.gateways, _own, intent), Source(caches.secrets, _own)],
        "imports": [Source(caches.imports, _own, intent)],
    }


def _own(obj: Object) -> Iterator[Key]:
    yield Key(OWN, objects.namespace(obj), objects.name(obj))


def _slice_of(obj: Object) -> Iterator[str]:
    yield str(objects.spec(obj).get("sliceName"))


def _config_of(caches: HubCaches, obj: Object) -> Iterator[Key]:
    for name in _slice_of(obj):
        config = caches.config(name)
        if config is not None:
            yield Key(OWN, caches.namespace, objects.name(config))


def _states(obj: Object) -> list[tuple[object, object]]:
    return [(plane.get("plane"), plane.get("state")) for plane in objects.status(obj).get("planes") or []]
