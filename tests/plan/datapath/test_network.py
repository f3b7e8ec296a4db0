"""Laws of `difference`, against a model of what the kernel does with each change."""

from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.datapath.network import (
    BROADCAST,
    Address,
    BridgePort,
    Change,
    ForwardingEntry,
    Link,
    Network,
    Put,
    Record,
    Remove,
    Route,
    difference,
)

DEVICES = ("a", "b", "c")
devices = st.sampled_from(DEVICES)
links = st.builds(
    Link,
    name=devices,
    kind=st.sampled_from(["veth", "vxlan"]),
    mtu=st.sampled_from([1400, 1500]),
    mac=st.sampled_from(["02:00:00:00:00:01", "02:00:00:00:00:02"]),
    alias=st.sampled_from(["", "x"]),
    is_up=st.booleans(),
    details=st.sampled_from([(), (("id", "1"),), (("id", "2"),)]),
)
hosts = st.integers(1, 3).map(lambda number: IPv4Address(f"10.0.0.{number}"))
on_devices = st.one_of(
    st.builds(BridgePort, devices, st.booleans(), st.booleans()),
    st.builds(Address, devices, st.sampled_from([IPv4Interface("10.0.0.1/24"), IPv4Interface("10.0.0.2/24")])),
    st.builds(
        Route, st.just(IPv4Network("10.1.0.0/16")), devices, hosts, st.sampled_from([0, 1400]), st.sampled_from([0, 75])
    ),
    st.builds(ForwardingEntry, devices, st.sampled_from([BROADCAST, "02:00:00:00:00:09"]), hosts),
    st.builds(ForwardingEntry, devices, st.sampled_from(["02:00:00:00:00:08", "02:00:00:00:00:09"])),
)


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Any state a kernel can be in: one record per key, and nothing on a device that is not there."""
    found = {link.key: link for link in draw(st.lists(links, max_size=3))}
    names = {link.name for link in found.values()}
    records = {record.key: record for record in draw(st.lists(on_devices, max_size=8)) if record.device in names}
    return frozenset([*found.values(), *records.values()])


def carry_out(seen: Network, changes: tuple[Change, ...]) -> Network:
    """Do what the kernel does: refuse what cannot be, and take everything on a device away with it."""
    state: dict[tuple[object, ...], Record] = {record.key: record for record in seen}
    for change in changes:
        if isinstance(change, Put):
            has_device = isinstance(change.record, Link) or ("link", change.record.device) in state
            assert has_device, f"{change.record} has no device"
            assert state.get(change.record.key) == change.old
            state[change.record.key] = change.record
        else:
            assert change.record.key in state, f"{change.record} is not there"
            del state[change.record.key]
            if isinstance(change.record, Link):
                state = {key: record for key, record in state.items() if record.device != change.record.name}
    return frozenset(state.values())


@given(networks(), networks())
def test_the_difference_leads_to_what_is_wanted(seen: Network, wanted: Network) -> None:
    assert carry_out(seen, difference(seen, wanted)) == wanted


@given(networks())
def test_nothing_is_left_to_do_after_it_was_done(wanted: Network) -> None:
    assert difference(wanted, wanted) == ()


@given(networks(), networks())
def test_a_change_that_is_reverted_leaves_the_identical_state(before: Network, after: Network) -> None:
    there = carry_out(before, difference(before, after))
    assert carry_out(there, difference(there, before)) == before


@given(networks(), networks(), st.randoms(use_true_random=False))
def test_the_order_of_records_does_not_matter(seen: Network, wanted: Network, random: object) -> None:
    shuffled_seen, shuffled_wanted = list(seen), list(wanted)
    random.shuffle(shuffled_seen)  # type: ignore[attr-defined]
    random.shuffle(shuffled_wanted)  # type: ignore[attr-defined]
    assert difference(shuffled_seen, shuffled_wanted) == difference(seen, wanted)


@given(networks(), networks())
def test_additions_come_before_removals_unless_a_device_is_reborn(seen: Network, wanted: Network) -> None:
    changes = difference(seen, wanted)
    reborn = {link.key for link in wanted if isinstance(link, Link)}
    removals = [isinstance(change, Remove) and change.record.key not in reborn for change in changes]
    assert removals == sorted(removals)


def test_a_route_with_another_gateway_is_one_replacement() -> None:
    link = Link("a", "veth", 1500)
    old = Route(IPv4Network("10.1.0.0/16"), "a", IPv4Address("10.0.0.1"))
    new = Route(IPv4Network("10.1.0.0/16"), "a", IPv4Address("10.0.0.2"))
    assert difference([link, old], [link, new]) == (Put(new, old),)


def test_a_link_wanted_without_an_address_keeps_its_own() -> None:
    seen = Link("a", "veth", 1500, mac="02:00:00:00:00:01")
    assert difference([seen], [Link("a", "veth", 1500)]) == ()


def test_a_bridge_comes_before_its_ports() -> None:
    port, bridge = Link("a", "veth", 1500, master="br0"), Link("br0", "bridge", 1500)
    assert difference([], [port, bridge]) == (Put(bridge), Put(port))
