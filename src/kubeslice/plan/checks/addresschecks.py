"""What can be wrong with the addresses of a SliceConfig: its subnets, their parts, and the networks of its clusters.

Called by `plan.checks.slicechecks`. What one object alone can show is refused by CEL too (`model.slicerules`).
"""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network

from kubeslice.model import names
from kubeslice.model.cluster import Cluster
from kubeslice.model.errors import Terminal
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.model.sliceipam import DYNAMIC, IPAM_TYPES
from kubeslice.plan.address import parts
from kubeslice.plan.problems import Problem

PRIVATE = tuple(IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
UNIQUE_LOCAL = IPv6Network("fd00::/8")
LONGEST_V6, SHORTEST_V6 = 56, 48
MOST_EQUAL_PARTS = 32
FIELD, FIELD_V6 = "spec.sliceSubnet", "spec.sliceSubnetV6"


def addresses(spec: SliceConfigSpec, clusters: Mapping[str, Cluster]) -> Iterator[Problem]:
    """Find what is wrong with the subnets of a slice; a slice without a network needs none."""
    if spec.overlay_network_deployment_mode == names.NO_NETWORK and not spec.slice_subnet:
        return
    subnet = slice_subnet(spec.slice_subnet, is_dynamic=spec.slice_ipam_type == DYNAMIC)
    if isinstance(subnet, Problem):
        yield subnet
        return
    yield from _kind(spec.slice_ipam_type)
    yield from _parts(spec)
    yield from _overlaps(FIELD, subnet, spec, clusters)
    if spec.slice_subnet_v6:
        yield from _addresses_v6(spec, clusters)


def slice_subnet(text: str, *, is_dynamic: bool = False) -> IPv4Network | Problem:
    """Read a slice subnet, or return what is wrong with it; a Dynamic slice may have another than a /16."""
    example = "write a private IPv4 /16 such as 10.1.0.0/16"
    if is_dynamic:
        example = "write a private IPv4 network of /8 to /26 such as 10.8.0.0/14"
    try:
        subnet = IPv4Network(text)
    except ValueError:
        return Problem(FIELD, f"{text!r} is not an IPv4 network: {example}", reason="InvalidSubnet")
    if subnet.prefixlen != 16 and not is_dynamic:
        wrong = f"{text} is a /{subnet.prefixlen}, not a /16: {example}, or make the slice with sliceIpamType Dynamic"
        return Problem(FIELD, wrong, reason="InvalidSubnet")
    if not any(subnet.subnet_of(block) for block in PRIVATE):
        return Problem(FIELD, f"{text} is not private (RFC 1918): {example}", reason="InvalidSubnet")
    return subnet


def _kind(ipam_type: str) -> Iterator[Problem]:
    # It cannot be changed afterwards, and the Go implementation takes any word.
    meant = next((known for known in IPAM_TYPES if known.lower() == ipam_type.lower() and known != ipam_type), "")
    if meant:
        yield Problem("spec.sliceIpamType", f"{ipam_type} is not known: write {meant}", reason="InvalidIpamType")


def _parts(spec: SliceConfigSpec) -> Iterator[Problem]:
    if spec.slice_ipam_type != DYNAMIC and spec.max_clusters > MOST_EQUAL_PARTS:
        yield Problem(
            "spec.maxClusters",
            f"{spec.max_clusters} is above {MOST_EQUAL_PARTS}, into which an equal cut of a /16 goes: lower it, or "
            "make the slice with sliceIpamType Dynamic",
        )
        return
    try:
        cut = parts.cut(spec)
    except Terminal as refusal:
        yield Problem("spec.ipam.clusterSubnetSize", str(refusal), reason="InvalidSubnet")
        return
    if len(set(spec.clusters)) > cut.count:
        yield Problem(
            FIELD,
            f"{spec.slice_subnet} has {cut.count} parts of /{cut.prefix} for {len(set(spec.clusters))} members: "
            "take some out, or let it grow to a shorter prefix that starts at the same address",
            reason="TooManyClusters",
        )


def _addresses_v6(spec: SliceConfigSpec, clusters: Mapping[str, Cluster]) -> Iterator[Problem]:
    example = "write a unique local network of /48 to /56 such as fd12:3456:789a::/48"
    try:
        subnet = IPv6Network(spec.slice_subnet_v6)
    except ValueError:
        yield Problem(FIELD_V6, f"{spec.slice_subnet_v6!r} is not an IPv6 network: {example}", reason="InvalidSubnet")
        return
    if not subnet.subnet_of(UNIQUE_LOCAL) or not SHORTEST_V6 <= subnet.prefixlen <= LONGEST_V6:
        yield Problem(FIELD_V6, f"{subnet} is not a unique local /48 to /56: {example}", reason="InvalidSubnet")
        return
    room, wanted = 1 << (parts.V6_PART_PREFIX - subnet.prefixlen), parts.count(spec)
    if room < wanted:
        yield Problem(
            FIELD_V6,
            f"{subnet} has {room} parts of /64 and {spec.slice_subnet} has {wanted}: write a shorter prefix",
            reason="InvalidSubnet",
        )
    yield from _overlaps(FIELD_V6, subnet, spec, clusters)


def _overlaps(
    field: str, subnet: IPv4Network | IPv6Network, spec: SliceConfigSpec, clusters: Mapping[str, Cluster]
) -> Iterator[Problem]:
    # Clusters mostly have the same networks, and reading one costs more than all the rest.
    users: dict[str, list[str]] = {}
    for cluster in dict.fromkeys(spec.clusters):
        for text in clusters[cluster].status.cni_subnet if cluster in clusters else ():
            users.setdefault(text, []).append(cluster)
    for text, found in users.items():
        if _is_overlapped(text, subnet):
            for cluster in found:
                yield Problem(
                    field,
                    f"{subnet} overlaps {text}, a network of cluster {cluster}: choose another subnet for the slice",
                    reason="SubnetOverlap",
                )


def _is_overlapped(text: str, subnet: IPv4Network | IPv6Network) -> bool:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return False  # reported on the Cluster by whoever wrote it
    return network.version == subnet.version and network.overlaps(subnet)
