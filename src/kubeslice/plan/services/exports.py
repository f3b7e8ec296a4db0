"""A service of a slice: who exports it, what every member imports, and which exports are refused. Called by the hub.

An export counts only for the cluster whose namespace it is in; what it says about other clusters, or about addresses
that are not that cluster's, is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

from kubeslice.model import names
from kubeslice.model.resources import WORKERSERVICEIMPORTS
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.plan.hub.slices import slice_labels
from kubeslice.plan.tenants.tenancy import Member

Object = dict[str, Any]

# What time or somebody else may still mend: a slice, its members and its exports come in any order.
PASSING = frozenset({"NoSuchSlice", "NotAMember"})


@dataclass(frozen=True)
class Export:
    """A ServiceExportConfig's spec in wire form, and the cluster whose namespace it really is in."""

    cluster: str
    name: str
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class SliceMembers:
    """The slice that exports name: whether there is one, and the subnet of each member cluster."""

    name: str
    exists: bool
    clusters: Mapping[str, IPv4Network | None]


def problem(export: Export, members: SliceMembers) -> tuple[str, str]:
    """Return reason and sentence of why an export cannot count; two empty strings when it does."""
    spec = export.spec
    if spec.get("sourceCluster") != export.cluster:
        claimed = spec.get("sourceCluster")
        return (
            "ForeignCluster",
            f"the export says it is of cluster {claimed}, but it is in the namespace of {export.cluster}",
        )
    if not members.exists:
        return "NoSuchSlice", f"there is no slice {members.name}: create it, or name another in spec.slice"
    if export.cluster not in members.clusters:
        return "NotAMember", f"cluster {export.cluster} is not on slice {members.name}: add it to spec.clusters"
    for field in ("serviceName", "serviceNamespace"):
        if not 1 <= len(spec.get(field) or "") <= 63:
            return "InvalidName", f"{field} {spec.get(field)!r} is not a name of 1 to 63 characters"
    return "", ""


def judge(export: Export, members: SliceMembers) -> Finding:
    """Return the Ready finding of a ServiceExportConfig."""
    reason, sentence = problem(export, members)
    if reason:
        return findings.not_ready(reason, sentence)
    endpoints = len(_own_endpoints(export, members))
    return findings.ready("Exported", f"{endpoints} endpoints offered to {len(members.clusters)} clusters")


def service_imports(project: str, members: SliceMembers, exports: Iterable[Export]) -> list[Object]:
    """Return the WorkerServiceImport of every member cluster; none when no export of the service counts."""
    valid = sorted((e for e in exports if not problem(e, members)[0]), key=lambda e: (e.cluster, e.name))
    if not valid:
        return []
    spec = _merged(members, valid)
    return [_service_import(Member(project, cluster), spec) for cluster in members.clusters]


def _service_import(member: Member, spec: Object) -> Object:
    service, namespace, slice_name = spec["serviceName"], spec["serviceNamespace"], spec["sliceName"]
    labels = slice_labels(member, slice_name)
    labels |= {names.SERVICE_NAME_LABEL: service, names.SERVICE_NAMESPACE_LABEL: namespace}
    name = names.worker_service_import(service, namespace, slice_name, member.name)
    return {
        "apiVersion": WORKERSERVICEIMPORTS.api_version,
        "kind": WORKERSERVICEIMPORTS.kind,
        "metadata": {"name": name, "namespace": member.namespace, "labels": labels},
        "spec": spec,
    }


def _merged(members: SliceMembers, exports: Sequence[Export]) -> Object:
    endpoints = [endpoint for export in exports for endpoint in _own_endpoints(export, members)]
    return {
        "serviceName": exports[0].spec["serviceName"],
        "serviceNamespace": exports[0].spec["serviceNamespace"],
        "sliceName": members.name,
        "sourceClusters": list(dict.fromkeys(export.cluster for export in exports)),
        "serviceDiscoveryEndpoints": sorted(endpoints, key=_endpoint_order),
        "serviceDiscoveryPorts": _ports(exports),
        "aliases": sorted({alias for export in exports for alias in export.spec.get("aliases") or []}),
    }


def _own_endpoints(export: Export, members: SliceMembers) -> list[Object]:
    listed = export.spec.get("serviceDiscoveryEndpoints") or []
    subnet = members.clusters.get(export.cluster)
    return [
        dict(entry)
        for entry in listed
        if entry.get("cluster") == export.cluster and _is_inside(str(entry.get("nsmIp") or ""), subnet)
    ]


def _is_inside(address: str, subnet: IPv4Network | None) -> bool:
    try:
        return subnet is not None and IPv4Address(address) in subnet
    except AddressValueError:
        return False


def _endpoint_order(endpoint: Mapping[str, Any]) -> tuple[str, str, str]:
    return endpoint["cluster"], str(endpoint.get("podName") or ""), endpoint["nsmIp"]


def _ports(exports: Iterable[Export]) -> list[Object]:
    # Every port that any cluster offers, once; where two clusters disagree about a port the first one's word stands.
    ports: dict[tuple[str, int, str], Object] = {}
    for export in exports:
        for port in export.spec.get("serviceDiscoveryPorts") or []:
            key = (str(port.get("name") or ""), int(port.get("port") or 0), str(port.get("protocol") or "TCP"))
            ports.setdefault(key, dict(port))
    return [ports[key] for key in sorted(ports)]
