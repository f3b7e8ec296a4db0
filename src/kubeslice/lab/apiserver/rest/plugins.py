"""The admission that is built in: namespaces must exist, pods get account, tolerations, priority, and keep to limits.

Runs before the webhooks, quotas after them. Source: kubernetes/plugin/pkg/admission.
"""

from kubeslice.lab import limitranges, usage
from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.rest.backend import Backend, Call
from kubeslice.lab.apiserver.rest.metadata import generated_name
from kubeslice.lab.apiserver.storage.entry import Key

_TOKEN_DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a path
_TOKEN_SECONDS = 3607
_EVICTION_SECONDS = 300
_IMMORTAL = ("default", "kube-system", "kube-public")
_SYSTEM_PRIORITIES = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
LIMIT_RANGES = "/limitranges"
PRIORITY_CLASSES = "scheduling.k8s.io/priorityclasses"


def admit_create(backend: Backend, call: Call, obj: Object) -> None:
    """Check and complete a new object, in place."""
    check_namespace(backend, call, obj["metadata"].get("name", ""))
    if call.type.storage == "/pods" and not call.path.subresource:
        _admit_account(backend, obj)
        _admit_tolerations(obj["spec"])
        _admit_priority(backend, obj)
        for entry in backend.store.scan(LIMIT_RANGES, call.namespace):
            limitranges.fill(entry.obj, obj)


def admit_counted(backend: Backend, call: Call, obj: Object) -> None:
    """Refuse a new pod that is too much for what limits its namespace; the last word, right before it is stored.

    Source: k8s.io/apiserver/pkg/admission/plugin/resourcequota.
    """
    if call.type.storage != "/pods" or call.path.subresource:
        return
    for entry in backend.store.scan(LIMIT_RANGES, call.namespace):
        if why := limitranges.complaint(entry.obj, obj):
            raise refusals.forbidden("", "pods", obj["metadata"].get("name", ""), why)
    quotas = backend.store.scan("/resourcequotas", call.namespace)
    if not quotas:
        return
    used = usage.of_all(entry.obj for entry in backend.store.scan("/pods", call.namespace))
    for entry in quotas:
        why = usage.complaint(entry.obj, used, obj)
        if why:
            raise refusals.forbidden("", "pods", obj["metadata"].get("name", ""), why)


def check_namespace(backend: Backend, call: Call, name: str) -> None:
    """Refuse new objects in a namespace that is missing or going."""
    if not call.namespace:
        return
    entry = backend.store.find(Key("/namespaces", call.namespace))
    if entry is None:
        raise refusals.not_found("", "namespaces", call.namespace)
    is_going = "deletionTimestamp" in entry.obj["metadata"] or entry.obj.get("status", {}).get("phase") == "Terminating"
    if is_going and not _is_review(call):
        raise refusals.terminating(call.type.group, call.type.plural, name, call.namespace)


def _is_review(call: Call) -> bool:
    return call.type.group == "authorization.k8s.io"


def check_delete(call: Call, name: str) -> None:
    """Refuse to delete the namespaces that a cluster cannot be without."""
    if call.type.storage == "/namespaces" and name in _IMMORTAL:
        raise refusals.forbidden("", "namespaces", name, "this namespace may not be deleted")


def _admit_account(backend: Backend, pod: Object) -> None:
    metadata, spec = pod["metadata"], pod["spec"]
    if "kubernetes.io/config.mirror" in (metadata.get("annotations") or {}):
        return
    name = spec.get("serviceAccountName") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    entry = backend.store.find(Key("/serviceaccounts", f"{metadata['namespace']}/{name}"))
    if entry is None:
        why = f'error looking up service account {metadata["namespace"]}/{name}: serviceaccount "{name}" not found'
        raise refusals.forbidden("", "pods", metadata.get("name", ""), why)
    account = entry.obj
    wanted = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
    if wanted:
        _mount_token(spec)
    if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
        spec["imagePullSecrets"] = [dict(one) for one in account["imagePullSecrets"]]


def _mount_token(spec: Object) -> None:
    """Mount a token into every container that has nothing else at its place."""
    volumes = spec.setdefault("volumes", [])
    existing = next((one["name"] for one in volumes if one["name"].startswith("kube-api-access-")), None)
    name = existing or generated_name("kube-api-access-")
    mounted = False
    for container in [*(spec.get("initContainers") or []), *spec["containers"]]:
        mounts = container.setdefault("volumeMounts", [])
        if not any(one["mountPath"] == _TOKEN_DIRECTORY for one in mounts):
            mounts.append({"name": name, "readOnly": True, "mountPath": _TOKEN_DIRECTORY})
            mounted = True
    if mounted and existing is None:
        volumes.append({"name": name, "projected": {"defaultMode": 0o644, "sources": _token_sources()}})


def _token_sources() -> list[Object]:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return [
        {"serviceAccountToken": {"expirationSeconds": _TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]


def _admit_tolerations(spec: Object) -> None:
    tolerations = spec.setdefault("tolerations", [])
    for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"):
        if not any(_tolerates(one, key) for one in tolerations):
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _EVICTION_SECONDS}
            )


def _tolerates(toleration: Object, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")


def _admit_priority(backend: Backend, pod: Object) -> None:
    spec = pod["spec"]
    name = spec.get("priorityClassName", "")
    classes = {entry.obj["metadata"]["name"]: entry.obj for entry in backend.store.scan(PRIORITY_CLASSES)}
    if not name:
        chosen = max((one for one in classes.values() if one.get("globalDefault")), key=_value, default={})
        if chosen:
            spec["priorityClassName"] = chosen["metadata"]["name"]
    elif name in classes:
        chosen = classes[name]
    elif name in _SYSTEM_PRIORITIES:
        chosen = {"value": _SYSTEM_PRIORITIES[name]}
    else:
        why = f"no PriorityClass with name {name} was found"
        raise refusals.forbidden("", "pods", pod["metadata"].get("name", ""), why)
    spec["priority"] = chosen.get("value", 0)
    spec.setdefault("preemptionPolicy", chosen.get("preemptionPolicy", "PreemptLowerPriority"))


def _value(priority_class: Object) -> int:
    return int(priority_class.get("value", 0))
