"""What the hub is loaded with: a project, its clusters and slices. Pure, apart from being what users would apply."""

from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

from kubeslice.kube.api import Object
from kubeslice.model import names
from kubeslice.model.resources import SECRETS, WORKERSERVICEIMPORTS, WORKERSLICECONFIGS, WORKERSLICEGATEWAYS

PROJECT = "scale"
HOME = names.project_namespace(PROJECT)
# Beyond so many clusters addresses have to be given out one by one (docs/explanation/address-plan.md).
MOST_STATIC = 31
SUBNETS = IPv4Network("10.0.0.0/8")


@dataclass(frozen=True)
class Load:
    """So many clusters, so many slices, and how many clusters are on each; the first slice has all."""

    clusters: int
    slices: int
    members: int

    @property
    def cluster_names(self) -> list[str]:
        """Return the clusters that are on slices from the start."""
        return [f"c{number:03}" for number in range(self.clusters)]

    @property
    def spare(self) -> str:
        """Return the cluster that is registered and comes and goes."""
        return "spare"

    def members_of(self, number: int) -> list[str]:
        """Return the clusters of a slice: all of the first, a window of the others that moves from slice to slice."""
        if number == 0 or self.members >= self.clusters:
            return self.cluster_names
        first = number * self.members
        return sorted({self.cluster_names[(first + place) % self.clusters] for place in range(self.members)})

    @property
    def pairs(self) -> int:
        """Return how many WorkerSliceGateways there are in the end: two for each two members of a slice."""
        sizes = [len(self.members_of(number)) for number in range(self.slices)]
        return sum(size * (size - 1) for size in sizes)

    def objects(self) -> dict[str, Counter[str]]:
        """Return how many objects of each kind each cluster is given, by the plural name of the kind.

        On each slice it is one of its own, a view and a Secret per peer, and one service.
        """
        found: dict[str, Counter[str]] = {name: Counter() for name in self.cluster_names}
        for members in map(self.members_of, range(self.slices)):
            given = dict.fromkeys((WORKERSLICECONFIGS.plural, WORKERSERVICEIMPORTS.plural), 1)
            given |= dict.fromkeys((WORKERSLICEGATEWAYS.plural, SECRETS.plural), len(members) - 1)
            for member in members:
                found[member].update(given)
        return found

    def slice_config(self, number: int) -> Object:
        """Return the SliceConfig of a slice."""
        members = self.members_of(number)
        subnets = SUBNETS.subnets(new_prefix=16)
        subnet = next(subnet for place, subnet in enumerate(subnets) if place == number)
        return {
            "metadata": {"name": slice_name(number), "namespace": HOME},
            "spec": {"sliceSubnet": str(subnet), "clusters": members, **_addresses(len(members))},
        }


def slice_name(number: int) -> str:
    """Return the name of a slice."""
    return f"s{number}"


def cluster(name: str) -> Object:
    """Return a Cluster."""
    return {"metadata": {"name": name, "namespace": HOME}, "spec": {}}


def project() -> Object:
    """Return the Project."""
    return {"metadata": {"name": PROJECT, "namespace": names.HUB_NAMESPACE}, "spec": {}}


def _addresses(members: int) -> dict[str, Any]:
    if members <= MOST_STATIC:
        return {"maxClusters": 1 << members.bit_length()}
    return {"sliceIpamType": "Dynamic", "maxClusters": 2 * members, "ipam": {"clusterSubnetSize": 26}}
