"""Segments in the kernel: two nodes, pods on both, and what may and may not pass."""

import shutil
import socket
import struct
import time
from ipaddress import IPv4Address, IPv4Network

import pytest

from kubeslice.agent import wiring
from kubeslice.agent.wiring import Surroundings
from kubeslice.linux import devices, netns, nftables, observation
from kubeslice.linux.files import NoRoom
from kubeslice.linux.netns import Namespace
from kubeslice.plan.address.ipam import ClusterPlan, mac
from kubeslice.plan.datapath import attachment as attachments
from kubeslice.plan.datapath.attachment import Attachment
from kubeslice.plan.datapath.network import Address
from kubeslice.plan.datapath.segment import Segment
from tests.disks import a_disk, fill
from tests.kernel import Kernel

pytestmark = pytest.mark.kernel

NODES = (IPv4Address("172.16.0.1"), IPv4Address("172.16.0.2"))


def segment(vni: int = 4097) -> Segment:
    cluster = ClusterPlan(IPv4Network("10.1.16.0/20"))
    return Segment("red", vni, 1400, IPv4Network("10.1.0.0/16"), cluster, 1, (IPv4Network("10.1.16.64/26"),))


def app(number: int, address: str) -> Attachment:
    return Attachment(f"uid-{number}", "shop", f"web-{number}", "app", (IPv4Address(address),))


class Node:
    """One node with one segment of the slice."""

    def __init__(self, kernel: Kernel, number: int, underlay: Namespace, vni: int = 4097) -> None:
        self.kernel, self.underlay, self.segment = kernel, underlay, segment(vni)
        self.address, self.peer = NODES[number], NODES[1 - number]
        self.path = kernel.directory / f"node-{number}-{vni}"
        self.pods: list[Attachment] = []
        self.stations: dict[str, IPv4Address] = {}
        self.bridge = wiring.open_segment(self.path, None)

    def ensure(self) -> tuple[bool, frozenset[str]]:
        around = Surroundings(self.address, frozenset([self.peer]), self.stations)
        with netns.inside(self.underlay):
            return wiring.ensure_segment(self.segment, around, self.pods, self.bridge)

    def attach(self, attachment: Attachment) -> Namespace:
        pod = self.kernel.namespace()
        wiring.attach(attachment, self.segment, self.bridge, pod)
        self.pods.append(attachment)
        return pod


@pytest.fixture
def nodes(kernel: Kernel) -> tuple[Node, Node]:
    underlays = kernel.namespace(), kernel.namespace()
    kernel.wire(*underlays, "eth0", ("172.16.0.1/24", "172.16.0.2/24"))
    first, second = (Node(kernel, number, underlay) for number, underlay in enumerate(underlays))
    first.ensure()
    second.ensure()
    return first, second


@pytest.fixture
def node(nodes: tuple[Node, Node]) -> Node:
    return nodes[0]


def test_pods_of_two_nodes_reach_each_other(kernel: Kernel, nodes: tuple[Node, Node]) -> None:
    here, there = nodes
    one = here.attach(app(1, "10.1.16.65"))
    there.attach(app(2, "10.1.16.129"))
    assert kernel.pings(one, "10.1.16.129"), "by flooding, before anybody told where the other pod is"
    here.stations[mac(IPv4Address("10.1.16.129"))] = there.address
    there.stations[mac(IPv4Address("10.1.16.65"))] = here.address
    assert here.ensure() == (True, frozenset())
    there.ensure()
    assert kernel.pings(one, "10.1.16.129")


def test_what_was_applied_needs_no_change(node: Node) -> None:
    node.attach(app(1, "10.1.16.65"))
    node.stations["02:6b:0a:01:10:81"] = node.peer
    node.ensure()
    assert node.ensure() == (False, frozenset())


def test_reverting_restores_the_identical_state(node: Node) -> None:
    node.attach(app(1, "10.1.16.65"))
    node.ensure()
    before = observation.segment(node.bridge), nftables.read("bridge", node.bridge)
    node.attach(app(2, "10.1.16.66"))
    node.stations["02:6b:0a:01:10:81"] = node.peer
    node.ensure()
    node.pods.pop()
    node.stations.clear()
    node.ensure()
    assert (observation.segment(node.bridge), nftables.read("bridge", node.bridge)) == before


def test_attaching_again_changes_nothing(node: Node, kernel: Kernel) -> None:
    pod = node.attach(app(1, "10.1.16.65"))
    before = observation.endpoint(pod)
    assert not wiring.attach(app(1, "10.1.16.65"), node.segment, node.bridge, pod)
    assert observation.endpoint(pod) == before


