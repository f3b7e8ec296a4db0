"""What a project is in its clusters, read off the objects that the hub makes: part by part, as people name them.

The same reading of what the hub would write and of what it has written makes `kubeslice plan` and `kubeslice apply`
say the same. Which running traffic a difference interrupts is said by `plan.changes.interruptions`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from kubeslice.model import names

Object = dict[str, Any]
Action = Literal["create", "change", "remove"]

MEMBER, GATEWAYS, NAMESPACE, ALLOWED = "member", "gateways", "namespace", "allowed namespace"
POLICY, TUNNELS, ROUTE, NAME, REGISTRATION = "policy", "tunnels", "route", "name", "registration"
LIMITS = "limits"
ISOLATION, BANDWIDTH, HTTP = "isolation", "bandwidth", "HTTP gateway"
SHUT_OUT = "shut out"
THROUGH = "through "


class Spot(NamedTuple):
    """Where a part is: its cluster, its slice ("" for none), what it is, and its name ("" where there is only one)."""

    cluster: str
    slice: str
    what: str
    name: str = ""


Footprint = Mapping[Spot, str]


@dataclass(frozen=True)
class Made:
    """What the hub makes of a project: objects of the kinds that workers read, and its Clusters."""

    configs: Iterable[Object] = ()
    views: Iterable[Object] = ()
    imports: Iterable[Object] = ()
    registrations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """A part that comes, goes or changes."""

    spot: Spot
    before: str = ""
    after: str = ""

    @property
    def action(self) -> Action:
        """Return what happens to the part."""
        if not self.before:
            return "create"
        return "change" if self.after else "remove"


def footprint(made: Made) -> dict[Spot, str]:
    """Return every part and what is to be said about it. Objects on their way out count as gone."""
    parts: dict[Spot, str] = {Spot(name, "", REGISTRATION): words for name, words in made.registrations.items()}
    for objects, read in ((made.configs, _of_config), (made.views, _of_view), (made.imports, _of_import)):
        for obj in objects:
            if not obj["metadata"].get("deletionTimestamp"):
                parts.update(read(obj))
    return parts


def leads_to(found: Difference) -> str:
    """Return the cluster that a part which comes leads to, "" for others: the hub makes it when that has reported."""
    if found.action != "create":
        return ""
    ends = {TUNNELS: found.spot.name, ROUTE: found.after.removeprefix(THROUGH)}
    return ends.get(found.spot.what, "")


def differences(before: Footprint, after: Footprint) -> list[Difference]:
    """Return what differs, by cluster, slice, and kind of part."""
    return [
        Difference(spot, before.get(spot, ""), after.get(spot, ""))
        for spot in sorted({*before, *after})
        if before.get(spot) != after.get(spot)
    ]


def _of_config(config: Object) -> Iterator[tuple[Spot, str]]:
    cluster, spec = _cluster(config), config.get("spec") or {}
    name, subnet = spec.get("sliceName") or "", spec.get("clusterSubnetCIDR")
    subnets = ", ".join(found for found in (subnet, spec.get("clusterSubnetCIDRV6")) if found)
    yield Spot(cluster, name, MEMBER), f"{subnets} of {spec.get('sliceSubnet')}" if subnets else "without network"
    if subnet:
        yield Spot(cluster, name, GATEWAYS), _gateways(spec)
    profile = spec.get("namespaceIsolationProfile") or {}
    for namespace in profile.get("applicationNamespaces") or []:
        yield Spot(cluster, name, NAMESPACE, namespace), "joins"
    for namespace in profile.get("allowedNamespaces") or []:
        yield Spot(cluster, name, ALLOWED, namespace), "is let in"
    if profile.get("isolationEnabled"):
        yield Spot(cluster, name, POLICY, ISOLATION), "a NetworkPolicy in each of its namespaces"
    if spec.get("qosProfileDetails"):
        yield Spot(cluster, name, POLICY, BANDWIDTH), _bandwidth(spec["qosProfileDetails"])
    yield from _limits(cluster, name, spec.get("resourceQuota") or {})
    external = spec.get("externalGatewayConfig") or {}
    if external.get("gatewayType", "none") != "none":
        yield Spot(cluster, name, POLICY, HTTP), str(external["gatewayType"])


def _limits(cluster: str, slice_name: str, part: Mapping[str, Any]) -> Iterator[tuple[Spot, str]]:
    """Yield what the slice may use in the cluster, and in each of its namespaces there."""
    bandwidth = part.get("bandwidthCeilingKbps")
    whole = {"kbit/s": bandwidth, "exportedServices": part.get("exportedServices")}
    for name, amounts in (
        ("", whole),
        *(
            (entry["namespace"], {**(entry.get("hard") or {}), "exportedServices": entry.get("exportedServices")})
            for entry in part.get("namespaces") or []
        ),
    ):
        words = ", ".join(f"{key} {amount}" for key, amount in sorted(amounts.items()) if amount is not None)
        if words:
            yield Spot(cluster, slice_name, LIMITS, name), words


def _gateways(spec: Mapping[str, Any]) -> str:
    provider = spec.get("sliceGatewayProvider") or {}
    kind, port = provider.get("sliceGatewayServiceType", "NodePort"), provider.get("sliceGatewayProtocol", "UDP")
    engine = " ".join(found for found in (provider.get("sliceGatewayType"), provider.get("cipher")) if found)
    return f"{spec.get('gatewayReplicas', 1)} x {engine}, {kind} {port}"


def _bandwidth(qos: Mapping[str, Any]) -> str:
    least, most = qos.get("bandwidthGuaranteedKbps", 0), qos.get("bandwidthCeilingKbps", 0)
    return f"{least} to {most} kbit/s, priority {qos.get('priority', 0)}, {qos.get('dscpClass', 'Default')}"


def _of_view(view: Object) -> Iterator[tuple[Spot, str]]:
    cluster, spec = _cluster(view), view.get("spec") or {}
    far, name = spec.get("remoteGatewayConfig") or {}, spec.get("sliceName") or ""
    remote = far.get("clusterName") or ""
    relayed = f", through {spec['relay']}" if spec.get("relay") else ""
    exposure = f"{spec.get('gatewayConnectivityType', 'NodePort')} {spec.get('gatewayProtocol', 'UDP')}"
    role = f"as {spec.get('gatewayHostType')}, {exposure}"
    yield Spot(cluster, name, TUNNELS, remote), f"to {far.get('gatewaySubnet')} {role}{relayed}"
    for subnet in far.get("transitSubnets") or []:
        yield Spot(cluster, name, ROUTE, subnet), f"{THROUGH}{remote}"


def _of_import(imported: Object) -> Iterator[tuple[Spot, str]]:
    spec = imported.get("spec") or {}
    dns = names.service_dns(spec.get("serviceName") or "", spec.get("serviceNamespace") or "")
    sources = ", ".join(sorted(spec.get("sourceClusters") or []))
    yield Spot(_cluster(imported), spec.get("sliceName") or "", NAME, dns), f"from {sources}"


def _cluster(obj: Object) -> str:
    return str((obj["metadata"].get("labels") or {}).get(names.CLUSTER_LABEL, ""))
