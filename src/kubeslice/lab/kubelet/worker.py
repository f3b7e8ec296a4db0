"""One pod on this node: brings what runs in line with the pod's object, again and again, until the pod is gone.

Everything that may matter (a new version of the object, an event of the shim, a probe, a Secret, a timer) only wakes
the worker; `_sync` then looks at the whole state and does what is next. What it did is on the node's tmpfs, so that a
new kubelet's worker continues where this one was killed.
"""

import asyncio
import contextlib
import logging
import time
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import ApiError, Conflict, NotFound
from kubeslice.lab.kubelet import decisions, sandbox, status
from kubeslice.lab.kubelet.containers import Containers
from kubeslice.lab.kubelet.records import Sandbox
from kubeslice.lab.kubelet.surroundings import Surroundings, now_text
from kubeslice.lab.kubelet.volumesync import VolumeSync
from kubeslice.model.resources import PODS
from kubeslice.runtime.resting import rest

log = logging.getLogger(__name__)

Object = dict[str, Any]
LONGEST_WAIT = 300.0


class Worker:
    """Runs one pod, known by its uid. `pod` is the latest version of its object, or None when it is gone."""

    def __init__(self, surroundings: Surroundings, pod: Object | None, adopted: Sandbox | None = None) -> None:
        self.pod = pod
        self.is_over = False
        self._around = surroundings
        self._wake = asyncio.Event()
        self._backoff = Backoff(first=0.1, cap=10.0)
        self._sandbox = adopted
        self._containers = Containers(surroundings, self.wake)
        self._volumes = VolumeSync(surroundings)
        self._sent: Object | None = None

    @property
    def sandbox(self) -> Sandbox | None:
        """Return the pod's sandbox, if it has one."""
        return self._sandbox

    @property
    def containers(self) -> Containers:
        """Return the pod's containers."""
        return self._containers

    def update(self, pod: Object | None) -> None:
        """Take a new version of the pod's object, or None when it was deleted."""
        if pod and self.pod and self._is_contradicted(self.pod, pod):
            self._sent = None
        self.pod = pod
        if pod is None:
            self._containers.hurry(0)
        elif objects.is_deleting(pod):
            self._containers.hurry(float(pod["metadata"].get("deletionGracePeriodSeconds") or 0))
        self.wake()

    def _is_contradicted(self, old: Object, new: Object) -> bool:
        """Tell whether somebody else changed the status that was seen to be as it was reported."""
        sent = self._sent
        if sent is None:
            return False
        return _shared(old.get("status") or {}, sent) == sent != _shared(new.get("status") or {}, sent)

    def wake(self) -> None:
        """Have the worker look again."""
        self._wake.set()

    async def run(self) -> None:
        """Work until the pod is gone from the node."""
        try:
            if self._sandbox:
                self._adopt(self._sandbox)
            while not self.is_over:
                self._wake.clear()
                seconds = await self._sync_safely()
                await rest(seconds, self._wake)
        finally:
            self._containers.close()

    async def _sync_safely(self) -> float:
        try:
            seconds = await self._sync()
        except (ApiError, OSError, RuntimeError, ValueError) as error:
            seconds = self._backoff.next()
            log.warning("%s: %s; trying again in %.1f s", self._name, error, seconds)
            return seconds
        except Exception:
            seconds = self._backoff.next()
            log.exception("%s: a mistake of the kubelet's; trying again in %.1f s", self._name, seconds)
            return seconds
        self._backoff.reset()
        return seconds

    @property
    def _name(self) -> str:
        if self.pod:
            return f"{objects.namespace(self.pod)}/{objects.name(self.pod)}"
        return f"{self._sandbox.namespace}/{self._sandbox.name}" if self._sandbox else "a pod"

    async def _sync(self) -> float:
        pod = self.pod
        if pod is None:
            self._remove_sandbox()
            self.is_over = True
            return 0
        self._containers.pod = pod
        if objects.is_deleting(pod):
            return await self._end(pod)
        if (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
            await self._containers.stop_all(0)
            self._drop_sandbox()
            return LONGEST_WAIT
        return await self._bring_up(pod)

    async def _bring_up(self, pod: Object) -> float:
        if self._sandbox is None or not self._containers.is_connected:
            self._renew_sandbox(pod)
        assert self._sandbox
        refresh = await self._volumes.sync(pod, self._sandbox)
        if self._volumes.problem:
            self._containers.hold(self._volumes.problem)
        steps = decisions.next_steps(pod, self._containers.records, self._containers.healths, time.time())
        for name in steps.start if not self._volumes.problem else ():
            self._containers.start(name, self._volumes.sources)
        await self._report(pod)
        waits = [LONGEST_WAIT, refresh] + ([max(0.01, steps.again_at - time.time())] if steps.again_at else [])
        return min(waits)

    def _renew_sandbox(self, pod: Object) -> None:
        if self._sandbox:
            log.warning("%s: the sandbox has died, making a new one", self._name)
            self._containers.lose()
            sandbox.remove(self._sandbox)
        self._sandbox = sandbox.create(pod, self._around.node, self._around.taken(), self._around.last_address)
        if self._sandbox.network:
            self._around.last_address = self._sandbox.address
        self._around.reserve(self._sandbox)
        self._containers.connect(self._sandbox)

    def _adopt(self, found: Sandbox) -> None:
        if self.pod:
            self._containers.pod = self.pod
        self._around.reserve(found)
        self._containers.adopt(found)
        if sandbox.is_alive(found):
            try:
                self._containers.connect(found)
            except OSError as error:
                log.warning("%s: its shim does not answer: %s", self._name, error)

    async def _report(self, pod: Object, *, ending: bool = False) -> None:
        view = status.View(
            pod,
            self._around.node.address,
            self._sandbox,
            self._containers.records,
            self._containers.healths,
            self._containers.waiting,
            ending,
        )
        wanted = status.render(view, now_text(), time.time())
        if wanted == self._sent or wanted == _shared(pod.get("status") or {}, wanted):
            return
        change = {"metadata": {"uid": objects.uid(pod)}, "status": wanted}
        try:
            await self._around.api.patch(PODS, objects.name(pod), objects.namespace(pod), change, subresource="status")
        except (NotFound, Conflict):
            return
        self._sent = wanted

    async def _end(self, pod: Object) -> float:
        """End a pod that is being deleted: ask its containers to stop, wait, kill, clean, and let the object go."""
        grace = float(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
        await self._containers.stop_all(grace)
        self._drop_sandbox()
        await self._report(pod, ending=True)
        with contextlib.suppress(NotFound, Conflict):
            await self._around.api.delete(
                PODS, objects.name(pod), objects.namespace(pod), uid=objects.uid(pod), grace_seconds=0
            )
        return LONGEST_WAIT

    def _drop_sandbox(self) -> None:
        if self._sandbox and self._containers.is_connected:
            self._containers.disconnect()
            sandbox.remove(self._sandbox)
            self._around.release(self._sandbox)

    def _remove_sandbox(self) -> None:
        self._containers.disconnect()
        if self._sandbox:
            log.info("%s: gone", self._name)
            sandbox.remove(self._sandbox)
            sandbox.forget(self._sandbox)
            self._around.release(self._sandbox)


def _shared(old: Object, new: Object) -> Object:
    return {key: old.get(key) for key in new}