def test_attaching_is_quick(node: Node, kernel: Kernel) -> None:
    pods = [kernel.namespace() for _ in range(10)]
    took = []
    for number, pod in enumerate(pods):
        began = time.perf_counter()
        wiring.attach(app(number, f"10.1.16.{70 + number}"), node.segment, node.bridge, pod)
        took.append(time.perf_counter() - began)
    assert sorted(took)[5] < 0.06, took  # 30 ms on an idle machine


@pytest.mark.parametrize(
    "damage",
    [
        "link delete dev ks0",
        "address flush dev ks0",
        "route flush proto 75",
        "link set dev ks0 down",
        "link set dev ks0 mtu 1000",
        "link set dev ks0 address 02:00:00:00:00:99",
    ],
)
def test_damage_in_a_pod_is_repaired(kernel: Kernel, node: Node, damage: str) -> None:
    pod = node.attach(app(1, "10.1.16.65"))
    whole = {record for record in observation.endpoint(pod) if record.device == "ks0"}
    kernel.ip(pod, damage)
    assert wiring.attach(app(1, "10.1.16.65"), node.segment, node.bridge, pod)
    assert {record for record in observation.endpoint(pod) if record.device == "ks0"} == whole


@pytest.mark.parametrize("damage", ["link delete vx0", "link delete br0", "link set vx0 down", "link set br0 mtu 900"])
def test_damage_in_a_segment_is_repaired(kernel: Kernel, nodes: tuple[Node, Node], damage: str) -> None:
    here, there = nodes
    one, _ = here.attach(app(1, "10.1.16.65")), there.attach(app(2, "10.1.16.129"))
    kernel.ip(here.bridge, damage)
    here.ensure()
    assert here.ensure() == (False, frozenset())
    assert kernel.pings(one, "10.1.16.129")


def test_a_missing_port_is_reported(kernel: Kernel, node: Node) -> None:
    pod = node.attach(app(1, "10.1.16.65"))
    kernel.ip(pod, "link delete ks0")
    assert node.ensure()[1] == {"uid-1"}


def test_a_port_of_nobody_is_removed_with_the_pods_interface(node: Node) -> None:
    pod = node.attach(app(1, "10.1.16.65"))
    node.pods.clear()
    node.ensure()
    assert not devices.exists("ks0", pod)


def test_addresses_are_read_back_from_the_kernel(node: Node) -> None:
    node.attach(app(1, "10.1.16.65"))
    node.attach(app(2, "10.1.16.66"))
    assert wiring.ports(node.bridge) == {"uid-1": IPv4Address("10.1.16.65"), "uid-2": IPv4Address("10.1.16.66")}


def test_a_namespace_that_lost_its_name_gets_it_back(node: Node) -> None:
    pod = node.attach(app(1, "10.1.16.65"))
    netns.release(node.path)
    with wiring.open_segment(node.path, node.bridge) as again:
        assert again.inode == node.bridge.inode
    assert devices.exists("ks0", pod)


def test_without_room_for_its_name_a_segment_says_so_and_one_that_is_there_goes_on(node: Node) -> None:
    with a_disk() as disk:
        waste = fill(disk)
        with pytest.raises(NoRoom, match=r"the name of segment kubeslice-4098 cannot be written .* make room"):
            wiring.open_segment(disk / "kubeslice-4098", None)
        assert not node.ensure()[0]
        shutil.rmtree(waste)
        wiring.open_segment(disk / "kubeslice-4098", None).close()
        wiring.close_segment(disk / "kubeslice-4098")


def test_nothing_is_left_of_a_closed_segment(kernel: Kernel, node: Node) -> None:
    pod = node.attach(app(1, "10.1.16.65"))
    wiring.close_segment(node.path)
    assert not node.path.exists()
    assert not devices.exists("ks0", pod)
    wiring.close_segment(node.path)
    node.bridge = wiring.open_segment(node.path, None)
    assert node.ensure()[0], "the same number can be used again at once"


def test_slices_with_the_same_addresses_do_not_meet(kernel: Kernel, nodes: tuple[Node, Node]) -> None:
    red, red_there = nodes
    blue, blue_there = Node(kernel, 0, red.underlay, 4098), Node(kernel, 1, red_there.underlay, 4098)
    for one in (blue, blue_there):
        one.ensure()
    pods = [place.attach(app(1, "10.1.16.65")) for place in (red, blue)]
    red_there.attach(app(2, "10.1.16.129"))
    assert kernel.pings(pods[0], "10.1.16.129")
    assert not kernel.pings(pods[1], "10.1.16.129", seconds=0.4)
    blue_there.attach(app(2, "10.1.16.130"))
    assert kernel.pings(pods[1], "10.1.16.130")
    assert not kernel.pings(pods[0], "10.1.16.130", seconds=0.4)


