"""Services: defaults, and what keeps its value when an update leaves it out. Addresses are given out in `addresses`."""

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.types.strategy import Strategy

_AFFINITY_SECONDS = 10800
EXPOSED = ("NodePort", "LoadBalancer")


def _default(service: Object) -> None:
    spec = service.setdefault("spec", {})
    spec.setdefault("sessionAffinity", "None")
    if spec["sessionAffinity"] == "ClientIP":
        client = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
        client.setdefault("timeoutSeconds", _AFFINITY_SECONDS)
    kind = spec.setdefault("type", "ClusterIP")
    if kind in EXPOSED:
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
    if kind != "ExternalName":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    for port in spec.get("ports") or []:
        port.setdefault("protocol", "TCP")
        if port.get("targetPort") in (None, 0, ""):
            port["targetPort"] = port["port"]


def _prepare(service: Object, old: Object | None) -> None:
    spec = service["spec"]
    if old is None:
        service["status"] = {"loadBalancer": {}}
    else:
        _keep_addresses(spec, old["spec"])
    if spec["type"] == "ExternalName":
        for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            spec.pop(field, None)
    else:
        is_dual = old is None and spec.get("clusterIP") == "None" and not spec.get("selector")
        spec.setdefault("ipFamilies", ["IPv4", "IPv6"] if is_dual else ["IPv4"])
        spec.setdefault("ipFamilyPolicy", "RequireDualStack" if is_dual else "SingleStack")
    if spec["type"] not in EXPOSED:
        spec.pop("externalTrafficPolicy", None)
        spec.pop("healthCheckNodePort", None)
        spec.pop("allocateLoadBalancerNodePorts", None)


def _keep_addresses(spec: Object, old: Object) -> None:
    """Keep the addresses in an update that says nothing about them, so that `kubectl replace` works."""
    if spec["type"] == "ExternalName" or old.get("type") == "ExternalName":
        return
    if spec.get("clusterIP") != old.get("clusterIP") and spec.get("clusterIPs") == old.get("clusterIPs"):
        spec.pop("clusterIPs", None)
        if spec.get("clusterIP"):
            spec["clusterIPs"] = [spec["clusterIP"]]
    if not spec.get("clusterIP") and old.get("clusterIP"):
        spec["clusterIP"] = old["clusterIP"]
    if not spec.get("clusterIPs") and spec.get("clusterIP") == old.get("clusterIP") and old.get("clusterIPs"):
        spec["clusterIPs"] = old["clusterIPs"]
    if spec["type"] in EXPOSED and old.get("type") in EXPOSED:
        _keep_node_ports(spec, old)


def _keep_node_ports(spec: Object, old: Object) -> None:
    known = {(port["port"], port.get("protocol")): port.get("nodePort") for port in old.get("ports") or []}
    taken = {port.get("nodePort") for port in spec.get("ports") or []}
    for port in spec.get("ports") or []:
        before = known.get((port["port"], port.get("protocol")))
        if not port.get("nodePort") and before and before not in taken:
            port["nodePort"] = before


def _selectable(service: Object) -> dict[str, str]:
    spec = service.get("spec", {})
    return {"spec.clusterIP": spec.get("clusterIP", ""), "spec.type": spec.get("type", "")}


SERVICES = Strategy(default=_default, prepare=_prepare, selectable=_selectable, returns_deleted=True)
