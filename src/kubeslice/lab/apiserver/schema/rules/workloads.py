"""Deployments, ReplicaSets, DaemonSets, StatefulSets and Jobs: selectors, templates, and what never changes.

Source: k8s.io/kubernetes/pkg/apis/apps/validation and pkg/apis/batch/validation.
"""

from collections.abc import Iterator

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema.complaints import forbidden, immutable, invalid, not_supported, required
from kubeslice.lab.apiserver.schema.rules import meta, pods
from kubeslice.lab.apiserver.selection.labels import selects

_NOT_NEGATIVE = "must be greater than or equal to 0"
_STATEFUL_CHANGEABLE = frozenset(
    {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    }
)
_STATEFUL_TEXT = (
    "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
    "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"
)


def check_deployment(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a Deployment."""
    spec = obj.get("spec") or {}
    found = list(_check_workload(spec, "deployment"))
    found.extend(_check_strategy(spec.get("strategy") or {}))
    if old is not None:
        found.extend(immutable("spec.selector", spec.get("selector"), (old.get("spec") or {}).get("selector")))
    return found


def check_replica_set(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a ReplicaSet."""
    spec = obj.get("spec") or {}
    found = list(_check_workload(spec, "replica set"))
    if old is not None:
        found.extend(immutable("spec.selector", spec.get("selector"), (old.get("spec") or {}).get("selector")))
    return found


def check_daemon_set(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a DaemonSet."""
    spec = obj.get("spec") or {}
    found = list(_check_workload(spec, "daemonset"))
    if old is not None:
        found.extend(immutable("spec.selector", spec.get("selector"), (old.get("spec") or {}).get("selector")))
    return found


def check_stateful_set(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a StatefulSet."""
    spec = obj.get("spec") or {}
    if old is None:
        return list(_check_workload(spec, "statefulset"))
    before = old.get("spec") or {}
    if _without(spec) != _without(before):
        return [forbidden("spec", _STATEFUL_TEXT)]
    return list(_check_workload(spec, "statefulset"))


def _without(spec: Object) -> Object:
    return {name: value for name, value in spec.items() if name not in _STATEFUL_CHANGEABLE}


def check_job(obj: Object, old: Object | None) -> list[FieldError]:
    """Check a Job."""
    spec = obj.get("spec") or {}
    found = list(_check_numbers(spec, ("parallelism", "completions", "backoffLimit", "ttlSecondsAfterFinished")))
    template = spec.get("template") or {}
    if old is not None:
        before = old.get("spec") or {}
        for field in ("selector", "template", "completionMode"):
            found.extend(immutable(f"spec.{field}", spec.get(field), before.get(field)))
        return found
    found.extend(pods.check_template(template, "spec.template"))
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy in (None, "", "Always"):
        found.append(
            required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
            if not policy
            else not_supported("spec.template.spec.restartPolicy", policy, ("OnFailure", "Never"))
        )
    return found


def _check_workload(spec: Object, what: str) -> Iterator[FieldError]:
    yield from _check_numbers(spec, ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"))
    template = spec.get("template") or {}
    yield from _check_selector(spec, template, what)
    yield from pods.check_template(template, "spec.template")
    policy = (template.get("spec") or {}).get("restartPolicy")
    if policy not in (None, "", "Always"):
        yield not_supported("spec.template.spec.restartPolicy", policy, ("Always",))


def _check_selector(spec: Object, template: Object, what: str) -> Iterator[FieldError]:
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    yield from meta.check_selector(selector, "spec.selector")
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", selector, f"empty selector is invalid for {what}")
        return
    labels = (template.get("metadata") or {}).get("labels") or {}
    if not selects(selector, labels):
        yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _check_strategy(strategy: Object) -> Iterator[FieldError]:
    kind = strategy.get("type")
    if kind == "Recreate" and strategy.get("rollingUpdate") is not None:
        yield forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    if kind not in (None, "", "Recreate", "RollingUpdate"):
        yield not_supported("spec.strategy.type", kind, ("Recreate", "RollingUpdate"))


def _check_numbers(spec: Object, fields: tuple[str, ...]) -> Iterator[FieldError]:
    for field in fields:
        if (spec.get(field) or 0) < 0:
            yield invalid(f"spec.{field}", spec[field], _NOT_NEGATIVE)
