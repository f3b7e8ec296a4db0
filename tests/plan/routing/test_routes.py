"""What a gateway's namespace holds beside its tunnel devices."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

import pytest

from kubeslice.plan.address.ipam import ClusterPlan
from kubeslice.plan.datapath.network import Address, Link, Record, Route, Rule, difference
from kubeslice.plan.datapath.segment import Segment
from kubeslice.plan.routing import routes
from kubeslice.plan.routing.routes import Way

SLICE, OWN = IPv4Network("10.1.0.0/16"), ClusterPlan(IPv4Network("10.1.0.0/20"))
EAST, WEST = IPv4Network("10.1.16.0/20"), IPv4Network("10.1.32.0/20")
SEGMENT = Segment("red", 4097, 1420, SLICE, OWN, 2, ())
OLD, NEW = (Link(name, "tun", 1500, is_up=False) for name in ("wg1", "wg0"))


def gateway(*ways: Way, plane: int = 0, is_carrier: bool = False) -> frozenset[Record]:
    return routes.gateway(SEGMENT, plane, [OLD, NEW], ways, is_carrier=is_carrier)


def test_every_tunnel_has_the_gateways_address_and_what_nobody_leads_to_is_unreachable() -> None:
    own = IPv4Interface("10.1.0.9/32")
    assert gateway(Way(EAST, "wg0"), Way(WEST, "wg1", 1300), plane=1) == {
        Link("wg1", "tun", 1420),
        Link("wg0", "tun", 1420),
        Address("wg1", own),
        Address("wg0", own),
        Route(SLICE),
        Route(EAST, "wg0"),
        Route(WEST, "wg1", mtu=1300),
    }


def test_to_change_over_is_one_replaced_route() -> None:
    before, after = gateway(Way(EAST, "wg1")), gateway(Way(EAST, "wg0"))
    (change,) = difference(before, after)
    assert (change.record, getattr(change, "old", None)) == (Route(EAST, "wg0"), Route(EAST, "wg1"))


@pytest.mark.parametrize(("plane", "next_hop"), [(0, "10.1.0.1"), (1, "10.1.0.2"), (2, "10.1.0.1")])
def test_what_a_carrier_gets_from_a_tunnel_goes_to_a_router_unless_it_is_for_its_own_pods(
    plane: int, next_hop: str
) -> None:
    added = gateway(plane=plane, is_carrier=True) - gateway(plane=plane)
    assert added == {
        Rule("wg1", 75),
        Rule("wg0", 75),
        Route(OWN.subnet, "ks0", table=75),
        Route(SLICE, "ks0", IPv4Address(next_hop), table=75),
    }
