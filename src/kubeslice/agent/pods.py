"""Attaches the pods of this node to their slices, detaches those that leave, and says so on the Pod.

`PodReconciler` is what the controller of Pods runs. A pod without a sandbox is looked for again after a few
milliseconds; a pod that is attached is watched in the kernel, and looked at again only when something touched it.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path

from kubeslice.agent import segments, wiring
from kubeslice.agent.segments import Enqueue, Live
from kubeslice.agent.view import View, key_of
from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.backoff import Backoff
from kubeslice.kube.errors import NotFound
from kubeslice.kube.events import Recorder
from kubeslice.linux import cgroups, netns, waker
from kubeslice.linux.netns import Namespace
from kubeslice.linux.waker import Waker
from kubeslice.model import names
from kubeslice.model.errors import Retry
from kubeslice.model.ids import Key
from kubeslice.model.resources import PODS
from kubeslice.plan import pods
from kubeslice.plan.datapath import attachment as attachments
from kubeslice.plan.datapath.attachment import Attachment
from kubeslice.plan.datapath.network import Network
from kubeslice.runtime.controller import Result

FIRST_LOOK = 0.005  # seconds
LONGEST_WAIT = 0.25
NO_ADDRESS_WAIT = 10.0
SUCCESSION = 0.05
GROUPS = waker.LINKS | waker.ADDRESSES | waker.ROUTES


@dataclass
class Wired:
    """A pod that is attached: on which slice, in which sandbox, and the ear that hears what is done to it there.

    `ends` is what both namespaces were made to hold: it changes when the slice grows or gets another MTU.
    """

    attachment: Attachment
    live: Live
    ends: Network
    inode: int
    ear: Waker
    is_touched: bool = False


class PodReconciler:
    """Reconciles the pods of one node."""

    def __init__(self, api: Api, view: View, live: dict[str, Live], recorder: Recorder) -> None:
        self._api = api
        self._view = view
        self._live = live
        self._recorder = recorder
        self._wired: dict[Key, Wired] = {}
        self._directories: dict[str, Path] = {}
        self._waits: dict[str, Backoff] = {}
        self._former: dict[Key, Attachment] = {}
        self._wake: Enqueue = lambda _: None

    def wake_with(self, enqueue: Enqueue) -> None:
        """Say how to ask for a reconcile of a pod when the kernel reports a change."""
        self._wake = enqueue

    async def reconcile(self, key: Key) -> Result:
        """Bring a pod's attachment in line with the slice its namespace is on."""
        pod = self._view.local.get(key.name, key.namespace)
        wanted = self._view.slice_for(pod) if pod is not None else ""
        await self._leave_others(key, pod, wanted)
        if pod is None:
            self._former.pop(key, None)
            return Result()
        await self._leave_found(objects.uid(pod), wanted)
        if not wanted:
            await self._disown(pod)
            return Result()
        live = self._live.get(wanted)
        if live is None:
            return Result("waits for its segment")
        sandbox = await asyncio.to_thread(self._sandbox, objects.uid(pod))
        if sandbox is None:
            wait = self._waits.setdefault(objects.uid(pod), Backoff(FIRST_LOOK, LONGEST_WAIT))
            return Result(after=wait.next())
        with sandbox:
            return await self._join(key, pod, live, sandbox)

    def close(self) -> None:
        """Stop listening; every pod stays attached."""
        while self._wired:
            self._wired.popitem()[1].ear.close()

    async def _join(self, key: Key, pod: Object, live: Live, sandbox: Namespace) -> Result:
        slice_name = live.segment.slice
        async with live.lock:
            if not live.is_open:
                raise Retry("its segment is being made anew")
            predecessor = self._predecessor(pod, live)
            if predecessor:
                return Result(f"waits for {predecessor} to end, which still has its addresses", after=SUCCESSION)
            addresses = self._addresses(pod, live)
            if not addresses:
                return await self._refuse(pod, live)
            attachment = attachments.attach(pod, addresses)
            if not self._is_settled(key, attachment, live, sandbox):
                await self._attach(key, attachment, live, sandbox)
        await self._tell(pod, attachments.metadata(attachment, slice_name))
        self._waits.pop(attachment.uid, None)
        return Result(f"on slice {slice_name} as {attachment.address}")

    async def _attach(self, key: Key, attachment: Attachment, live: Live, sandbox: Namespace) -> None:
        # The address is taken from here on, so that the segment's own reconcile lets the port live.
        live.attached[attachment.uid] = attachment
        live.last = attachment.address if not attachment.is_hop else live.last
        await asyncio.to_thread(wiring.attach, attachment, live.segment, live.namespace, sandbox)
        self._forget(key)
        source = await asyncio.to_thread(waker.listen, GROUPS, sandbox)
        ear = Waker(source, lambda: self._touched(key))
        self._wired[key] = Wired(attachment, live, attachments.ends(attachment, live.segment), sandbox.inode, ear)

    def _is_settled(self, key: Key, attachment: Attachment, live: Live, sandbox: Namespace) -> bool:
        wired = self._wired.get(key)
        if wired is None or wired.is_touched or wired.live is not live:
            return False
        is_known = live.attached.get(attachment.uid) == attachment == wired.attachment
        is_same = wired.inode == sandbox.inode and wired.ends == attachments.ends(attachment, live.segment)
        return is_known and is_same

    def _addresses(self, pod: Object, live: Live) -> tuple[IPv4Address, ...]:
        """Return a pod's addresses: fixed ones, the ones it has, or the next free one; none when there is none."""
        fixed = attachments.fixed_addresses(pod, live.segment)
        known = live.attached.get(objects.uid(pod))
        if fixed or known is not None:
            return fixed or (known.addresses if known is not None else ())
        taken = segments.taken_addresses(self._view, live.segment.slice, objects.uid(pod))
        taken |= {attachment.address for attachment in live.attached.values()}
        address = self._earlier_address(pod, live)
        if address is None or address in taken or not any(address in block for block in live.segment.blocks):
            address = live.next_address(taken)
        return (address,) if address is not None else ()

    def _predecessor(self, pod: Object, live: Live) -> str:
        """Return the pod that must end before this one is attached; one that is attached stays so."""
        if objects.uid(pod) in live.attached:
            return ""
        return attachments.predecessor(pod, self._view.members.items(), live.segment, datetime.now(UTC))

    def _earlier_address(self, pod: Object, live: Live) -> IPv4Address | None:
        """Return the address that a pod had by its own account, or before its namespace left the slice for a while."""
        recorded = pods.overlay_address(pod, live.segment.slice)
        if recorded:
            return IPv4Address(recorded)
        former = self._former.get(key_of(pod))
        return former.address if former is not None and former.uid == objects.uid(pod) else None

    async def _refuse(self, pod: Object, live: Live) -> Result:
        name = live.segment.slice
        sentence = f"node {self._view.node} has no free address left on slice {name}: the operator must give it a block"
        await self._recorder.emit(pod, "Warning", "NoSliceAddress", sentence)
        return Result(sentence, after=NO_ADDRESS_WAIT)

    async def _leave_others(self, key: Key, pod: Object | None, wanted: str) -> None:
        """Detach a pod from the slice it was on when it is gone, replaced by another of its name, or moved."""
        wired = self._wired.get(key)
        if wired is None:
            return
        uid = wired.attachment.uid
        if pod is not None and objects.uid(pod) == uid and wired.live.segment.slice == wanted:
            return
        self._forget(key)
        self._former[key] = wired.attachment
        self._directories.pop(uid, None)
        self._waits.pop(uid, None)
        async with wired.live.lock:
            wired.live.attached.pop(uid, None)
            if wired.live.is_open:
                await asyncio.to_thread(wiring.detach, wired.attachment.port, wired.live.namespace)

    async def _leave_found(self, uid: str, wanted: str) -> None:
        """Detach a pod from slices on which it was found when the segment was opened, and has not been wired since."""
        for live in list(self._live.values()):
            found = live.attached.get(uid)
            if found is not None and live.segment.slice != wanted:
                async with live.lock:
                    live.attached.pop(uid, None)
                    if live.is_open:
                        await asyncio.to_thread(wiring.detach, found.port, live.namespace)

    async def _disown(self, pod: Object) -> None:
        """Take back what we said on a pod that is on no slice any more."""
        if names.OVERLAY_ADDRESS_LABEL in objects.labels(pod):
            await self._tell(pod, {"labels": {}, "annotations": {}})

    async def _tell(self, pod: Object, said: Object) -> None:
        if said["labels"] and _says(pod, said):
            return
        meta = {"name": objects.name(pod), "namespace": objects.namespace(pod), "uid": objects.uid(pod), **said}
        body = {"apiVersion": PODS.api_version, "kind": PODS.kind, "metadata": meta}
        try:
            await self._api.apply(PODS, body, manager=names.AGENT_MANAGER)
        except NotFound:  # gone meanwhile
            return

    def _sandbox(self, uid: str) -> Namespace | None:
        directory = self._directories.get(uid) or cgroups.find(cgroups.hierarchy(), uid)
        if directory is None:
            return None
        self._directories[uid] = directory
        with netns.current() as node:
            found = cgroups.network(directory, node.inode)
        if found is None:
            del self._directories[uid]
        return found

    def _forget(self, key: Key) -> None:
        wired = self._wired.pop(key, None)
        if wired is not None:
            wired.ear.close()

    def _touched(self, key: Key) -> None:
        wired = self._wired.get(key)
        if wired is not None:
            wired.is_touched = True
            self._wake(key)


def _says(pod: Object, said: dict[str, dict[str, str]]) -> bool:
    has_labels = said["labels"].items() <= objects.labels(pod).items()
    return has_labels and said["annotations"].items() <= objects.annotations(pod).items()


def keys_of(pod: Object) -> list[Key]:
    """Return the key under which a pod is reconciled."""
    return [key_of(pod)]
