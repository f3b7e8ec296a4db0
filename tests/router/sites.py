"""Sites for router tests: two nodes with a real segment, two real routers on it, and gateways that are mere wires.

All sites read one API server, each its own Slice. The gateways of two sites are joined by a veth pair for each plane
instead of a tunnel, so that nothing but routers and segments is tried here.
"""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from kubeslice.agent import wiring
from kubeslice.agent.wiring import Surroundings
from kubeslice.linux import bird, netns
from kubeslice.linux.bird import Refused
from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.model import names
from kubeslice.model.resources import SLICEGATEWAYS, SLICES
from kubeslice.plan.datapath import attachment as attachments
from kubeslice.plan.datapath.attachment import Attachment
from kubeslice.plan.datapath.segment import Segment, parse
from tests.clusters import until
from tests.kernel import Kernel
from tests.router.server import Server
from tests.sessions import sessions

Object = dict[str, Any]
SLICE_SUBNET = IPv4Network("10.1.0.0/16")
NODES = (IPv4Address("172.16.0.1"), IPv4Address("172.16.0.2"))
PLANES = 2


class Site:
    """One cluster, whose number is its octet. Things with an even number are on the first node, odd on the second."""

    def __init__(self, kernel: Kernel, server: Server, number: int, directory: Path) -> None:
        self.kernel, self.server, self.directory = kernel, server, directory
        self.name = f"red-{number}"
        self.subnet = list(SLICE_SUBNET.subnets(new_prefix=20))[number]
        self.segment = _segment(self.name, self.subnet)
        self.plan = self.segment.cluster
        self.underlays = (kernel.namespace(), kernel.namespace())
        kernel.wire(*self.underlays, "eth0", (f"{NODES[0]}/24", f"{NODES[1]}/24"))
        self.bridges = [wiring.open_segment(kernel.directory / f"{self.name}-{node}", None) for node in (0, 1)]
        self.attached: list[list[Attachment]] = [[], []]
        self.pods: dict[str, Namespace] = {}
        self.routers: dict[int, subprocess.Popen[bytes]] = {}
        self.neighbours: set[str] = set()
        self._ensure()

    async def start(self) -> None:
        """Attach routers, gateways and an application on each node, and let the routers run."""
        await self.server.apply(SLICES, _slice(self.name, self.subnet))
        for number in (0, 1):
            role = {names.POD_TYPE_LABEL: names.ROUTER_POD, names.ROUTER_LABEL: str(number)}
            self.attach(f"router-{number}", number, role)
            self.attach(f"gateway-{number}", number, _gateway_role(number))
            self.attach(f"app-{number}", number, {})
        for number in (0, 1):
            await self.server.open_inside(self.pods[f"router-{number}"])
            self.run(number)

    def attach(self, name: str, number: int, labels: dict[str, str]) -> None:
        """Make a pod and attach it as the agents of both nodes would."""
        namespace = names.WORKER_NAMESPACE if labels else "shop"
        meta = {"uid": f"{self.name}-{name}", "name": name, "namespace": namespace, "labels": labels}
        obj = {"metadata": meta, "spec": {}}
        addresses = attachments.fixed_addresses(obj, self.segment) or (self.address(number),)
        self.pods[name] = self.kernel.namespace()
        node = number % 2
        found = attachments.attach(obj, addresses)
        wiring.attach(found, self.segment, self.bridges[node], self.pods[name])
        self.attached[node].append(found)
        self._ensure()

    def run(self, number: int) -> None:
        """Start the process of a router."""
        inside = self.pods[f"router-{number}"]
        environment = {**os.environ, "KUBECONFIG": str(self.server.kubeconfig)}
        environment |= {"SLICE": self.name, "ROUTER": str(number), "HEALTH_PORT": "8081"}
        self.scratch(number).mkdir(exist_ok=True)
        environment["TMPDIR"] = str(self.scratch(number))
        log = (self.directory / f"{self.name}-router-{number}.log").open("ab")
        with log, netns.inside(inside):
            self.routers[number] = subprocess.Popen(
                [sys.executable, "-m", "tests.launch", "router"],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def terminate(self, number: int) -> subprocess.Popen[bytes]:
        """Ask a router to stop."""
        self.routers[number].send_signal(signal.SIGTERM)
        return self.routers.pop(number)

    def kill(self, number: int) -> None:
        """Kill a router with all of its programs at once; its namespace stays."""
        process = self.routers.pop(number)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def plug(self, number: int, *, is_in: bool) -> None:
        """Put a router's port into the segment, or take it out without a warning, as when its node dies."""
        port = next(found.port for found in self.attached[number] if found.pod == f"router-{number}")
        run(["ip", "link", "set", port, "up" if is_in else "down"], namespace=self.bridges[number])

    def silence(self, number: int) -> None:
        """Let gateways lose what a router here says to remote ones, and nothing else."""
        own = ", ".join(str(self.plan.router_plane(number, plane)) for plane in range(PLANES))
        chain = f"type filter hook forward priority -5; ip saddr {{ {own} }} drop;"
        rules = f"table inet mute-{number} {{ chain c {{ {chain} }}; }}"
        for plane in range(PLANES):
            run(["nft", rules], namespace=self.pods[f"gateway-{plane}"])

    def unsilence(self, number: int) -> None:
        """Undo `silence`."""
        for plane in range(PLANES):
            run(["nft", f"delete table inet mute-{number}"], namespace=self.pods[f"gateway-{plane}"])

    def carried(self) -> dict[str, int]:
        """Return how many packets each router and gateway has received on the segment."""
        hops = [name for name in self.pods if not name.startswith("app")]
        return {name: _received(self.pods[name]) for name in hops}

    def address(self, number: int) -> IPv4Address:
        """Return the address of an application."""
        return self.subnet[64 + number]

    def cut(self, plane: int) -> None:
        """Let a gateway lose every packet."""
        rules = "table inet cut { chain c { type filter hook forward priority -5; drop; }; }"
        run(["nft", rules], namespace=self.pods[f"gateway-{plane}"])

    def heal(self, plane: int) -> None:
        """Undo `cut`."""
        run(["nft", "delete table inet cut"], namespace=self.pods[f"gateway-{plane}"])

    def routes(self, number: int, subnet: IPv4Network) -> set[str]:
        """Return the next hops that a router has for a subnet."""
        text = run(["ip", "-4", "route", "show", str(subnet)], namespace=self.pods[f"router-{number}"])
        words = text.split()
        return {words[at + 1] for at, word in enumerate(words) if word == "via"}

    async def sessions(self, number: int) -> dict[str, bool]:
        """Return the BGP sessions of a router and whether each is established; `bfd` tells whether all are watched."""
        found, watched = await sessions([*self.scratch(number).glob("*/bird.ctl")])
        return {**found, "bfd": watched >= len(found)} if found else {}

    async def sources(self, number: int, subnet: IPv4Network) -> set[str]:
        """Return the names of the protocols from which a router knows a subnet."""
        (control,) = self.scratch(number).glob("*/bird.ctl")
        try:
            lines = await bird.ask(control, f"show route {subnet}")
        except Refused:  # that is how it says that it knows none
            return set()
        return {found[1] for line in lines if (found := re.search(r"\[(\w+) ", line))}

    def log(self) -> str:
        """Return the last words of the routers."""
        return "".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in self.directory.glob("*.log"))

    def scratch(self, number: int) -> Path:
        """Return where a router puts its files."""
        return self.directory / f"{self.name}-{number}"

    def holds(self, number: int) -> set[int]:
        """Return the virtual next hops that a router holds."""
        text = run(["ip", "-4", "-o", "address", "show", "dev", "ks0"], namespace=self.pods[f"router-{number}"])
        return {hop for hop, address in enumerate(self.plan.router_next_hops) if f" {address}/32 " in text}

    def stop(self) -> None:
        """End the routers."""
        for process in self.routers.values():
            process.terminate()
        for process in self.routers.values():
            process.wait(10)
        for bridge in self.bridges:
            bridge.close()

    def _ensure(self) -> None:
        where = {found.mac: NODES[node] for node in (0, 1) for found in self.attached[node]}
        for node in (0, 1):
            stations = {mac: at for mac, at in where.items() if at != NODES[node]}
            around = Surroundings(NODES[node], frozenset([NODES[1 - node]]), stations)
            with netns.inside(self.underlays[node]):
                wiring.ensure_segment(self.segment, around, self.attached[node], self.bridges[node])


