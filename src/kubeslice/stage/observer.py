"""An observer on the WAN: looks at what crosses it for as long as anything lasts, and says what has no business there.

Of the data of tunnels it takes every 256th packet, all others whole: tunnels are many packets, and the machine has
other work. The samples are chosen by a counter in each packet, so that no flow escapes.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.model.resources import SERVICES, SLICES
from kubeslice.stage import wire
from kubeslice.stage.capture import between_clusters, capture
from kubeslice.stage.stage import Stage
from kubeslice.stage.wire import Known

EXAMPLES = 5
ENGINES = {"Wireguard": "WireGuard", "OpenVPN": "OpenVPN"}


@dataclass
class Observed:
    """What was seen: packets by kind, how many can be read, and sentences about those that should not have been."""

    kinds: Counter[str] = field(default_factory=Counter)
    readable: int = 0
    strangers: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def findings(self) -> list[str]:
        """Return some of what should not have been seen, what can be read first."""
        return [*self.texts[:EXAMPLES], *self.strangers[:EXAMPLES]]

    @property
    def wrong(self) -> int:
        """Return how many packets should not have been seen."""
        return len(self.texts) + len(self.strangers)

    @property
    def packets(self) -> int:
        """Return how many packets were looked at."""
        return self.kinds.total()

    def take(self, packets: Iterable[bytes], known: Known) -> None:
        """Judge packets."""
        for data in packets:
            packet = wire.parse(data)
            kind = wire.kind(packet, known) if packet else ""
            text = wire.readable(packet, known) if packet else b""
            self.kinds[kind or "unknown"] += 1
            if text:
                self.readable += 1
                self.texts.append(f"“{text.decode()}” can be read: {packet}")
            elif not kind:
                self.strangers.append(f"unknown: {packet or data[:16].hex()}")

    def wire(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"packets": dict(self.kinds), "findings": self.findings, "ok": not self.findings}


@asynccontextmanager
async def observer(stage: Stage, marker: str, *, sampled: bool = True) -> AsyncIterator[Observed]:
    """Look at the WAN until the end of the body, and judge then; `marker` is what nobody may read there."""
    known = Known(await _tunnels(stage), (marker.encode(),))
    but = f" and not ({_plain_data(known.tunnels)})" if sampled else ""
    seen = Observed()
    async with capture(between_clusters(stage) + but) as captured:
        yield seen
    seen.take(captured.packets(), known)


async def _tunnels(stage: Stage) -> dict[int, str]:
    """Return the engine behind every port of a node at which gateways are called."""
    found: dict[int, str] = {}
    for cluster in stage.workers:
        for slice_ in (await stage.apis[cluster].list(SLICES, names.WORKER_NAMESPACE)).items:
            engine = ENGINES[objects.spec(slice_).get("gatewayType") or "Wireguard"]
            selector = f"{names.POD_TYPE_LABEL}={names.GATEWAY_POD},{names.SLICE_LABEL}={objects.name(slice_)}"
            services = await stage.apis[cluster].list(SERVICES, names.WORKER_NAMESPACE, labels=selector)
            ports = [port for service in services.items for port in service["spec"].get("ports") or []]
            found |= {int(port["nodePort"]): engine for port in ports}
    return found


def _plain_data(tunnels: Mapping[int, str]) -> str:
    """Return the tcpdump expression for data of tunnels, but for the samples.

    WireGuard counts its packets in the 9th byte, OpenVPN in the 8th; of TCP the sequence number serves.
    """
    ports = {engine: _ports(port for port, its in tunnels.items() if its == engine) for engine in tunnels.values()}
    data = {
        "WireGuard": "udp[8:4] = 0x04000000 and udp[16] != 0",
        "OpenVPN": "(udp and udp[8] & 0xf8 = 0x48 and udp[15] != 0) or (tcp and tcp[7] != 0)",
    }
    return " or ".join(f"({ports[engine]} and ({data[engine]}))" for engine in ports) or "less 0"


def _ports(numbers: Iterable[int]) -> str:
    return f"({' or '.join(f'port {number}' for number in sorted(numbers))})"
