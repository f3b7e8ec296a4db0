"""Which Deployments and Services of a slice may change now: one at a time, so that never all planes or routers go.

Pure; `worker.workloads` asks before it applies. Each gateway or router is a Deployment of one pod, because each has an
address of its own; so what a Deployment's rolling update would do for its pods is done here for Deployments. A gateway
that is exposed anew is called at its old address until its peers have heard of the new one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kubeslice.plan import pods
from kubeslice.plan.moments import moment

Object = dict[str, Any]

PATIENCE = timedelta(seconds=60)  # after that a tunnel that does not come back holds an upgrade up no longer
SETTLE = 3.0  # seconds until a tunnel whose gateway is called elsewhere has been seen to fail, if it does

# States of tunnels by remote cluster and plane.
Tunnels = Mapping[str, Mapping[int, str]]


@dataclass(frozen=True)
class Release:
    """The names of Deployments or Services whose change is held back, and a sentence about what they wait for."""

    held: frozenset[str] = frozenset()
    waiting: str = ""


def release(wanted: Sequence[str], differing: Collection[str], seen: Mapping[str, Object], unsteady: str) -> Release:
    """Decide which of the `differing` Deployments may not change yet; `wanted` are all, in the order of their turns.

    What has no ready pod changes at once: that interrupts nothing. Else all others must work first: `unsteady` says
    what does not, or nothing.
    """
    idle = {name for name in differing if not _count(seen.get(name), "readyReplicas")}
    turns = [name for name in wanted if name in differing and name not in idle]
    unfinished = [name for name in wanted if name in idle or not (name in turns or is_rolled_out(seen.get(name)))]
    waiting = f"{unfinished[0]} to be ready" if unfinished else unsteady
    held = turns if waiting else turns[1:]
    return _held(held, waiting or (f"{turns[0]} to be ready" if turns else ""))


def exposure(changing: Mapping[int, str], planes: int, tunnels: Tunnels, unsteady: str) -> Release:
    """Decide which of the `changing` Services, by plane, may not change yet.

    A plane moves while each cluster that it reaches is reached by all others, for as long as that takes: a load
    balancer may come late or never. With one plane there is nothing to wait for. `unsteady` says what moves already.
    """
    if planes < 2:
        return Release()
    waits = {plane: unsteady or _missing_spare(plane, planes, tunnels) for plane in sorted(changing)}
    free = next((plane for plane, reason in waits.items() if not reason), None)
    held = [changing[plane] for plane in waits if plane != free]
    reason = next(iter(waits.values()), "") if free is None else f"{changing[free]} to be reached anew"
    return _held(held, reason)


def is_rolled_out(deployment: Object | None) -> bool:
    """Tell whether the one pod of a Deployment is of its latest template, and has been ready for a while."""
    if deployment is None:
        return False
    status = deployment.get("status") or {}
    is_observed = int(status.get("observedGeneration") or 0) >= int(deployment["metadata"].get("generation") or 0)
    counts = {_count(deployment, field) for field in ("replicas", "updatedReplicas", "availableReplicas")}
    return is_observed and counts == {1}


def missing_tunnel(gateways: Iterable[Object], gateway_pods: Iterable[Object], now: datetime) -> str:
    """Return which tunnel a gateway that has just started does not have back yet, as a sentence's end, or nothing."""
    young = {
        plane: str(pod["metadata"]["name"])
        for pod in gateway_pods
        if (plane := pods.plane(pod)) is not None and now - _ready_since(pod, now) < PATIENCE
    }
    for gateway in gateways:
        states = {entry["plane"]: entry for entry in (gateway.get("status") or {}).get("planes") or []}
        for plane, pod_name in sorted(young.items()):
            entry = states.get(plane) or {}
            if entry.get("state") != "UP" or entry.get("podName") != pod_name:
                remote = (gateway.get("spec") or {}).get("remoteCluster")
                return f"the tunnel of plane {plane} to {remote} to be up"
    return ""


def _held(held: Sequence[str], reason: str) -> Release:
    verb = "wait" if held[1:] else "waits"
    return Release(frozenset(held), f"{', '.join(held)} {verb} for {reason}" if held else "")


def _missing_spare(plane: int, planes: int, tunnels: Tunnels) -> str:
    """Return which tunnel of another plane is not up to a cluster that this plane reaches, or nothing."""
    for remote, states in sorted(tunnels.items()):
        for other in range(planes):
            if states.get(plane) == "UP" and states.get(other) != "UP":
                return f"the tunnel of plane {other} to {remote} to be up"
    return ""


def _count(deployment: Object | None, field: str) -> int:
    return int(((deployment or {}).get("status") or {}).get(field) or 0)


def _ready_since(pod: Object, now: datetime) -> datetime:
    entries = (pod.get("status") or {}).get("conditions") or []
    ready = next((entry for entry in entries if entry.get("type") == "Ready" and entry.get("status") == "True"), None)
    if ready is None:
        return now
    return moment(ready.get("lastTransitionTime")) or datetime.min.replace(tzinfo=UTC)
