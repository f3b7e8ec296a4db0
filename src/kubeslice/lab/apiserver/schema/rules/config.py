"""Secrets, ConfigMaps and Leases.

Source: ValidateSecret and ValidateConfigMap of k8s.io/kubernetes/pkg/apis/core/validation, pkg/apis/coordination.
"""

from collections.abc import Iterator

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema.complaints import forbidden, immutable, invalid, key, required, too_long
from kubeslice.lab.apiserver.schema.rules import names

_LIMIT = 1024 * 1024
_ACCOUNT = "kubernetes.io/service-account.name"
_FROZEN = "field is immutable when `immutable` is set"
_NEEDED_KEYS = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def check_secret(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a Secret."""
    data = obj.get("data") or {}
    found = list(_check_keys(data, "data"))
    size = sum(_decoded_size(text) for text in data.values())
    if size > _LIMIT:
        found.append(too_long("data", _LIMIT))
    found.extend(_check_type(obj, data))
    if old is not None:
        found.extend(immutable("type", obj.get("type"), old.get("type")))
        found.extend(_check_frozen(obj, old, ("data",)))
    return found


def _decoded_size(text: str) -> int:
    return len(text) // 4 * 3 - text[-2:].count("=")


def _check_type(obj: Object, data: Object) -> Iterator[FieldError]:
    kind = obj.get("type") or "Opaque"
    if kind == "kubernetes.io/service-account-token":
        annotations = (obj.get("metadata") or {}).get("annotations") or {}
        if not annotations.get(_ACCOUNT):
            yield required(key("metadata.annotations", _ACCOUNT))
    for name in _NEEDED_KEYS.get(kind, ()):
        if name not in data:
            yield required(key("data", name))


def check_config_map(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a ConfigMap."""
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    found = list(_check_keys(data, "data")) + list(_check_keys(binary, "binaryData"))
    for name in data:
        if name in binary:
            found.append(invalid(key("data", name), name, "duplicate of key present in binaryData"))
    if sum(len(text.encode()) for text in data.values()) + sum(map(_decoded_size, binary.values())) > _LIMIT:
        found.append(too_long("", _LIMIT))
    if old is not None:
        found.extend(_check_frozen(obj, old, ("data", "binaryData")))
    return found


def _check_keys(data: Object, path: str) -> Iterator[FieldError]:
    for name in data:
        for why in names.config_key(name):
            yield invalid(key(path, name), name, why)


def _check_frozen(obj: Object, old: Object, fields: tuple[str, ...]) -> Iterator[FieldError]:
    if not old.get("immutable"):
        return
    if not obj.get("immutable"):
        yield forbidden("immutable", _FROZEN)
    for field in fields:
        if (obj.get(field) or {}) != (old.get(field) or {}):
            yield forbidden(field, _FROZEN)


def check_lease(obj: Object, _old: Object | None) -> list[FieldError]:
    """Check a Lease."""
    spec = obj.get("spec") or {}
    found = []
    duration, transitions = spec.get("leaseDurationSeconds"), spec.get("leaseTransitions")
    if duration is not None and duration <= 0:
        found.append(invalid("spec.leaseDurationSeconds", duration, "must be greater than 0"))
    if transitions is not None and transitions < 0:
        found.append(invalid("spec.leaseTransitions", transitions, "must be greater than or equal to 0"))
    return found
