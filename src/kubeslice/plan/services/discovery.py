"""What an exported service is, and what an imported one becomes. Called by the worker operator and by DNS.

Only pods that are Ready and have an address on the slice are offered, on all ports of the export.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kubeslice.model import names
from kubeslice.model.discovery import ServiceDiscoveryEndpoint, ServiceDiscoveryPort
from kubeslice.model.serviceexport import ExportedPod, LabelRequirement, LabelSelector, ServiceExport
from kubeslice.model.serviceexportconfig import ServiceExportConfigSpec
from kubeslice.model.serviceimport import ImportedEndpoint, ServiceImport, ServiceImportSpec
from kubeslice.model.serviceports import ServicePort
from kubeslice.model.workerserviceimport import WorkerServiceImport
from kubeslice.plan import findings, pods
from kubeslice.plan.checks import effective
from kubeslice.plan.findings import Finding
from kubeslice.plan.services import zone
from kubeslice.plan.services.zone import Endpoint, Service

Object = dict[str, Any]
State = Literal["PENDING", "READY", "ERROR"]

ALIASES_SERVED = "AliasesServed"


@dataclass(frozen=True)
class Verdict:
    """How an export or import does: the state word of the Go implementation, and the conditions."""

    state: State
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Backend:
    """A pod behind an export: its name, its address in the cluster's own network, and that on the slice."""

    name: str
    pod_ip: str
    address: str


def matches(selector: LabelSelector, labels: dict[str, str]) -> bool:
    """Tell whether labels satisfy a label selector. An empty selector chooses every pod, as in Kubernetes."""
    has_labels = all(labels.get(key) == value for key, value in selector.match_labels.items())
    return has_labels and all(_holds(requirement, labels) for requirement in selector.match_expressions)


def backends(export: ServiceExport, slice_name: str, candidates: Iterable[Object]) -> list[Backend]:
    """Return the pods behind an export, by name: chosen, Ready and with an address on its slice.

    `slice_name` is what the slice is called in this cluster.
    """
    chosen = [
        Backend(str(pod["metadata"]["name"]), str((pod.get("status") or {}).get("podIP") or ""), address)
        for pod in candidates
        if matches(export.spec.selector, pod["metadata"].get("labels") or {})
        and pods.is_ready(pod)
        and (address := pods.overlay_address(pod, slice_name))
    ]
    return sorted(chosen, key=lambda pod: pod.name)


def obstacle(
    export: ServiceExport, namespace_slice: str, slices: Iterable[str], bare: Collection[str] = ()
) -> Finding | None:
    """Return why a service cannot be exported at all, if it cannot: its namespace must be on its slice.

    `bare` are the slices without a network.
    """
    namespace, wanted = export.metadata.namespace, export.spec.slice
    if wanted in bare:
        message = f"slice {wanted} has no network, on which other clusters could reach the service: name one that has"
        return findings.not_ready("SliceWithoutNetwork", message)
    if namespace_slice == wanted:
        return None
    if wanted not in set(slices):
        message = (
            f"slice {wanted} is not in this cluster: write the name of a slice that has this cluster as a member, or "
            f"add the cluster to spec.clusters of SliceConfig {wanted}"
        )
        return findings.not_ready("SliceNotFound", message)
    where = f"namespace {namespace} is on slice {namespace_slice}, not on {wanted}" if namespace_slice else (
        f"namespace {namespace} is not on a slice"
    )  # fmt: skip
    remedy = f"add it to spec.namespaceIsolationProfile.applicationNamespaces of SliceConfig {wanted}"
    return findings.not_ready("NamespaceNotOnSlice", f"{where}: {remedy}")


def export_verdict(export: ServiceExport, problem: Finding | None, offered: int, complaints: Sequence[str]) -> Verdict:
    """Return how an export does."""
    others = _aliases(complaints), findings.effectiveness(effective.export_not_effective(export.spec))
    if problem:
        return Verdict("ERROR", (problem, *others))
    if not offered:
        message = (
            f"no pod that matches the selector is ready and has an address on slice {export.spec.slice}: "
            "see the pods' labels and readiness"
        )
        return Verdict("PENDING", (findings.not_ready("NoEndpoints", message), *others))
    name = names.service_dns(export.metadata.name, export.metadata.namespace)
    message = f"{_pods(offered)} exported as {name}"
    return Verdict("READY", (findings.ready("Exported", message), *others))


def export_config(export: ServiceExport, cluster: str, offered: Iterable[Backend]) -> ServiceExportConfigSpec:
    """Return what the hub is told about an export."""
    first = export.spec.ports[0].container_port
    return ServiceExportConfigSpec(
        service_name=export.metadata.name,
        service_namespace=export.metadata.namespace,
        source_cluster=cluster,
        slice_name=export.spec.slice,
        service_discovery_endpoints=[_endpoint(export, cluster, pod, first) for pod in offered],
        service_discovery_ports=[_discovery_port(port) for port in export.spec.ports],
        aliases=sorted(set(export.spec.aliases)),
    )


def exported_lines(export: ServiceExport, cluster: str, offered: Iterable[Backend]) -> list[ExportedPod]:
    """Return a line for each pod in the status of an export."""
    service, namespace = export.metadata.name, export.metadata.namespace
    return [
        ExportedPod(
            name=pod.name,
            dns_name=names.pod_dns(pod.name, cluster, service, namespace),
            pod_ip=pod.pod_ip,
            nsm_ip=pod.address,
        )
        for pod in offered
    ]