@asynccontextmanager
async def some_sites(kernel: Kernel, directory: Path, numbers: list[int]) -> AsyncIterator[list[Site]]:
    """Run sites, not joined yet, and an API server for them."""
    server = Server(directory / "api")
    await server.start()
    sites = [Site(kernel, server, number, directory) for number in numbers]
    try:
        for site in sites:
            await site.start()
        yield sites
    finally:
        await asyncio.gather(*(asyncio.to_thread(site.stop) for site in sites))
        await server.stop()
        print(sites[0].log())


async def connected(site: Site) -> None:
    """Wait until all sessions of a site's routers are up."""
    for number in range(names.ROUTERS):
        for _ in range(300):
            states = await site.sessions(number)
            peers = sum(name.startswith("peer") for name in states)
            if peers == PLANES * len(site.neighbours) and all(states.values()):
                break
            await asyncio.sleep(0.05)
        else:
            raise AssertionError(f"router {number} of {site.name}: {states}")


async def settled(site: Site) -> None:
    """Wait until all sessions of a site's routers are up and each holds its own next hop, seconds later."""
    await connected(site)
    await until(lambda: all(site.holds(number) == {number} for number in range(names.ROUTERS)), 15)


Subnets = list[IPv4Network]
NOTHING: tuple[Subnets, Subnets] = ([], [])


