"""Which pods belong on which slice, with which addresses."""

from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

import pytest

from kubeslice.model import names
from kubeslice.model.errors import Terminal
from kubeslice.plan import pods
from kubeslice.plan.datapath import attachment as attachments
from kubeslice.plan.datapath.network import Address, Route
from kubeslice.plan.datapath.segment import Segment, parse

Object = dict[str, Any]
ON_RED: Object = {"metadata": {"name": "shop", "labels": {names.SLICE_LABEL: "red"}}}
OURS: Object = {"metadata": {"name": names.WORKER_NAMESPACE}}


def pod(namespace: str = "shop", labels: dict[str, str] | None = None, phase: str = "Running", **spec: Any) -> Object:
    meta = {"name": "web", "namespace": namespace, "uid": "u-1", "labels": labels or {}}
    return {"metadata": meta, "spec": spec, "status": {"phase": phase}}


def red(planes: int = 2) -> Segment:
    spec = {"vni": 4097, "mtu": 1420, "sliceSubnet": "10.1.0.0/16", "clusterSubnet": "10.1.16.0/20"}
    blocks = [{"node": "n1", "cidrs": ["10.1.16.64/26"]}, {"node": "n2", "cidrs": ["10.1.16.128/26"]}]
    found = parse(
        {"metadata": {"name": "red"}, "spec": {**spec, "gatewayReplicas": planes, "nodeBlocks": blocks}}, "n1"
    )
    assert found is not None
    return found


HOP = {names.SLICE_LABEL: "red", names.POD_TYPE_LABEL: names.ROUTER_POD, names.ROUTER_LABEL: "1"}
GATEWAY = {names.SLICE_LABEL: "red", names.POD_TYPE_LABEL: names.GATEWAY_POD, names.PLANE_LABEL: "1"}


@pytest.mark.parametrize(
    ("which", "namespace", "slice_name"),
    [
        (pod(), ON_RED, "red"),
        (pod(), None, ""),
        (pod(), {"metadata": {"name": "shop"}}, ""),
        (pod(hostNetwork=True), ON_RED, ""),
        (pod(phase="Succeeded"), ON_RED, ""),
        (pod(phase="Failed"), ON_RED, ""),
        (pod(phase="Pending"), ON_RED, "red"),
        (pod(labels={names.EXCLUDE_LABEL: "true"}), ON_RED, ""),
        (pod(labels={names.SLICE_LABEL: "blue"}), ON_RED, "red"),
        (pod(labels=HOP), None, ""),
        (pod(names.WORKER_NAMESPACE, HOP), OURS, "red"),
        (pod(names.WORKER_NAMESPACE, {names.SLICE_LABEL: "red"}), OURS, ""),
        (pod(names.WORKER_NAMESPACE), ON_RED, ""),
    ],
)
def test_a_pod_belongs_where_its_namespace_says(which: Object, namespace: Object | None, slice_name: str) -> None:
    assert attachments.slice_for(which, namespace) == slice_name


def test_a_pod_outside_our_namespace_is_never_a_router() -> None:
    assert attachments.role_of(pod(labels=HOP)) == names.APP_POD
    assert attachments.fixed_addresses(pod(labels=HOP), red()) == ()


def test_routers_and_gateways_have_fixed_addresses() -> None:
    router = attachments.fixed_addresses(pod(names.WORKER_NAMESPACE, HOP), red())
    assert [str(address) for address in router] == ["10.1.16.12", "10.1.16.13"]
    assert attachments.fixed_addresses(pod(names.WORKER_NAMESPACE, GATEWAY), red()) == (IPv4Address("10.1.16.9"),)


def test_only_applications_get_a_route_and_only_hops_forward() -> None:
    app = attachments.attach(pod(), (IPv4Address("10.1.16.65"),))
    hop = attachments.attach(pod(names.WORKER_NAMESPACE, HOP), (IPv4Address("10.1.16.4"), IPv4Address("10.1.16.5")))
    route = Route(IPv4Network("10.1.0.0/16"), "ks0", IPv4Address("10.1.16.2"), 1420)
    assert route in attachments.pod_records(app, red())
    assert not any(isinstance(record, Route) for record in attachments.pod_records(hop, red()))
    assert "ipv4/ip_forward" in attachments.sysctls(hop)
    assert "ipv4/ip_forward" not in attachments.sysctls(app)
    assert (app.sender.is_router, hop.sender.is_router) == (False, True)