def container_ports(ports: Iterable[ServicePort]) -> str:
    """Return the ports of the pods for people: `80/TCP,443/TCP`."""
    return ",".join(f"{port.container_port}/{port.protocol or 'TCP'}" for port in ports)


def service_ports(ports: Iterable[ServicePort]) -> str:
    """Return the ports of the service for people."""
    return ",".join(f"{port.service_port or port.container_port}/{port.protocol or 'TCP'}" for port in ports)


def import_spec(wanted: WorkerServiceImport) -> ServiceImportSpec:
    """Return the spec of the ServiceImport that the hub's object asks for."""
    return ServiceImportSpec(
        slice=wanted.spec.slice_name,
        dns_name=names.service_dns(wanted.spec.service_name, wanted.spec.service_namespace),
        ports=[_service_port(port) for port in wanted.spec.service_discovery_ports if port.port],
        aliases=wanted.spec.aliases,
    )


def imported_endpoints(wanted: WorkerServiceImport) -> list[ImportedEndpoint]:
    """Return the pods behind an imported service in all clusters, by cluster and name; each address once."""
    service, namespace = wanted.spec.service_name, wanted.spec.service_namespace
    lines: dict[tuple[str, str, str], ImportedEndpoint] = {}
    for entry in wanted.spec.service_discovery_endpoints:
        if entry.nsm_ip:
            lines[entry.cluster, entry.pod_name, entry.nsm_ip] = ImportedEndpoint(
                name=entry.pod_name,
                ip=entry.nsm_ip,
                port=entry.port or 0,
                cluster_id=entry.cluster,
                dns_name=names.pod_dns(entry.pod_name, entry.cluster, service, namespace),
            )
    return [lines[key] for key in sorted(lines)]


def import_verdict(endpoints: int, sources: Iterable[str], complaints: Sequence[str]) -> Verdict:
    """Return how an import does."""
    where = ", ".join(sorted(sources))
    if not endpoints:
        message = f"no pod behind the service is ready in {where or 'any cluster'}, so its name does not resolve"
        return Verdict("PENDING", (findings.not_ready("NoEndpoints", message), _aliases(complaints)))
    return Verdict("READY", (findings.ready("Imported", f"{_pods(endpoints)} in {where}"), _aliases(complaints)))


def import_obstacle(wanted: WorkerServiceImport, title: str, namespace_slice: str, *, exists: bool) -> Finding | None:
    """Return why a service is not imported into this cluster, if it is not; `title` is its slice's name on the hub."""
    namespace, slice_name = wanted.spec.service_namespace, wanted.spec.slice_name
    if namespace_slice == slice_name:
        return None
    remedy = f"add it to spec.namespaceIsolationProfile.applicationNamespaces of SliceConfig {title}"
    what = "is not on the slice in" if exists else "does not exist in"
    message = f"namespace {namespace} {what} this cluster: {remedy} to reach the service from here"
    return findings.not_ready("NamespaceNotOnSlice", message)


def zone_service(imported: ServiceImport) -> Service:
    """Return an imported service as DNS sees it."""
    return Service(
        namespace=imported.metadata.namespace,
        name=imported.metadata.name,
        endpoints=frozenset(
            Endpoint(pod=entry.name, cluster=entry.cluster_id, address=entry.ip) for entry in imported.status.endpoints
        ),
        aliases=tuple(imported.spec.aliases),
        since=imported.metadata.creation_timestamp,
    )


def alias_complaints(imported: ServiceImport, others: Iterable[ServiceImport]) -> list[str]:
    """Return a sentence for each alias of an import that does not resolve beside `others`."""
    return zone.alias_complaints(zone_service(imported), [zone_service(other) for other in others])


def _holds(requirement: LabelRequirement, labels: dict[str, str]) -> bool:
    present = requirement.key in labels
    match requirement.operator:
        case "In":
            return present and labels[requirement.key] in requirement.values
        case "NotIn":
            return not present or labels[requirement.key] not in requirement.values
        case "Exists":
            return present
        case "DoesNotExist":
            return not present


def _endpoint(export: ServiceExport, cluster: str, pod: Backend, port: int) -> ServiceDiscoveryEndpoint:
    return ServiceDiscoveryEndpoint(
        pod_name=pod.name,
        cluster=cluster,
        nsm_ip=pod.address,
        dns_name=names.pod_dns(pod.name, cluster, export.metadata.name, export.metadata.namespace),
        port=port,
    )


def _discovery_port(port: ServicePort) -> ServiceDiscoveryPort:
    return ServiceDiscoveryPort(
        name=port.name or f"port-{port.container_port}",
        protocol=port.protocol or "TCP",
        port=port.container_port,
        service_port=port.service_port or port.container_port,
        service_protocol=port.service_protocol,
    )


def _service_port(port: ServiceDiscoveryPort) -> ServicePort:
    return ServicePort(
        name=port.name,
        container_port=port.port or 1,
        protocol=port.protocol,
        service_port=port.service_port,
        service_protocol="HTTPS" if port.service_protocol == "HTTPS" else "HTTP",
    )


def _aliases(complaints: Sequence[str]) -> Finding:
    if complaints:
        return Finding(ALIASES_SERVED, "False", "AliasNotServed", "; ".join(complaints))
    return Finding(ALIASES_SERVED, "True", "Served", "every alias resolves")


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"
