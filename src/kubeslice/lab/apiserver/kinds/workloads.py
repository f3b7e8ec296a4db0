"""Deployments, ReplicaSets, DaemonSets, StatefulSets and Jobs: their defaults.

Source: kubernetes/pkg/apis/apps/v1/defaults.go and pkg/apis/batch/v1/defaults.go.
"""

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.kinds.podspec import default_pod_spec
from kubeslice.lab.apiserver.types.strategy import Strategy

_TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"
_JOB_UID = "batch.kubernetes.io/controller-uid"
_JOB_NAME = "batch.kubernetes.io/job-name"


def _template(obj: Object) -> Object:
    spec: Object = obj.setdefault("spec", {})
    template: Object = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}))
    return spec


def _default_deployment(obj: Object) -> None:
    spec = _template(obj)
    spec.setdefault("replicas", 1)
    strategy = spec.setdefault("strategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _default_replica_set(obj: Object) -> None:
    _template(obj).setdefault("replicas", 1)


def _default_daemon_set(obj: Object) -> None:
    spec = _template(obj)
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)


def _default_stateful_set(obj: Object) -> None:
    spec = _template(obj)
    spec.setdefault("replicas", 1)
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec.setdefault("updateStrategy", {})
    if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
        strategy.setdefault("rollingUpdate", {}).setdefault("partition", 0)
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("persistentVolumeClaimRetentionPolicy", {"whenDeleted": "Retain", "whenScaled": "Retain"})


def _default_job(obj: Object) -> None:
    spec = _template(obj)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    spec.setdefault("parallelism", 1)
    spec.setdefault("backoffLimit", 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    spec.setdefault("manualSelector", False)
    spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")


def _prepare_daemon_set(obj: Object, old: Object | None) -> None:
    """Keep the generation of the template that old clients look for."""
    generation = 1
    if old is not None:
        generation = int((old["metadata"].get("annotations") or {}).get(_TEMPLATE_GENERATION, 1))
        generation += obj["spec"].get("template") != old["spec"].get("template")
    obj["metadata"]["annotations"] = (obj["metadata"].get("annotations") or {}) | {
        _TEMPLATE_GENERATION: str(generation)
    }


def _prepare_job(obj: Object, old: Object | None) -> None:
    """Give a new Job the labels that tell its pods from those of others."""
    spec = obj["spec"]
    if old is not None or spec.get("manualSelector"):
        return
    uid, name = obj["metadata"]["uid"], obj["metadata"]["name"]
    labels = spec["template"]["metadata"].setdefault("labels", {})
    labels |= {_JOB_UID: uid, "controller-uid": uid, _JOB_NAME: name, "job-name": name}
    if not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)
    spec.setdefault("selector", {}).setdefault("matchLabels", {})[_JOB_UID] = uid


def _replicas(obj: Object) -> dict[str, str]:
    return {"status.replicas": str(obj.get("status", {}).get("replicas", 0))}


def _job_success(obj: Object) -> dict[str, str]:
    return {"status.successful": str(obj.get("status", {}).get("succeeded", 0))}


DEPLOYMENTS = Strategy(default=_default_deployment)
REPLICA_SETS = Strategy(default=_default_replica_set, selectable=_replicas, born_status=("replicas",))
DAEMON_SETS = Strategy(
    default=_default_daemon_set,
    prepare=_prepare_daemon_set,
    born_status=("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"),
)
STATEFUL_SETS = Strategy(default=_default_stateful_set, born_status=("replicas", "availableReplicas"))
JOBS = Strategy(default=_default_job, prepare=_prepare_job, selectable=_job_success, orphans_by_default=True)
