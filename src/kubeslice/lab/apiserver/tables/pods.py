"""The columns of pods, above all the word under STATUS. Source: kubernetes/pkg/printers/internalversion."""

from typing import Any

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.tables.column import AGE, NAME, Column, path, since, wide


def _statuses(pod: Object, field: str = "containerStatuses") -> list[Object]:
    return list(pod.get("status", {}).get(field) or [])


def _ready(pod: Object) -> str:
    ready = sum(1 for one in _statuses(pod) if one.get("ready") and "running" in one.get("state", {}))
    return f"{ready}/{len(pod.get('spec', {}).get('containers', ()))}"


def _reason(pod: Object) -> str:
    status = pod.get("status", {})
    reason = status.get("reason") or status.get("phase") or ""
    initializing = _initializing(pod)
    reason = initializing or _container_reason(pod, reason)
    if "deletionTimestamp" in pod["metadata"]:
        if status.get("reason") == "NodeLost":
            return "Unknown"
        return reason if reason in ("Succeeded", "Failed", "Completed") else "Terminating"
    return reason


def _initializing(pod: Object) -> str:
    names = {one["name"]: one for one in pod.get("spec", {}).get("initContainers") or []}
    for index, status in enumerate(_statuses(pod, "initContainerStatuses")):
        state = status.get("state", {})
        terminated, waiting = state.get("terminated"), state.get("waiting")
        if terminated is not None and terminated.get("exitCode") == 0:
            continue
        if names.get(status["name"], {}).get("restartPolicy") == "Always" and status.get("started"):
            continue
        if terminated is not None:
            return f"Init:{_ended(terminated)}"
        if waiting is not None and waiting.get("reason") not in (None, "", "PodInitializing"):
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(names)}"
    return ""


def _ended(terminated: Object) -> str:
    if terminated.get("reason"):
        return str(terminated["reason"])
    signal = terminated.get("signal")
    return f"Signal:{signal}" if signal else f"ExitCode:{terminated.get('exitCode', 0)}"


def _container_reason(pod: Object, reason: str) -> str:
    has_running = False
    for status in reversed(_statuses(pod)):
        state = status.get("state", {})
        if state.get("waiting", {}).get("reason"):
            reason = state["waiting"]["reason"]
        elif "terminated" in state:
            reason = _ended(state["terminated"])
        elif status.get("ready") and "running" in state:
            has_running = True
    if reason == "Completed" and has_running:
        return "Running" if _is_ready(pod) else "NotReady"
    return reason


def _is_ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or []
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _restarts(pod: Object) -> str:
    statuses = _statuses(pod)
    total = sum(one.get("restartCount", 0) for one in statuses)
    ended = [one.get("lastState", {}).get("terminated", {}).get("finishedAt") for one in statuses]
    last = max((moment for moment in ended if moment), default=None)
    return f"{total} ({since(last)} ago)" if total and last else str(total)


def _gates(pod: Object) -> str:
    gates = pod.get("spec", {}).get("readinessGates") or []
    if not gates:
        return "<none>"
    true = {one["type"] for one in pod.get("status", {}).get("conditions") or [] if one.get("status") == "True"}
    return f"{sum(1 for gate in gates if gate['conditionType'] in true)}/{len(gates)}"


def _ip(pod: Object) -> Any:
    status = pod.get("status", {})
    ips = status.get("podIPs") or []
    return (ips[0].get("ip") if ips else status.get("podIP")) or "<none>"


PODS = (
    NAME,
    Column("Ready", _ready),
    Column("Status", _reason),
    Column("Restarts", _restarts),
    AGE,
    wide("IP", _ip),
    wide("Node", path("spec", "nodeName", absent="<none>")),
    wide("Nominated Node", path("status", "nominatedNodeName", absent="<none>")),
    wide("Readiness Gates", _gates),
)
