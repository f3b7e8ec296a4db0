"""The cluster's own DNS sends `slice.local` to KubeSlice DNS: one marked block in CoreDNS's Corefile."""

from dataclasses import dataclass
from ipaddress import ip_address

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.model import names
from kubeslice.model.errors import Terminal
from kubeslice.model.ids import Key
from kubeslice.model.resources import CONFIGMAPS
from kubeslice.plan.services import corefile
from kubeslice.runtime.controller import Result
from kubeslice.runtime.reporting import Reporter
from kubeslice.worker.caches import DNS_CONFIGMAP, DNS_NAMESPACE, SYSTEM, Caches

COREFILE = "Corefile"
KEY = Key("", DNS_NAMESPACE, DNS_CONFIGMAP)


@dataclass(frozen=True)
class Forwarding:
    """Reconciles the one Corefile of the cluster."""

    own: Api
    caches: Caches
    reporter: Reporter

    async def reconcile(self, key: Key) -> Result:
        """Write the block for the current address of KubeSlice DNS. Raises `Terminal` when it must not."""
        seen = self.caches.own.corefiles.get(key.name, key.namespace)
        if all(hub.is_leaving for hub in self.caches.hubs):
            return await self._put_back(seen)
        service = self.caches.own.services.get(names.DNS_SERVICE, SYSTEM)
        address = str(objects.spec(service).get("clusterIP") or "") if service else ""
        if not address or address == "None":
            return Result(f"waiting for the address of Service {names.DNS_SERVICE}")
        if seen is None:
            raise Terminal(
                f"there is no ConfigMap {key.namespace}/{key.name} of CoreDNS: make the cluster's DNS forward "
                f"{names.ZONE} to {address}"
            )
        before = text(seen)
        if corefile.is_served_by_others(before, names.ZONE):
            await self._warn(seen, address)
            raise Terminal(f"another block of the Corefile serves {names.ZONE} already: make it forward to {address}")
        wanted = corefile.with_forward(before, names.ZONE, ip_address(address))
        if wanted != before:
            await write(self.own, seen, wanted)
            await self.reporter.event(CONFIGMAPS, seen, "Forwarded", f"{names.ZONE} is forwarded to {address}")
        manual = "" if corefile.reloads_itself(before) else "; CoreDNS has no reload plugin, restart it"
        return Result(f"{names.ZONE} is forwarded to {address}{manual}")

    async def _put_back(self, seen: Object | None) -> Result:
        if seen is not None and corefile.without_forward(text(seen)) != text(seen):
            await write(self.own, seen, corefile.without_forward(text(seen)))
        return Result(f"{names.ZONE} is not forwarded any more: the cluster leaves")

    async def _warn(self, seen: Object, address: str) -> None:
        message = (
            f"another block serves {names.ZONE}: make it forward to {address}, or remove it and KubeSlice adds its own"
        )
        await self.reporter.event(CONFIGMAPS, seen, "NotForwarded", message, warning=True)


async def write(api: Api, seen: Object, wanted: str) -> None:
    """Replace the Corefile. Raises `Conflict` when somebody changed it since `seen`."""
    change = {"metadata": {"resourceVersion": seen["metadata"]["resourceVersion"]}, "data": {COREFILE: wanted}}
    await api.patch(CONFIGMAPS, objects.name(seen), objects.namespace(seen), change)


def text(configmap: Object) -> str:
    """Return the Corefile in a ConfigMap."""
    return str((configmap.get("data") or {}).get(COREFILE) or "")
