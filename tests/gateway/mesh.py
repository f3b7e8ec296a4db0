"""A slice over some clusters, with everything but hub and operators: what they would write is written here by hand."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.model import names
from kubeslice.plan.address.ipam import ClusterPlan
from tests.clusters import NODEPORT, Cluster
from tests.sessions import sessions

Object = dict[str, Any]
Ends = tuple[tuple[Namespace, Namespace], tuple[str, str]]


def key_pair() -> tuple[str, str]:
    """Return a private and a public key."""
    private = run(["wg", "genkey"]).strip()
    return private, run(["wg", "pubkey"], text=private).strip()


@dataclass
class Mesh:
    """Clusters with a slice, and the keys that all know of: by cluster, plane and generation, and of each pair."""

    clusters: list[Cluster]
    slice: str = "red"
    vni: int = 4097
    port: int = NODEPORT
    planes: int = 1
    plans: dict[str, ClusterPlan] = field(default_factory=dict)
    keys: dict[tuple[str, int, int], tuple[str, str]] = field(default_factory=dict)
    shared: dict[tuple[str, str, int, int], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take ports that no earlier test had: the nodes remember for a while where those led to."""
        self.port += 100 * self.clusters[0].cleared

    def gateway(self, plane: int = 0) -> str:
        """Return the name of a gateway's pod and component."""
        return f"gateway-{self.slice}-{plane}"

    async def equip(self, **settings: str) -> None:
        """Start gateways and a router of the slice in each cluster, and put the namespace of its name on it.

        `settings` are further variables in the environment of the gateways.
        """
        for cluster in self.clusters:
            await self.in_force(cluster, 1)
            await cluster.namespace(f"ns-{self.slice}", self.slice)
            labels = {names.SLICE_LABEL: self.slice}
            for plane in range(self.planes):
                name, types = self.gateway(plane), {names.POD_TYPE_LABEL: names.GATEWAY_POD}
                place = {names.PLANE_LABEL: str(plane)}
                inside = await cluster.pod(names.WORKER_NAMESPACE, name, {**labels, **types, **place})
                cluster.expose(name, self.port + 2 * plane)
                cluster.run(name, inside, PLANE=str(plane), POD_NAME=name, SLICE=self.slice, **settings)
            types = {names.POD_TYPE_LABEL: names.ROUTER_POD, names.ROUTER_LABEL: "0"}
            inside = await cluster.pod(names.WORKER_NAMESPACE, f"router-{self.slice}", {**labels, **types})
            scratch = self._scratch(cluster)
            scratch.mkdir(exist_ok=True)
            cluster.run(f"router-{self.slice}", inside, SLICE=self.slice, ROUTER="0", TMPDIR=str(scratch))

    async def routed(self) -> None:
        """Wait until the routers of all clusters have sessions with each other through every plane, and watch them."""
        wanted = self.planes * (len(self.clusters) - 1)
        async with asyncio.timeout(30):
            for cluster in self.clusters:
                while not await self._is_routed(cluster, wanted):
                    await asyncio.sleep(0.05)

    async def _is_routed(self, cluster: Cluster, wanted: int) -> bool:
        found, watched = await sessions([*self._scratch(cluster).glob("*/bird.ctl")])
        return sum(is_up for name, is_up in found.items() if name.startswith("peer")) == wanted and watched >= wanted

    async def apps(self) -> Ends:
        """Make a pod of the slice in the first and in the last cluster; returns namespaces and addresses."""
        namespace, places = f"ns-{self.slice}", (self.clusters[0], self.clusters[-1])
        ends = [await cluster.pod(namespace, "app") for cluster in places]
        addresses = [await cluster.address_of(namespace, "app", self.slice) for cluster in places]
        return (ends[0], ends[1]), (addresses[0], addresses[1])

    async def in_force(self, cluster: Cluster, *generations: int, **spoilt: str) -> None:
        """Put generations of keys in force in one cluster: its Slice, and the Secrets of its gateways.

        `spoilt` are entries of the Secrets that are not what they should be, with _ for -.
        """
        self.plans[cluster.name] = await cluster.slice(self.slice, self.vni, keys=generations, planes=self.planes)
        for plane in range(self.planes):
            data: dict[str, str] = {}
            for generation in generations:
                pair = self.keys.setdefault((cluster.name, plane, generation), key_pair())
                data |= {f"privateKey-{generation}": pair[0], f"publicKey-{generation}": pair[1]}
                for remote in self.clusters:
                    if remote is not cluster:
                        data[f"psk-{remote.name}-{generation}"] = self.secret_of(cluster, remote, plane, generation)
            data |= {name.replace("_", "-"): text for name, text in spoilt.items()}
            await cluster.secret(names.gateway_deployment(self.slice, plane), data)

    def secret_of(self, one: Cluster, other: Cluster, plane: int, generation: int) -> str:
        """Return a pre-shared key of a pair."""
        first, second = sorted((one.name, other.name))
        return self.shared.setdefault((first, second, plane, generation), run(["wg", "genpsk"]).strip())

    async def introduce(
        self, local: Cluster, remote: Cluster, *generations: int, ports: Sequence[int] | None = None, **more: Any
    ) -> None:
        """Tell a cluster of another one, as the hub and the operator do; `ports` are where it is to be reached."""
        planes = []
        for plane in range(self.planes):
            for generation in generations or (1,):
                usual = [self.port + 2 * plane + generation % 2]
                endpoints = [f"{remote.address}:{port}" for port in (usual if ports is None else ports)]
                key = self.keys[remote.name, plane, generation][1]
                entry = {"plane": plane, "generation": generation, "publicKey": key, "endpoints": endpoints}
                planes.append(entry)
        await local.peer(self.slice, remote, self.subnet(remote), planes, **more)

    async def introduce_all(self) -> None:
        """Tell every cluster of every other."""
        for local in self.clusters:
            for remote in self.clusters:
                if local is not remote:
                    await self.introduce(local, remote)

    def _scratch(self, cluster: Cluster) -> Path:
        """Return where the router of a cluster puts its files: never where one of an earlier test did."""
        return cluster.directory / f"router-{self.slice}-{self.port}"

    def subnet(self, cluster: Cluster) -> str:
        """Return the subnet of a cluster."""
        return str(self.plans[cluster.name].subnet)