async def connect(one: Site, other: Site, through: tuple[Subnets, Subnets] = NOTHING) -> None:
    """Join the gateways of two sites and tell their routers; `through` is what either reaches through the other."""
    for plane in range(PLANES):
        ends = one.pods[f"gateway-{plane}"], other.pods[f"gateway-{plane}"]
        line = f"link add t-{other.name} type veth peer name t-{one.name} netns {{peer}}"
        one.kernel.ip(ends[0], line, peer=ends[1])
        _route(one, other, plane, through[0])
        _route(other, one, plane, through[1])
    await announce(one, other, through)


def carry(spoke: Site, hub: Site, subnet: IPv4Network) -> None:
    """Let the gateways of a spoke send a subnet through a hub's."""
    for plane in range(PLANES):
        line = f"route replace {subnet} via {hub.plan.gateway(plane)} dev t-{hub.name}"
        spoke.kernel.ip(spoke.pods[f"gateway-{plane}"], line)


async def announce(one: Site, other: Site, through: tuple[Subnets, Subnets] = NOTHING, relay: str = "") -> None:
    """Tell the routers of two sites that they are joined, and which subnets either reaches through the other."""
    for near, far, transit, carried in ((one, other, *through), (other, one, through[1], through[0])):
        near.neighbours.add(far.name)
        await near.server.apply(SLICEGATEWAYS, _gateway(near, far, transit, carried, relay))


def _route(near: Site, far: Site, plane: int, through: Subnets) -> None:
    """Make a gateway route as a real one does: what it hears goes to its own cluster or, in transit, to a router."""
    hop, device = far.plan.gateway(plane), f"t-{far.name}"
    routers = " ".join(f"nexthop via {address}" for address in near.plan.router_next_hops)
    near.kernel.ip(
        near.pods[f"gateway-{plane}"],
        f"address add {near.plan.gateway(plane)}/32 dev {device}",
        f"link set {device} up",
        f"route add {hop}/32 dev {device}",
        *(f"route replace {subnet} via {hop} dev {device}" for subnet in [far.subnet, *through]),
        f"rule add iif {device} lookup 100",
        f"route replace {near.subnet} dev ks0 table 100",
        f"route replace {SLICE_SUBNET} table 100 {routers}",
    )


def _received(namespace: Namespace) -> int:
    (link,) = json.loads(run(["ip", "-j", "-s", "link", "show", "dev", "ks0"], namespace=namespace))
    return int(link["stats64"]["rx"]["packets"])


def _gateway(near: Site, far: Site, transit: list[IPv4Network], carried: list[IPv4Network], relay: str) -> Object:
    meta = {"name": f"{near.name}-{far.name}", "namespace": names.WORKER_NAMESPACE}
    spec = {
        "sliceName": near.name,
        "remoteCluster": far.name,
        "remoteSubnet": str(far.subnet),
        "planes": [{"plane": plane} for plane in range(PLANES)],
        "transitSubnets": list(map(str, transit)),
        "carriedSubnets": list(map(str, carried)),
        "relay": relay,
    }
    return {"metadata": {**meta, "labels": {names.SLICE_LABEL: near.name}}, "spec": spec}


def _gateway_role(plane: int) -> dict[str, str]:
    return {names.POD_TYPE_LABEL: names.GATEWAY_POD, names.PLANE_LABEL: str(plane)}


def _slice(name: str, subnet: IPv4Network) -> Object:
    spec = {
        "sliceName": name,
        "sliceSubnet": str(SLICE_SUBNET),
        "clusterSubnet": str(subnet),
        "vni": 4097,
        "mtu": 1400,
        "gatewayReplicas": PLANES,
    }
    return {"metadata": {"name": name, "namespace": names.WORKER_NAMESPACE}, "spec": spec}


def _segment(name: str, subnet: IPv4Network) -> Segment:
    found = parse(_slice(name, subnet), "")
    assert found is not None
    return found
