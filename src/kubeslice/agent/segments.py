"""Keeps the segment of every slice on this node: made when a Slice appears, healed when touched, removed with it.

`SegmentReconciler` is what the controller of Slices runs. `Live` is an open segment, which the reconciler of pods
attaches pods to; its lock keeps the two from changing one namespace at the same time.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from kubeslice.agent import wiring
from kubeslice.agent.view import View
from kubeslice.agent.wiring import Surroundings
from kubeslice.kube import objects
from kubeslice.linux import netns, waker
from kubeslice.linux.netns import Namespace
from kubeslice.linux.waker import Waker
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.ids import OWN, Key
from kubeslice.plan import pods
from kubeslice.plan.address import ipam
from kubeslice.plan.datapath import attachment as attachments
from kubeslice.plan.datapath import segment as segments
from kubeslice.plan.datapath.attachment import Attachment
from kubeslice.plan.datapath.segment import Segment
from kubeslice.runtime.controller import Result

log = logging.getLogger(__name__)

RESYNC = 10.0  # seconds; only for what tells nobody when it changes: the name of a namespace
# Attaching a pod is a burst of changes of our own, and looking at a segment takes three programs.
SETTLING = 0.2
Inputs = tuple[Segment, Surroundings, frozenset[Attachment]]
Enqueue = Callable[[Key], None]


@dataclass
class Live:
    """An open segment and the pods on it. `inputs` is what it was last made to match; None after any disturbance."""

    segment: Segment
    namespace: Namespace
    ears: list[Waker] = field(default_factory=list)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    attached: dict[str, Attachment] = field(default_factory=dict)
    last: IPv4Address | None = None
    inputs: Inputs | None = None

    def next_address(self, taken: frozenset[IPv4Address]) -> IPv4Address | None:
        """Return the next free address of this node's blocks, None when they are full."""
        used = taken | {attachment.address for attachment in self.attached.values()}
        return ipam.next_address(self.segment.blocks, used, self.last)

    @property
    def is_open(self) -> bool:
        """Tell whether this is still how the segment is reached; look again after every wait for the lock."""
        return self.namespace.descriptor >= 0

    def close(self) -> None:
        """Let the namespace go."""
        for ear in self.ears:
            ear.close()
        self.namespace.close()


class SegmentReconciler:
    """Reconciles Slices on one node, in namespaces named below `directory`."""

    def __init__(self, view: View, directory: Path) -> None:
        self.live: dict[str, Live] = {}
        self._view = view
        self._directory = directory
        self._wake: Enqueue = lambda _: None
        self._pod_changed: Enqueue = lambda _: None

    def wake_with(self, slice_changed: Enqueue, pod_changed: Enqueue) -> None:
        """Say how to ask for another look at a slice after a change in the kernel, and at a pod."""
        self._wake = slice_changed
        self._pod_changed = pod_changed

    async def reconcile(self, key: Key) -> Result:
        """Bring the segment of a slice in line with its Slice."""
        obj = self._view.slice(key.name)
        if obj is None:
            return await self._remove(key.name)
        wanted = segments.parse(obj, self._view.node)
        if wanted is None:
            return Result("waits for the operator to give the slice its addresses")
        around = self._view.surroundings(key.name)
        live = self.live.get(key.name)
        if live is not None and live.segment.vni != wanted.vni:
            await self._remove(key.name)
            live = None
        known = live
        if live is None or live.inputs is None or not netns.is_bound(self._directory / live.segment.namespace):
            live = await self._open(key, wanted, live)
        await self._ensure(live, wanted, around, is_new=live is not known)
        return Result(f"segment {wanted.vni} is up", after=RESYNC)

    async def sweep(self) -> None:
        """Remove the segments that no Slice has: left over from the time before this process."""
        wanted = {str(objects.spec(obj).get("vni") or "") for obj in self._view.slices.items()}
        prefix = names.segment_namespace(0)[:-1]
        for path in self._directory.glob(f"{prefix}*"):
            vni = path.name.removeprefix(prefix)
            if vni.isdecimal() and vni not in wanted:
                try:
                    await asyncio.to_thread(wiring.close_segment, path)
                except (Retry, OSError) as error:
                    log.warning("%s stays until the next slice goes: %s", path.name, error)

    def close(self) -> None:
        """Let all namespaces go; they stay as they are."""
        while self.live:
            self.live.popitem()[1].close()

    async def _open(self, key: Key, segment: Segment, live: Live | None) -> Live:
        path = self._directory / segment.namespace
        namespace = await asyncio.to_thread(wiring.open_segment, path, live.namespace if live else None)
        if live is not None and live.namespace.inode == namespace.inode:
            namespace.close()
            return live
        if live is not None:
            async with live.lock:
                live.close()
        opened = Live(segment, namespace)
        links = await asyncio.to_thread(waker.listen, waker.LINKS | waker.NEIGHBOURS, namespace)
        rules = await asyncio.to_thread(waker.listen, waker.NFTABLES, namespace, waker.NETFILTER)
        opened.ears = [Waker(source, lambda: self._disturbed(key), SETTLING) for source in (links, rules)]
        opened.attached = self._adopt(segment, await asyncio.to_thread(wiring.ports, namespace))
        self.live[key.name] = opened
        return opened

    async def _ensure(self, live: Live, segment: Segment, around: Surroundings, *, is_new: bool) -> None:
        async with live.lock:
            # Pods that an earlier agent attached are looked at too: this one has yet to listen to them.
            is_changed = is_new or live.segment != segment
            live.segment = segment
            inputs = (segment, around, frozenset(live.attached.values()))
            if inputs != live.inputs:
                live.inputs = inputs
                changed, missing = await asyncio.to_thread(
                    wiring.ensure_segment, segment, around, inputs[2], live.namespace
                )
                is_changed = is_changed or changed
            else:
                missing = frozenset()
        for pod in self._view.pods_for(segment.slice):
            uid = objects.uid(pod)
            if is_changed or uid in missing or uid not in live.attached:
                self._pod_changed(Key(OWN, objects.namespace(pod), objects.name(pod)))

    async def _remove(self, name: str) -> Result:
        live = self.live.pop(name, None)
        if live is not None:
            path = self._directory / live.segment.namespace
            for attached in live.attached.values():
                self._pod_changed(Key(OWN, attached.namespace, attached.pod))
            async with live.lock:
                live.close()
                await asyncio.to_thread(wiring.close_segment, path)
        await self.sweep()
        return Result("segment is removed")

    def _adopt(self, segment: Segment, ports: dict[str, IPv4Address]) -> dict[str, Attachment]:
        """Return the attachments that the kernel shows, of pods that still belong here."""
        return {
            objects.uid(pod): attachments.attach(
                pod, attachments.fixed_addresses(pod, segment) or (ports[objects.uid(pod)],)
            )
            for pod in self._view.pods_for(segment.slice)
            if objects.uid(pod) in ports
        }

    def _disturbed(self, key: Key) -> None:
        live = self.live.get(key.name)
        if live is not None:
            live.inputs = None
            self._wake(key)


def taken_addresses(view: View, slice_name: str, except_uid: str) -> frozenset[IPv4Address]:
    """Return the addresses that other pods of this node hold by their own account."""
    others = (pod for pod in view.local.items() if objects.uid(pod) != except_uid)
    texts = (pods.overlay_address(pod, slice_name) for pod in others)
    return frozenset(IPv4Address(text) for text in texts if text)
