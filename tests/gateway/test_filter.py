"""What a gateway lets through, by the table that the kernel gets: nft's own opinion of it."""

from ipaddress import IPv4Network

import pytest

from kubeslice.linux import nftables
from kubeslice.linux.commands import run
from kubeslice.linux.netns import Namespace
from kubeslice.plan.address.ipam import ClusterPlan
from kubeslice.plan.datapath import filters
from kubeslice.plan.datapath.firewall import Table
from kubeslice.plan.datapath.segment import Segment
from tests.kernel import Kernel

pytestmark = pytest.mark.kernel
OWN, EAST, WEST = (IPv4Network(f"10.1.{16 * number}.0/20") for number in range(3))
SEGMENT = Segment("red", 4097, 1420, IPv4Network("10.1.0.0/16"), ClusterPlan(OWN), 2, ())


def table(*tunnels: str, is_carrier: bool = False, is_leaving: bool = False) -> Table:
    pairs = [(EAST, WEST), (WEST, EAST)] if is_carrier else []
    return filters.gateway(SEGMENT, tunnels, pairs, is_leaving=is_leaving)


def test_the_kernel_takes_it_and_shows_it_back(kernel: Kernel) -> None:
    inside = kernel.namespace()
    for wanted in (table(), table("wg0", "wg1", is_carrier=True), table("wg1", is_leaving=True)):
        assert nftables.ensure(wanted, inside)
        assert not nftables.ensure(wanted, inside)
    assert "udp dport 4784 drop" in run(["nft", "list", "table", "inet", "kubeslice"], namespace=inside)


def test_another_generation_or_pair_is_a_change_of_elements_and_not_of_rules(kernel: Kernel) -> None:
    inside = kernel.namespace()
    nftables.ensure(table("wg1"), inside)
    before = rules(inside)
    assert nftables.ensure(table("wg0", "wg1", is_carrier=True), inside)
    assert rules(inside) == before
    seen = nftables.read("inet", inside)
    assert seen is not None
    assert seen.elements["tunnels"] == {("wg0",), ("wg1",)}
    assert seen.elements["carried"] == {("10.1.16.0", "10.1.32.0"), ("10.1.32.0", "10.1.16.0")}


def rules(inside: Namespace) -> list[str]:
    """Return the rules with the handles by which the kernel tells them from later ones."""
    listed = run(["nft", "-a", "list", "table", "inet", "kubeslice"], namespace=inside)
    return [line for line in listed.splitlines() if "comment" in line]
