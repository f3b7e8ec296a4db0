"""What to do next with a pod's containers, and which phase the pod is in. Pure: records and clock in, steps out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubeslice.lab.kubelet.records import Container

Object = dict[str, Any]
# Kubernetes with the KEP-4603 settings: a second at first, doubled up to a minute, forgotten after ten good minutes.
FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
STEADY = 600.0


@dataclass(frozen=True)
class Steps:
    """Containers to start now, in this order, and the wall-clock time at which to ask again (0: on the next event)."""

    start: tuple[str, ...] = ()
    again_at: float = 0.0


@dataclass(frozen=True)
class Health:
    """What probes say of a running container; without probes both are true."""

    started: bool = True
    ready: bool = True


Healths = Mapping[str, Health]
HEALTHY = Health()


@dataclass
class _Plan:
    start: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def steps(self) -> Steps:
        return Steps(tuple(self.start), min(self.times, default=0.0))

    def run(self, name: str, record: Container | None, now: float) -> None:
        if record is None or record.retry_at <= now:
            self.start.append(name)
        else:
            self.times.append(record.retry_at)


def next_steps(pod: Object, records: Mapping[str, Container], healths: Healths, now: float) -> Steps:
    """Say which containers to start: init containers one after the other, then all others together."""
    plan = _Plan()
    for container in pod["spec"].get("initContainers") or []:
        name, record = container["name"], records.get(container["name"])
        if wants_start(pod, container, record):
            plan.run(name, record, now)
        if not _lets_others_start(container, record, healths.get(name, HEALTHY)):
            return plan.steps()
    for container in pod["spec"]["containers"]:
        record = records.get(container["name"])
        if wants_start(pod, container, record):
            plan.run(container["name"], record, now)
    return plan.steps()


def is_sidecar(container: Object) -> bool:
    """Tell whether an init container keeps running beside the others (KEP-753)."""
    return container.get("restartPolicy") == "Always"


def wants_start(pod: Object, container: Object, record: Container | None) -> bool:
    """Tell whether a container is to be started, now or after its back-off."""
    if record is None:
        return True
    if record.state != "ended":
        return False
    if is_sidecar(container):
        return True
    policy = pod["spec"].get("restartPolicy") or "Always"
    is_init = container in (pod["spec"].get("initContainers") or [])
    if policy == "Always" and not is_init:
        return True
    return policy != "Never" and record.exit_code != 0


def _lets_others_start(container: Object, record: Container | None, health: Health) -> bool:
    if record is None:
        return False
    if is_sidecar(container):
        return record.state == "running" and health.started
    return record.state == "ended" and record.exit_code == 0


def delay_after(record: Container, ran_for: float) -> float:
    """Return how long a container that ended must wait, given how long it ran and how long it waited before."""
    if ran_for > STEADY or not record.delay:
        return FIRST_DELAY
    return min(record.delay * 2, LONGEST_DELAY)


def is_initialized(pod: Object, records: Mapping[str, Container]) -> bool:
    """Tell whether all init containers have done their part."""
    started = any(container["name"] in records for container in pod["spec"]["containers"])
    return started or not (pod["spec"].get("initContainers") or [])


def phase(pod: Object, records: Mapping[str, Container]) -> str:
    """Return the pod's phase: Pending, Running, Succeeded or Failed."""
    if _init_failed(pod, records):
        return "Failed"
    mains = [records.get(container["name"]) for container in pod["spec"]["containers"]]
    if any(record is None or (record.state == "starting" and not record.restarts) for record in mains):
        return "Pending"
    policy = pod["spec"].get("restartPolicy") or "Always"
    known = [record for record in mains if record is not None]
    over = [record.state == "ended" and not (policy == "OnFailure" and record.exit_code) for record in known]
    if policy == "Always" or not all(over):
        return "Running"
    return "Failed" if any(record.has_failed for record in known) else "Succeeded"


def _init_failed(pod: Object, records: Mapping[str, Container]) -> bool:
    if pod["spec"].get("restartPolicy") != "Never":
        return False
    return any(
        records[container["name"]].has_failed for container in _ordinary_inits(pod) if container["name"] in records
    )


def _ordinary_inits(pod: Object) -> Iterator[Object]:
    return (container for container in pod["spec"].get("initContainers") or [] if not is_sidecar(container))
