"""Pods and pod templates: containers, volumes, ports, environment, and what may change in a running pod.

Source: ValidatePodSpec and ValidatePodUpdate of k8s.io/kubernetes/pkg/apis/core/validation.
"""

from collections.abc import Iterator
from typing import Any

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema.complaints import (
    child,
    duplicate,
    forbidden,
    invalid,
    not_found,
    not_supported,
    required,
)
from kubeslice.lab.apiserver.schema.rules import meta, names
from kubeslice.lab.apiserver.schema.rules.quantities import check_resources

PROTOCOLS = ("SCTP", "TCP", "UDP")
_RESTART_POLICIES = ("Always", "OnFailure", "Never")
_PULL_POLICIES = ("Always", "IfNotPresent", "Never")
_DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")
_CHANGEABLE = frozenset({"activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"})
_CHANGE_TEXT = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n"
)


def check_pod(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a pod."""
    spec = obj.get("spec") or {}
    if old is not None:
        return list(_check_update(spec, old.get("spec") or {}))
    return list(check_spec(spec, "spec"))


def check_template(template: Object, path: str) -> Iterator[FieldError]:
    """Check a pod template."""
    metadata = template.get("metadata") or {}
    yield from meta.check_labels(metadata.get("labels") or {}, child(path, "labels"))
    yield from check_spec(template.get("spec") or {}, child(path, "spec"))


def check_spec(spec: Object, path: str) -> Iterator[FieldError]:
    """Check the spec of a pod or template."""
    volumes = spec.get("volumes") or []
    yield from _check_volumes(volumes, child(path, "volumes"))
    known = {volume.get("name") for volume in volumes}
    containers = spec.get("containers") or []
    if not containers:
        yield required(child(path, "containers"))
    yield from _check_containers(containers, child(path, "containers"), known)
    taken = [container.get("name") or "" for container in containers]
    yield from _check_containers(spec.get("initContainers") or [], child(path, "initContainers"), known, taken)
    yield from _one_of(spec, "restartPolicy", _RESTART_POLICIES, path)
    yield from _one_of(spec, "dnsPolicy", _DNS_POLICIES, path)
    yield from meta.check_labels(spec.get("nodeSelector") or {}, child(path, "nodeSelector"))
    yield from _named(spec, "serviceAccountName", names.dns_subdomain, path)
    yield from _named(spec, "hostname", names.dns_label, path)
    grace = spec.get("terminationGracePeriodSeconds")
    if grace is not None and grace < 0:
        yield invalid(child(path, "terminationGracePeriodSeconds"), grace, "must be greater than or equal to 0")
    yield from _check_host_ports(spec, path)


def _check_host_ports(spec: Object, path: str) -> Iterator[FieldError]:
    if not spec.get("hostNetwork"):
        return
    for index, container in enumerate(spec.get("containers") or []):
        for number, port in enumerate(container.get("ports") or []):
            if port.get("hostPort") not in (None, 0, port.get("containerPort")):
                where = f"{path}.containers[{index}].ports[{number}].containerPort"
                yield invalid(where, port.get("containerPort"), "must match `hostPort` when `hostNetwork` is true")


def _one_of(owner: Object, field: str, allowed: tuple[str, ...], path: str) -> Iterator[FieldError]:
    value = owner.get(field)
    if value and value not in allowed:
        yield not_supported(child(path, field), value, allowed)


def _named(owner: Object, field: str, check: names.NameCheck, path: str) -> Iterator[FieldError]:
    value = owner.get(field)
    for why in check(value) if value else ():
        yield invalid(child(path, field), value, why)


def _check_volumes(volumes: list[Object], path: str) -> Iterator[FieldError]:
    yield from meta.unique([volume.get("name") or "" for volume in volumes], path, "name")
    for index, volume in enumerate(volumes):
        where = f"{path}[{index}]"
        if not volume.get("name"):
            yield required(child(where, "name"))
        yield from _named(volume, "name", names.dns_label, where)
        sources = [name for name in volume if name != "name"]
        if not sources:
            yield required(where, "must specify a volume type")
        for extra in sources[1:]:
            yield forbidden(child(where, extra), "may not specify more than 1 volume type")


def _check_containers(
    containers: list[Object], path: str, volumes: set[Any], taken: list[str] | None = None
) -> Iterator[FieldError]:
    seen = set(taken or ())
    for index, container in enumerate(containers):
        where = f"{path}[{index}]"
        name = container.get("name") or ""
        if name and name in seen:
            yield duplicate(child(where, "name"), name)
        seen.add(name)
        yield from _check_container(container, where, volumes)


def _check_container(container: Object, path: str, volumes: set[Any]) -> Iterator[FieldError]:
    if not container.get("name"):
        yield required(child(path, "name"))
    yield from _named(container, "name", names.dns_label, path)
    image = container.get("image") or ""
    if not image:
        yield required(child(path, "image"))
    elif image != image.strip():
        yield invalid(child(path, "image"), image, "must not have leading or trailing whitespace")
    yield from _one_of(container, "imagePullPolicy", _PULL_POLICIES, path)
    yield from _check_ports(container.get("ports") or [], child(path, "ports"))
    yield from _check_env(container.get("env") or [], child(path, "env"))
    yield from _check_mounts(container.get("volumeMounts") or [], child(path, "volumeMounts"), volumes)
    for probe in _PROBES:
        if probe in container:
            yield from _check_probe(container[probe], child(path, probe))
    yield from check_resources(container.get("resources") or {}, child(path, "resources"))


def _check_ports(ports: list[Object], path: str) -> Iterator[FieldError]:
    yield from meta.unique([port.get("name") or "" for port in ports], path, "name")
    for index, port in enumerate(ports):
        where = f"{path}[{index}]"
        yield from _named(port, "name", names.port_name, where)
        if not port.get("containerPort"):
            yield required(child(where, "containerPort"))
        for field in ("containerPort", "hostPort"):
            for why in names.port_number(port[field]) if port.get(field) else ():
                yield invalid(child(where, field), port[field], why)
        yield from _one_of(port, "protocol", PROTOCOLS, where)


def _check_env(variables: list[Object], path: str) -> Iterator[FieldError]:
    for index, variable in enumerate(variables):
        where = f"{path}[{index}]"
        if not variable.get("name"):
            yield required(child(where, "name"))
        yield from _named(variable, "name", names.env_name, where)
        source = variable.get("valueFrom")
        if source is None:
            continue
        if variable.get("value"):
            yield invalid(child(where, "valueFrom"), "", "may not be specified when `value` is not empty")
        if len(source) != 1:
            what = "must specify one of" if not source else "may not have more than one field specified at a time"
            listed = ": `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`" if not source else ""
            yield invalid(child(where, "valueFrom"), "", f"{what}{listed}")


def _check_mounts(mounts: list[Object], path: str, volumes: set[Any]) -> Iterator[FieldError]:
    seen: set[str] = set()
    for index, mount in enumerate(mounts):
        where = f"{path}[{index}]"
        name, target = mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            yield required(child(where, "name"))
        elif name not in volumes:
            yield not_found(child(where, "name"), name)
        if not target:
            yield required(child(where, "mountPath"))
        if target in seen:
            yield invalid(child(where, "mountPath"), target, "must be unique")
        seen.add(target)


def _check_probe(probe: Object, path: str) -> Iterator[FieldError]:
    handlers = [name for name in _HANDLERS if name in probe]
    if not handlers:
        yield required(path, "must specify a handler type")
    for extra in handlers[1:]:
        yield forbidden(child(path, extra), "may not specify more than 1 handler type")
    for field in _PROBE_NUMBERS:
        if (probe.get(field) or 0) < 0:
            yield invalid(child(path, field), probe[field], "must be greater than or equal to 0")


def _check_update(spec: Object, old: Object) -> Iterator[FieldError]:
    if _fixed_part(spec) != _fixed_part(old):
        yield forbidden("spec", _CHANGE_TEXT)
    before = old.get("tolerations") or []
    kept = spec.get("tolerations") or []
    if any(each not in kept for each in before):
        yield forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")


def _fixed_part(spec: Object) -> Object:
    fixed = {name: value for name, value in spec.items() if name not in _CHANGEABLE}
    for field in ("containers", "initContainers"):
        fixed[field] = [{**each, "image": ""} for each in spec.get(field) or []]
    return fixed
