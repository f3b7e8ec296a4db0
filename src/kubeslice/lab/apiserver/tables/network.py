"""The columns of services and of what stands behind them."""

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.selection.labels import written
from kubeslice.lab.apiserver.tables.column import AGE, NAME, Column, path, wide

_SHOWN_ENDPOINTS = 3


def _external(service: Object) -> str:
    spec = service.get("spec", {})
    external = spec.get("externalIPs") or []
    kind = spec.get("type")
    if kind == "ExternalName":
        return str(spec.get("externalName", ""))
    if kind != "LoadBalancer":
        return ",".join(external) or "<none>"
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
    found = [one.get("ip") or one.get("hostname", "") for one in ingress] + external
    return ",".join(found) or "<pending>"


def _ports(service: Object) -> str:
    return ",".join(_port(one) for one in service.get("spec", {}).get("ports") or []) or "<none>"


def _port(port: Object) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port['port']}{node}/{port.get('protocol', 'TCP')}"


def _cluster_ip(service: Object) -> str:
    return service.get("spec", {}).get("clusterIP") or "<none>"


def _selector(service: Object) -> str:
    selector = service.get("spec", {}).get("selector") or {}
    return ",".join(f"{name}={value}" for name, value in sorted(selector.items())) or "<none>"


def _few(found: list[str]) -> str:
    if not found:
        return "<none>"
    more = f" + {len(found) - _SHOWN_ENDPOINTS} more..." if len(found) > _SHOWN_ENDPOINTS else ""
    return ",".join(found[:_SHOWN_ENDPOINTS]) + more


def _endpoints(endpoints: Object) -> str:
    found: list[str] = []
    for subset in endpoints.get("subsets") or []:
        addresses = [one["ip"] for one in subset.get("addresses") or []]
        ports = subset.get("ports") or []
        found += [f"{ip}:{port['port']}" for port in ports for ip in addresses] if ports else addresses
    return _few(found)


def _slice_ports(endpoint_slice: Object) -> str:
    ports = endpoint_slice.get("ports") or []
    return _few([str(one.get("port", "*")) for one in ports]) if ports else "<unset>"


def _slice_endpoints(endpoint_slice: Object) -> str:
    endpoints = endpoint_slice.get("endpoints") or []
    found = [address for one in endpoints for address in one.get("addresses") or []]
    return _few(found) if endpoints else "<unset>"


def _pod_selector(policy: Object) -> str:
    return written(policy.get("spec", {}).get("podSelector")) or "<none>"


SERVICES = (
    NAME,
    Column("Type", path("spec", "type")),
    Column("Cluster-IP", _cluster_ip),
    Column("External-IP", _external),
    Column("Port(s)", _ports),
    AGE,
    wide("Selector", _selector),
)
ENDPOINTS = (NAME, Column("Endpoints", _endpoints), AGE)
ENDPOINT_SLICES = (
    NAME,
    Column("AddressType", path("addressType")),
    Column("Ports", _slice_ports),
    Column("Endpoints", _slice_endpoints),
    AGE,
)
NETWORK_POLICIES = (NAME, Column("Pod-Selector", _pod_selector), AGE)
