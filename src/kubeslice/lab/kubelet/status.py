"""A pod's status as the API shows it, from the kubelet's records. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubeslice.lab.images import repository
from kubeslice.lab.kubelet import decisions
from kubeslice.lab.kubelet.decisions import HEALTHY, Healths
from kubeslice.lab.kubelet.records import Container, Sandbox

Object = dict[str, Any]
OWN_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
Waiting = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class View:
    """Everything a status is made of. `waiting` tells for containers that never started why: (reason, message)."""

    pod: Object
    host: str
    sandbox: Sandbox | None
    records: Mapping[str, Container]
    healths: Healths
    waiting: Waiting = field(default_factory=dict)
    ending: bool = False


def render(view: View, now: str, wall: float) -> Object:
    """Return the status; transition times of conditions that did not change are kept."""
    pod, old = view.pod, view.pod.get("status") or {}
    phase = decisions.phase(pod, view.records)
    mains = [_container(view, container, wall) for container in pod["spec"]["containers"]]
    inits = [_container(view, container, wall) for container in pod["spec"].get("initContainers") or []]
    found: Object = {
        "phase": phase,
        "hostIP": view.host,
        "hostIPs": [{"ip": view.host}],
        "startTime": old.get("startTime") or now,
        "conditions": _conditions(view, phase, mains, now),
        "containerStatuses": mains,
        "qosClass": old.get("qosClass") or "BestEffort",
        "observedGeneration": pod["metadata"].get("generation", 1),
    }
    if inits:
        found["initContainerStatuses"] = inits
    if view.sandbox and view.sandbox.address:
        found |= {"podIP": view.sandbox.address, "podIPs": [{"ip": view.sandbox.address}]}
    return found


def is_ready(view: View, container: Object) -> bool:
    """Tell whether a container runs and its probes are content."""
    record = view.records.get(container["name"])
    health = view.healths.get(container["name"], HEALTHY)
    return record is not None and record.state == "running" and health.started and health.ready


def _container(view: View, container: Object, wall: float) -> Object:
    name = container["name"]
    record = view.records.get(name)
    health = view.healths.get(name, HEALTHY)
    is_running = record is not None and record.state == "running"
    is_init = container in (view.pod["spec"].get("initContainers") or [])
    done = is_init and record is not None and record.state == "ended" and record.exit_code == 0
    found: Object = {
        "name": name,
        "image": container.get("image", ""),
        "imageID": f"lab://{repository(container.get('image', ''))}",
        "ready": done or is_ready(view, container),
        "started": is_running and health.started,
        "restartCount": record.restarts if record else 0,
        "state": _state(view, container, record, wall),
        "lastState": {"terminated": record.last} if record and record.last else {},
    }
    if record:
        found["containerID"] = f"lab://{record.id}"
    return found


def _state(view: View, container: Object, record: Container | None, wall: float) -> Object:
    name = container["name"]
    if name in view.waiting and (record is None or record.state != "running"):
        reason, message = view.waiting[name]
        return {"waiting": {"reason": reason, "message": message}}
    if record is None:
        reason = "PodInitializing" if view.pod["spec"].get("initContainers") else "ContainerCreating"
        return {"waiting": {"reason": reason}}
    if record.state == "running":
        return {"running": {"startedAt": record.started_at}}
    if record.state == "starting":
        return {"waiting": {"reason": "ContainerCreating"}}
    is_waiting = record.retry_at > wall and decisions.wants_start(view.pod, container, record)
    if is_waiting and not view.ending:
        seconds = max(1, round(record.delay))
        where = f"container={name} pod={view.pod['metadata']['name']}_{view.pod['metadata']['namespace']}"
        message = f"back-off {seconds}s restarting failed {where}"
        return {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
    return {"terminated": terminated(record)}


def terminated(record: Container) -> Object:
    """Return how a container ended."""
    found: Object = {
        "exitCode": record.exit_code,
        "reason": record.reason or ("Error" if record.exit_code else "Completed"),
        "startedAt": record.started_at or record.finished_at,
        "finishedAt": record.finished_at,
        "containerID": f"lab://{record.id}",
    }
    if record.message:
        found["message"] = record.message
    if record.signal:
        found["signal"] = record.signal
    return found


def _conditions(view: View, phase: str, mains: list[Object], now: str) -> list[Object]:
    old = (view.pod.get("status") or {}).get("conditions") or []
    initialized = decisions.is_initialized(view.pod, view.records)
    unready = [entry["name"] for entry in mains if not entry["ready"]]
    is_over = phase in {"Succeeded", "Failed"}
    gates = [gate["conditionType"] for gate in view.pod["spec"].get("readinessGates") or []]
    open_gates = [gate for gate in gates if not any(c["type"] == gate and c["status"] == "True" for c in old)]
    why_unready = (
        ("PodCompleted", "")
        if is_over
        else ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    )
    ready_why = why_unready if unready or is_over else ("ReadinessGatesNotReady", f"not true: {' '.join(open_gates)}")
    wanted = [
        ("PodReadyToStartContainers", view.sandbox is not None and not is_over, ("", "")),
        ("Initialized", initialized, ("ContainersNotInitialized", "containers with incomplete status")),
        ("Ready", not unready and not is_over and not open_gates, ready_why),
        ("ContainersReady", not unready and not is_over, why_unready),
        ("PodScheduled", True, ("", "")),
    ]
    generation = view.pod["metadata"].get("generation", 1)
    own = [_condition(old, kind, truth, why, now) | {"observedGeneration": generation} for kind, truth, why in wanted]
    return [*(entry for entry in old if entry["type"] not in OWN_CONDITIONS), *own]


def _condition(old: list[Object], kind: str, truth: bool, why: tuple[str, str], now: str) -> Object:
    status = "True" if truth else "False"
    before = next((entry for entry in old if entry["type"] == kind and entry["status"] == status), None)
    found = {"type": kind, "status": status, "lastTransitionTime": before["lastTransitionTime"] if before else now}
    if not truth:
        found |= {key: value for key, value in zip(("reason", "message"), why, strict=True) if value}
    return found
