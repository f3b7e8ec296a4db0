"""The containers of one pod as the kubelet runs them: starts them through the shim, notes what happens, stops them."""

import asyncio
import contextlib
import math
import time
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from kubeslice.kube import objects
from kubeslice.lab import cgroups, images
from kubeslice.lab.kubelet import decisions, hooks, probes, records, session, spec, status
from kubeslice.lab.kubelet.decisions import Health
from kubeslice.lab.kubelet.environment import Missing, service_variables, variables
from kubeslice.lab.kubelet.records import Container, Sandbox
from kubeslice.lab.kubelet.shimclient import Message, ShimClient
from kubeslice.lab.kubelet.surroundings import Surroundings, now_text
from kubeslice.lab.pods.container import CGROUPS

Object = dict[str, Any]
LAST_WORDS = 4096
SIGTERM, SIGKILL = 15, 9
KILL_PATIENCE = 2.0


class Containers:
    """All containers of one pod, init containers among them, by name."""

    def __init__(self, surroundings: Surroundings, wake: Callable[[], None]) -> None:
        self.pod: Object = {}
        self.records: dict[str, Container] = {}
        self.healths: dict[str, Health] = {}
        self.waiting: dict[str, tuple[str, str]] = {}
        self._around = surroundings
        self._wake = wake
        self._sandbox: Sandbox | None = None
        self._shim: ShimClient | None = None
        self._probes: dict[str, asyncio.Task[None]] = {}
        self._told: dict[str, str] = {}
        self._changed = asyncio.Event()
        self._patience = math.inf

    @property
    def is_connected(self) -> bool:
        """Tell whether the pod's shim lives and listens."""
        return self._shim is not None

    def adopt(self, sandbox: Sandbox) -> None:
        """Take over what an earlier kubelet wrote down of a sandbox's containers."""
        self._sandbox = sandbox
        self.records = records.containers(sandbox)

    def connect(self, sandbox: Sandbox) -> None:
        """Talk to a sandbox's shim from now on. Raises OSError when it is not there."""
        self._sandbox = sandbox
        shim = ShimClient(self._on_event, self._on_gone)
        shim.connect(sandbox.directory / "shim.sock")
        self._shim = shim
        for record in self.records.values():
            if record.state == "running":
                self._probe(record)

    def disconnect(self) -> None:
        """Stop talking to the shim, before it is killed."""
        for name in list(self._probes):
            self._stop_probes(name)
        if self._shim:
            self._shim.close()
            self._shim = None

    def close(self) -> None:
        """Let go of everything, leaving the containers alone."""
        self.disconnect()

    def lose(self) -> None:
        """Note that the sandbox died with everything in it."""
        for record in self.records.values():
            if record.state != "ended":
                self._ended(record, 137, SIGKILL, now_text())

    def hold(self, problem: str) -> None:
        """Say why nothing can be started yet."""
        for container in _all(self.pod):
            if container["name"] not in self.records:
                self.waiting[container["name"]] = ("ContainerCreating", problem)

    def start(self, name: str, sources: dict[str, str]) -> None:
        """Start a container, or note why it cannot be."""
        assert self._sandbox
        assert self._shim
        container = next(container for container in _all(self.pod) if container["name"] == name)
        image = images.find_image(container.get("image", ""))
        if image is None:
            self._refuse(name, "ErrImagePull", images.unknown_image(container.get("image", "")))
            return
        try:
            record = self._record(container, image, sources)
        except Missing as error:
            self._refuse(name, "CreateContainerConfigError", str(error))
            return
        self.waiting.pop(name, None)
        self.records[name] = record
        self.healths[name] = probes.initial_health(container)
        self._prepare(record)
        records.save_container(self._sandbox, record)
        self._shim.send({"op": "run", "id": record.id, "spec": record.spec})

    def _refuse(self, name: str, reason: str, message: str) -> None:
        if self.waiting.get(name) != (reason, message):
            self._around.warn(self.pod, "Failed", message)
        self.waiting[name] = (reason, message)

    def _record(self, container: Object, image: images.Image, sources: dict[str, str]) -> Container:
        name, pod, namespace = container["name"], self._seen_pod(), objects.namespace(self.pod)
        base = spec.base_environment(pod, image, service_variables())
        environment = variables(
            container, pod, self._around.secret(namespace), self._around.config_map(namespace), base
        )
        context = spec.credentials(pod, container)
        both = {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
        if both.get("runAsNonRoot") and not context["user"]:
            raise Missing("container has runAsNonRoot and image will run as root")
        old = self.records.get(name)
        restarts = old.restarts + 1 if old else 0
        identifier = uuid.uuid4().hex + uuid.uuid4().hex
        mounted = spec.mounts(pod, container, sources, environment)
        wanted = spec.container_spec(pod, container, image, environment, mounted, identifier, restarts)
        record = Container(name, identifier, container.get("image", ""), wanted, restarts=restarts)
        if old:
            record.last, record.delay = status.terminated(old), old.delay
        return record

    def _seen_pod(self) -> Object:
        # The downward API tells the address at once, before the pod's object has it.
        assert self._sandbox
        known = {"podIP": self._sandbox.address, "hostIP": self._around.node.address}
        return self.pod | {"status": (self.pod.get("status") or {}) | known}

    def _prepare(self, record: Container) -> None:
        (CGROUPS / record.spec["cgroup"]).mkdir(parents=True, exist_ok=True)
        Path(record.spec["log"]).parent.mkdir(parents=True, exist_ok=True)
        message = self._message_file(record.name)
        message.parent.mkdir(parents=True, exist_ok=True)
        message.write_text("")
        message.chmod(0o666)
        for mount in record.spec["mounts"]:
            _make_below(Path(mount["source"]))

    def _message_file(self, name: str) -> Path:
        assert self._sandbox
        return Path(spec.DATA / self._sandbox.uid / "messages" / name)

    def _on_event(self, event: Message) -> None:
        record = next((record for record in self.records.values() if record.id == event["id"]), None)
        if record is None or self._sandbox is None:
            return
        if event["event"] == "started" and record.state == "starting":
            record.state, record.pid, record.started_at = "running", event["pid"], event["at"]
            self._probe(record)
        elif event["event"] == "failed" and record.state != "ended":
            self._around.warn(self.pod, "Failed", f"Error: {event['message']}")
            record.reason, record.message = "StartError", event["message"]
            self._ended(record, 128, 0, event["at"])
        elif event["event"] == "ended" and record.state != "ended":
            self._ended(record, int(event["code"]), int(event["signal"]), event["at"])
        records.save_container(self._sandbox, record)
        self._changed.set()
        self._wake()

    def _ended(self, record: Container, code: int, signal: int, at: str) -> None:
        assert self._sandbox
        self._stop_probes(record.name)
        record.state, record.exit_code, record.signal, record.finished_at = "ended", code, signal, at
        ran_for = _seconds(record.started_at, at)
        record.delay = decisions.delay_after(record, ran_for)
        record.retry_at = time.time() + record.delay
        if not record.message:
            with contextlib.suppress(OSError):
                record.message = self._message_file(record.name).read_text(errors="replace")[:LAST_WORDS]
        cgroups.remove_tree(CGROUPS / record.spec["cgroup"])

    def _on_gone(self) -> None:
        self._shim = None
        self._changed.set()
        self._wake()

    def _probe(self, record: Container) -> None:
        container = next((entry for entry in _all(self.pod) if entry["name"] == record.name), None)
        if container is None or not any(kind in container for kind in probes.KINDS) or record.name in self._probes:
            return
        assert self._sandbox
        sandbox = self._sandbox
        self.healths.setdefault(record.name, probes.initial_health(container))
        target = probes.Target(
            container, sandbox.address, lambda command, limit: session.run(sandbox, record, command, limit)
        )
        reactions = probes.Reactions(
            changed=lambda health: self._on_health(record.name, health),
            failed=lambda kind, why: self._tell(record, f"{kind} probe failed: {why}"),
            dead=lambda why: self._on_dead(record, why),
        )
        self._probes[record.name] = self._around.spawn(probes.watch(target, reactions))

    def _tell(self, record: Container, message: str) -> None:
        """Tell of a failed probe, once for as long as it fails in the same way."""
        if self._told.get(record.name) != message:
            self._told[record.name] = message
            self._around.warn(self.pod, "Unhealthy", message)

    def _stop_probes(self, name: str) -> None:
        task = self._probes.pop(name, None)
        if task:
            task.cancel()

    def _on_health(self, name: str, health: Health) -> None:
        self._told.pop(name, None)
        if self.healths.get(name) != health:
            self.healths[name] = health
            self._wake()

    def _on_dead(self, record: Container, why: str) -> None:
        self._around.warn(self.pod, "Killing", f"Container {record.name} {why}, will be restarted")
        self._around.spawn(self._stop(record, float(self.pod["spec"].get("terminationGracePeriodSeconds") or 30)))

    def hurry(self, grace: float) -> None:
        """Leave containers that are being stopped no more than `grace` seconds from now."""
        self._patience = min(self._patience, time.monotonic() + grace)
        self._changed.set()

    async def stop_all(self, grace: float) -> None:
        """Stop all running containers, gently for `grace` seconds, then for good."""
        running = [record for record in self.records.values() if record.state != "ended"]
        if self._shim and running:
            async with asyncio.TaskGroup() as group:
                for record in running:
                    group.create_task(self._stop(record, grace))

    async def _stop(self, record: Container, grace: float) -> None:
        assert self._sandbox
        deadline = time.monotonic() + grace
        container = next((entry for entry in _all(self.pod) if entry["name"] == record.name), {})
        hook = (container.get("lifecycle") or {}).get("preStop")
        if hook and grace and record.state == "running":
            await hooks.run(hook, self._sandbox, record, container, grace)
        if grace and self._shim:
            self._shim.send({"op": "signal", "id": record.id, "signal": SIGTERM})
            await self._until_ended(record, deadline)
        if record.state != "ended":
            cgroups.kill(CGROUPS / record.spec["cgroup"])
            await self._until_ended(record, time.monotonic() + KILL_PATIENCE)

    async def _until_ended(self, record: Container, deadline: float) -> None:
        while record.state != "ended" and self._shim:
            self._changed.clear()
            try:
                async with asyncio.timeout(max(0.0, min(deadline, self._patience) - time.monotonic())):
                    await self._changed.wait()
            except TimeoutError:
                return


def _all(pod: Object) -> list[Object]:
    # Of a pod that was deleted while no kubelet looked nothing is known any more.
    spec = pod.get("spec") or {}
    return [*(spec.get("initContainers") or []), *(spec.get("containers") or [])]


def _make_below(source: Path) -> None:
    # A subPath that is not there yet is made, as a directory.
    if not source.exists() and "volumes" in source.parts:
        source.mkdir(parents=True, exist_ok=True)


def _seconds(start: str, end: str) -> float:
    if not start:
        return 0.0
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
