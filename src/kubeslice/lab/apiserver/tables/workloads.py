"""The columns of the kinds that run pods."""

from datetime import UTC, datetime
from typing import Any

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.selection.labels import written
from kubeslice.lab.apiserver.tables.column import AGE, NAME, Cell, Column, duration, path, wide


def containers(obj: Object) -> list[Object]:
    """Return the containers of a pod template."""
    return list(obj.get("spec", {}).get("template", {}).get("spec", {}).get("containers") or [])


def _joined(field: str) -> Cell:
    return lambda obj: ",".join(str(one.get(field, "")) for one in containers(obj))


def _selector(obj: Object) -> str:
    return written(obj.get("spec", {}).get("selector")) or "<none>"


def _ready(obj: Object) -> str:
    return f"{obj.get('status', {}).get('readyReplicas', 0)}/{obj.get('spec', {}).get('replicas', 0)}"


def _number(name: str, *names: str) -> Column:
    return Column(name, path(*names, absent=0), "integer")


def _node_selector(obj: Object) -> str:
    selector = obj.get("spec", {}).get("template", {}).get("spec", {}).get("nodeSelector") or {}
    return ",".join(f"{name}={value}" for name, value in sorted(selector.items())) or "<none>"


def _completions(obj: Object) -> str:
    wanted = obj.get("spec", {}).get("completions")
    return f"{obj.get('status', {}).get('succeeded', 0)}/{1 if wanted is None else wanted}"


def _job_status(obj: Object) -> str:
    conditions = obj.get("status", {}).get("conditions") or []
    true = {one.get("type") for one in conditions if one.get("status") == "True"}
    for word, shown in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if word in true:
            return shown
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else "Running"


def _job_duration(obj: Object) -> Any:
    status = obj.get("status", {})
    if not status.get("startTime"):
        return ""
    ended = status.get("completionTime")
    end = datetime.fromisoformat(ended) if ended else datetime.now(UTC)
    return duration(int((end - datetime.fromisoformat(status["startTime"])).total_seconds()))


_TAIL = (wide("Containers", _joined("name")), wide("Images", _joined("image")), wide("Selector", _selector))

DEPLOYMENTS = (
    NAME,
    Column("Ready", _ready),
    Column("Up-to-date", path("status", "updatedReplicas", absent=0)),
    Column("Available", path("status", "availableReplicas", absent=0)),
    AGE,
    *_TAIL,
)
REPLICA_SETS = (
    NAME,
    _number("Desired", "spec", "replicas"),
    _number("Current", "status", "replicas"),
    _number("Ready", "status", "readyReplicas"),
    AGE,
    *_TAIL,
)
STATEFUL_SETS = (NAME, Column("Ready", _ready), AGE, *_TAIL[:2])
DAEMON_SETS = (
    NAME,
    _number("Desired", "status", "desiredNumberScheduled"),
    _number("Current", "status", "currentNumberScheduled"),
    _number("Ready", "status", "numberReady"),
    _number("Up-to-date", "status", "updatedNumberScheduled"),
    _number("Available", "status", "numberAvailable"),
    Column("Node Selector", _node_selector),
    AGE,
    *_TAIL,
)
JOBS = (
    NAME,
    Column("Status", _job_status),
    Column("Completions", _completions),
    Column("Duration", _job_duration),
    AGE,
    *_TAIL,
)
