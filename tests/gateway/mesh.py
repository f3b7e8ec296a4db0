"""A slice over some clusters, with everything but hub and operators: what they would write is written here by hand."""

from dataclasses import dataclass, field
from typing import Any

from kubeslice.linux.commands import run
from kubeslice.model import names
from kubeslice.plan.ipam import ClusterPlan
from tests.clusters import NODEPORT, Cluster

Object = dict[str, Any]


def key_pair() -> tuple[str, str]:
    """Return a private and a public key."""
    private = run(["wg", "genkey"]).strip()
    return private, run(["wg", "pubkey"], text=private).strip()


@dataclass
class Mesh:
    """Clusters with one plane of a slice each, and the keys that all know of, by cluster and generation."""

    clusters: list[Cluster]
    slice: str = "red"
    vni: int = 4097
    port: int = NODEPORT
    plans: dict[str, ClusterPlan] = field(default_factory=dict)
    keys: dict[tuple[str, int], tuple[str, str]] = field(default_factory=dict)
    shared: dict[tuple[str, str, int], str] = field(default_factory=dict)

    @property
    def gateway(self) -> str:
        """Return the name of the gateway's pod and component."""
        return f"gateway-{self.slice}"

    async def equip(self, *, routers: bool = True) -> None:
        """Start gateway and router of the slice in each cluster, and put the namespace of its name on it."""
        for cluster in self.clusters:
            await self.in_force(cluster, 1)
            await cluster.namespace(f"ns-{self.slice}", self.slice)
            labels = {names.SLICE_LABEL: self.slice}
            types = {names.POD_TYPE_LABEL: names.GATEWAY_POD, names.PLANE_LABEL: "0"}
            inside = await cluster.pod(names.WORKER_NAMESPACE, self.gateway, {**labels, **types})
            cluster.expose(self.gateway, self.port)
            cluster.run(self.gateway, inside, PLANE="0", POD_NAME=self.gateway, SLICE=self.slice)
            if routers:
                types = {names.POD_TYPE_LABEL: names.ROUTER_POD, names.ROUTER_LABEL: "0"}
                inside = await cluster.pod(names.WORKER_NAMESPACE, f"router-{self.slice}", {**labels, **types})
                cluster.run(f"router-{self.slice}", inside, SLICE=self.slice, ROUTER="0")

    async def in_force(self, cluster: Cluster, *generations: int) -> None:
        """Put generations of keys in force in one cluster: its Slice, and the Secret of its gateway."""
        self.plans[cluster.name] = await cluster.slice(self.slice, self.vni, keys=generations)
        data: dict[str, str] = {}
        for generation in generations:
            pair = self.keys.setdefault((cluster.name, generation), key_pair())
            data |= {f"privateKey-{generation}": pair[0], f"publicKey-{generation}": pair[1]}
            for remote in self.clusters:
                if remote is not cluster:
                    data[f"psk-{remote.name}-{generation}"] = self.secret_of(cluster, remote, generation)
        await cluster.secret(names.gateway_deployment(self.slice, 0), data)

    def secret_of(self, one: Cluster, other: Cluster, generation: int) -> str:
        """Return the pre-shared key of a pair."""
        first, second = sorted((one.name, other.name))
        return self.shared.setdefault((first, second, generation), run(["wg", "genpsk"]).strip())

    async def introduce(self, local: Cluster, remote: Cluster, *generations: int, **more: Any) -> None:
        """Tell a cluster of another one, as the hub and the operator do; `endpoints` in `more` are ports."""
        ports = more.pop("ports", None)
        planes = []
        for generation in generations or (1,):
            usual = [self.port + generation % 2]
            endpoints = [f"{remote.address}:{port}" for port in (usual if ports is None else ports)]
            key = self.keys[remote.name, generation][1]
            planes.append({"plane": 0, "generation": generation, "publicKey": key, "endpoints": endpoints})
        await local.peer(self.slice, remote, str(self.plans[remote.name].subnet), planes, **more)

    async def introduce_all(self) -> None:
        """Tell every cluster of every other."""
        for local in self.clusters:
            for remote in self.clusters:
                if local is not remote:
                    await self.introduce(local, remote)
