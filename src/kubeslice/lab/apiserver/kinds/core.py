"""The small kinds of the core group: namespaces, secrets, config maps, events, nodes, endpoints."""

import base64
from typing import Any

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.types.strategy import Strategy

NAMESPACE_FINALIZER = "kubernetes"


def _default_namespace(namespace: Object) -> None:
    metadata = namespace["metadata"]
    if metadata.get("name"):
        metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]


def _prepare_namespace(namespace: Object, old: Object | None) -> None:
    _default_namespace(namespace)
    if old is None:
        finalizers = namespace.setdefault("spec", {}).setdefault("finalizers", [])
        if NAMESPACE_FINALIZER not in finalizers:
            finalizers.append(NAMESPACE_FINALIZER)
        namespace["status"] = {"phase": "Active"}
    else:
        namespace["spec"] = old.get("spec", {})


def _phase(obj: Object) -> dict[str, str]:
    return {"status.phase": obj.get("status", {}).get("phase", "")}


def _default_secret(secret: Object) -> None:
    secret.setdefault("type", "Opaque")
    plain = secret.pop("stringData", None)
    if plain:
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in plain.items()}
        secret["data"] = (secret.get("data") or {}) | encoded


def _secret_type(secret: Object) -> dict[str, str]:
    return {"type": secret.get("type", "")}


def _event_fields(event: Object) -> dict[str, str]:
    target: dict[str, Any] = event.get("involvedObject") or {}
    names = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
    values = {f"involvedObject.{name}": target.get(name, "") for name in names}
    source = event.get("source", {}).get("component") or event.get("reportingComponent", "")
    return values | {
        "reason": event.get("reason", ""),
        "type": event.get("type", ""),
        "reportingComponent": event.get("reportingComponent", ""),
        "source": source,
    }


def _prepare_event(event: Object, _old: Object | None) -> None:
    """Spell out what typed clients always send."""
    if event["apiVersion"] != "v1":
        return
    for name in ("firstTimestamp", "lastTimestamp", "eventTime"):
        event.setdefault(name, None)
    for name in ("reportingComponent", "reportingInstance"):
        event.setdefault(name, "")
    event.setdefault("source", {})


def _default_endpoints(endpoints: Object) -> None:
    for subset in endpoints.get("subsets") or []:
        for port in subset.get("ports") or []:
            port.setdefault("protocol", "TCP")


def _default_endpoint_slice(endpoint_slice: Object) -> None:
    for port in endpoint_slice.get("ports") or []:
        port.setdefault("name", "")
        port.setdefault("protocol", "TCP")
    for endpoint in endpoint_slice.get("endpoints") or []:
        endpoint.setdefault("conditions", {})


def _unschedulable(node: Object) -> dict[str, str]:
    return {"spec.unschedulable": str(bool(node.get("spec", {}).get("unschedulable"))).lower()}


NAMESPACES = Strategy(default=_default_namespace, prepare=_prepare_namespace, selectable=_phase, returns_deleted=True)
SECRETS = Strategy(default=_default_secret, selectable=_secret_type)
SERVICE_ACCOUNTS = Strategy(returns_deleted=True)
EVENTS = Strategy(prepare=_prepare_event, selectable=_event_fields, create_on_update=True)
ENDPOINTS = Strategy(default=_default_endpoints, create_on_update=True)
ENDPOINT_SLICES = Strategy(default=_default_endpoint_slice)
NODES = Strategy(selectable=_unschedulable, keeps_status=True)
LEASES = Strategy(create_on_update=True, unconditional_update=False)
PLAIN = Strategy()