def frame(source_mac: str, source: str, target: str, kind: int = 0x0800) -> bytes:
    """An Ethernet frame to everybody with an IPv4 UDP packet, or an ARP announcement, in the name of `source`."""
    hardware = bytes.fromhex(source_mac.replace(":", ""))
    ends = socket.inet_aton(source), socket.inet_aton(target)
    if kind == 0x0806:
        body = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + hardware + ends[0] + bytes(6) + ends[1]
    else:
        body = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 0, 0, 64, 17, 0, *ends) + struct.pack("!HHHH", 9, 9, 8, 0)
    return b"\xff" * 6 + hardware + struct.pack("!H", kind) + body


@pytest.mark.parametrize(
    ("spoofed", "passes"),
    [
        (frame("02:6b:0a:01:10:41", "10.1.16.65", "10.1.16.66"), True),
        (frame("02:6b:0a:01:10:41", "10.1.16.65", "10.1.16.66", 0x0806), True),
        (frame("02:6b:0a:01:10:41", "10.1.16.99", "10.1.16.66"), False),
        (frame("02:6b:0a:01:10:41", "10.1.16.17", "10.1.16.66", 0x0806), False),
        (frame("02:6b:0a:01:10:42", "10.1.16.65", "10.1.16.66"), False),
        (frame("02:6b:0a:01:10:41", "10.1.16.65", "10.1.16.66", 0x86DD), False),
        (frame("02:6b:0a:01:10:41", "10.1.16.65", "10.1.16.66", 0x88CC), False),
    ],
    ids=["own", "own arp", "other address", "arp for the router", "other mac", "ipv6", "lldp"],
)
def test_a_port_sends_only_in_its_own_name(node: Node, spoofed: bytes, passes: bool) -> None:
    sender, receiver = node.attach(app(1, "10.1.16.65")), node.attach(app(2, "10.1.16.66"))
    with netns.inside(receiver):
        ear = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    with netns.inside(sender):
        mouth = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        mouth.bind(("ks0", 0))
    with ear, mouth:
        ear.settimeout(0.2)
        mouth.send(spoofed)
        assert _hears(ear, spoofed) is passes


def _hears(ear: socket.socket, frame: bytes) -> bool:
    try:
        while True:
            if ear.recv(2000)[: len(frame)] == frame:
                return True
    except TimeoutError:
        return False


def test_a_router_sends_for_others_and_forwards(kernel: Kernel, node: Node) -> None:
    router = Attachment(
        "uid-r", "kubeslice-system", "router", "router", (IPv4Address("10.1.16.2"), IPv4Address("10.1.16.1"))
    )
    pod = node.attach(router)
    own = observation.only(observation.endpoint(pod), ["ks0"])
    addresses = {str(record.address) for record in own if isinstance(record, Address)}
    assert addresses == {"10.1.16.2/20", "10.1.16.1/20"}
    kernel.ip(pod, "address add 10.1.99.1/32 dev lo")
    client = node.attach(app(1, "10.1.16.65"))
    assert kernel.pings(client, "10.1.99.1")
    assert attachments.sysctls(router)["ipv4/ip_forward"] == "1"


def test_a_router_refuses_what_it_knows_no_way_for(kernel: Kernel, node: Node) -> None:
    hops = IPv4Address("10.1.16.2"), IPv4Address("10.1.16.1")
    router = Attachment("uid-r", "kubeslice-system", "router", "router", hops)
    pod, outside = node.attach(router), kernel.namespace()
    kernel.wire(pod, outside, "eth0", ("192.0.2.1/24", "192.0.2.2/24"))
    kernel.ip(pod, "route add default via 192.0.2.2")
    kernel.ip(outside, "address add 10.1.99.1/32 dev lo", "route add 10.1.0.0/16 via 192.0.2.1")
    client = node.attach(app(1, "10.1.16.65"))
    assert kernel.pings(client, "10.1.16.1")
    assert not kernel.pings(client, "10.1.99.1", seconds=0.4)
    kernel.ip(pod, "route del unreachable 10.1.0.0/16")
    assert kernel.pings(client, "10.1.99.1")


def test_the_virtual_next_hops_of_a_router_are_left_alone(kernel: Kernel, node: Node) -> None:
    router = Attachment("uid-r", "kubeslice-system", "router", "router", (IPv4Address("10.1.16.4"),))
    pod = node.attach(router)
    kernel.ip(pod, "address add 10.1.16.2/32 dev ks0", "address add 10.1.16.99/32 dev ks0")
    assert wiring.attach(router, node.segment, node.bridge, pod), "an address of nobody goes"
    held = {str(record.address) for record in observation.endpoint(pod) if isinstance(record, Address)}
    assert held >= {"10.1.16.2/32", "10.1.16.4/20"}
    assert "10.1.16.99/32" not in held
    assert not wiring.attach(router, node.segment, node.bridge, pod)