def test_virtual_next_hops_come_and_go_without_us() -> None:
    hop = attachments.attach(pod(names.WORKER_NAMESPACE, HOP), (IPv4Address("10.1.16.12"),))
    ours = attachments.pod_records(hop, red())
    seen = [*ours, *(Address("ks0", IPv4Interface(f"10.1.16.{last}/32")) for last in (1, 2))]
    stray = Address("ks0", IPv4Interface("10.1.16.3/32"))
    assert attachments.managed(seen, red()) == set(ours)
    assert attachments.managed([*seen, stray], red()) == {*ours, stray}


def test_a_port_tells_its_pod_and_address_to_who_reads_its_alias() -> None:
    alias = names.port_alias("shop", "web", "u-1", "10.1.16.65")
    assert attachments.owner(alias) == ("u-1", IPv4Address("10.1.16.65"))
    for foreign in ("", "kubeslice:x", "other:shop/web:u-1:10.1.16.65", "kubeslice:shop/web:u-1:nonsense"):
        assert attachments.owner(foreign) is None


def test_what_is_written_on_the_pod_is_what_the_operator_reads() -> None:
    said = attachments.metadata(attachments.attach(pod(), (IPv4Address("10.1.16.65"),)), "red")
    written = {"metadata": {**pod()["metadata"], **said}}
    assert pods.overlay_address(written, "red") == "10.1.16.65"
    assert pods.overlay_address(written, "blue") == ""
    assert pods.slice_of(written) == "red"


def test_a_slice_without_addresses_is_waited_for_and_nonsense_is_refused() -> None:
    assert parse({"metadata": {"name": "red"}, "spec": {"sliceSubnet": "10.1.0.0/16"}}, "n1") is None
    spec = {"vni": 4097, "mtu": 1420, "sliceSubnet": "10.1.0.1/16", "clusterSubnet": "10.1.16.0/20"}
    with pytest.raises(Terminal, match="malformed subnet"):
        parse({"metadata": {"name": "red"}, "spec": spec}, "n1")


def test_a_segment_knows_the_blocks_of_its_own_node() -> None:
    assert red().blocks == (IPv4Network("10.1.16.64/26"),)


NOW = datetime(2030, 1, 1, tzinfo=UTC)


def hop(
    uid: str, created: str = "00:00", *, leaves: str = "", ended: bool = False, labels: dict[str, str] = HOP
) -> Object:
    made = pod(names.WORKER_NAMESPACE, labels, "Failed" if ended else "Running")
    times = {"creationTimestamp": f"2029-12-31T23:{created}Z"}
    times |= {"deletionTimestamp": leaves} if leaves else {}
    return {**made, "metadata": {**made["metadata"], "uid": uid, "name": uid, **times}}


GOING = "2030-01-01T00:00:03Z"


@pytest.mark.parametrize(
    ("other", "is_waited_for"),
    [
        (hop("old", leaves=GOING), True),
        (hop("old"), True),
        (hop("old", "59:59"), False),
        (hop("old", "59:59", leaves=GOING), True),
        (hop("old", leaves="2029-12-31T23:59:59Z"), False),
        (hop("old", leaves=GOING, ended=True), False),
        (hop("old", leaves=GOING, labels=HOP | {names.ROUTER_LABEL: "0"}), False),
        (hop("old", leaves=GOING, labels=HOP | {names.SLICE_LABEL: "blue"}), False),
        (hop("new", leaves=GOING), False),
    ],
)
def test_a_successor_waits_until_the_addresses_are_free(other: Object, *, is_waited_for: bool) -> None:
    new = hop("new", "30:00")
    assert attachments.predecessor(new, [other, new], red(), NOW) == ("old" if is_waited_for else "")


def test_applications_wait_for_nobody() -> None:
    assert attachments.predecessor(pod(), [hop("old", leaves=GOING)], red(), NOW) == ""
