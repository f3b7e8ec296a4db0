"""A slice whose subnet grows while it runs: what each part of the data path changes, and that it needs no restart."""

from ipaddress import IPv4Address, IPv4Network
from typing import Any

from kubeslice.model.slice import Slice
from kubeslice.model.workersliceconfig import WorkerSliceConfig
from kubeslice.plan.cluster import worker_slice
from kubeslice.plan.cluster.worker_slice import Terrain
from kubeslice.plan.datapath import attachment, filters
from kubeslice.plan.datapath.attachment import Attachment
from kubeslice.plan.datapath.network import Link, Put, Remove, Route, difference
from kubeslice.plan.datapath.segment import Segment, parse
from kubeslice.plan.routing import bird, routes, vrrp
from kubeslice.plan.tunnels import peers

Object = dict[str, Any]
BEFORE, AFTER = "10.8.0.0/16", "10.8.0.0/13"
LAND = Terrain("worker-2", frozenset({"n1", "n2"}), frozenset(), (1500,), {"n1": 9}, frozenset({4097}))


def segment(subnet: str) -> Segment:
    spec = {"vni": 4098, "mtu": 1420, "sliceSubnet": subnet, "clusterSubnet": "10.8.1.0/24", "gatewayReplicas": 2}
    found = parse({"metadata": {"name": "red"}, "spec": spec}, "n1")
    assert found is not None
    return found


def gateway(cluster: str, subnet: str) -> Object:
    spec = {"remoteCluster": cluster, "remoteSubnet": subnet, "planes": [{"plane": 0}, {"plane": 1}]}
    return {"metadata": {"name": f"red-worker-2-{cluster}"}, "spec": spec}


def configuration(subnet: str, *gateways: Object) -> list[str]:
    own = segment(subnet)
    return bird.configuration(own, bird.sessions(own, gateways, 0), 0).splitlines()


def test_the_operator_changes_the_subnet_of_the_slice_and_nothing_else() -> None:
    before, after = (
        WorkerSliceConfig.parse(
            {"metadata": {}, "spec": {"sliceName": "red", "sliceSubnet": subnet, "clusterSubnetCIDR": "10.8.1.0/24"}}
        )
        for subnet in (BEFORE, AFTER)
    )
    first = worker_slice.spec(worker_slice.wish_of_config(before), ["shop"], LAND, None)
    seen = Slice.parse({"metadata": {"name": "red"}, "spec": first.wire()})
    second = worker_slice.spec(worker_slice.wish_of_config(after), ["shop"], LAND, seen.spec)
    assert second.wire() == {**first.wire(), "sliceSubnet": AFTER}


def test_a_pod_gets_the_wider_route_before_it_loses_the_other() -> None:
    pod = Attachment("uid", "shop", "web", "app", (IPv4Address("10.8.1.64"),))
    first, second = (attachment.pod_records(pod, segment(subnet)) for subnet in (BEFORE, AFTER))
    old, new = (Route(IPv4Network(subnet), "ks0", IPv4Address("10.8.1.1"), 1420) for subnet in (BEFORE, AFTER))
    assert difference(first, second) == (Put(new), Remove(old))
    assert attachment.port_records(pod, segment(BEFORE)) == attachment.port_records(pod, segment(AFTER))


def test_a_gateway_guards_the_wider_subnet_before_it_lets_the_other_go() -> None:
    tunnel = Link("wg0", "wireguard", 1420)
    first, second = (routes.gateway(segment(subnet), 0, [tunnel], [], is_carrier=False) for subnet in (BEFORE, AFTER))
    assert difference(first, second) == (Put(Route(IPv4Network(AFTER))), Remove(Route(IPv4Network(BEFORE))))


def test_a_new_cluster_beyond_the_old_subnet_is_obeyed_once_the_slice_has_grown() -> None:
    near, far = gateway("near", "10.8.0.0/24"), gateway("far", "10.9.3.0/24")
    assert [side.remote for side in peers.sides([near, far], segment(BEFORE))] == ["near"]
    assert [side.remote for side in peers.sides([near, far], segment(AFTER))] == ["far", "near"]


def test_running_sessions_of_a_router_stay_as_they_are() -> None:
    near, far = gateway("near", "10.8.0.0/24"), gateway("far", "10.12.0.0/24")
    old, new = configuration(BEFORE, near, far), configuration(AFTER, near)
    changed = [(one.strip(), other.strip()) for one, other in zip(old, new, strict=True) if one != other]
    assert changed == [
        (f"route {BEFORE} unreachable;", f"route {AFTER} unreachable;"),
        (
            f"import where net ~ [{BEFORE}+] && net != 10.8.1.0/24;",
            f"import where net ~ [{AFTER}+] && net != 10.8.1.0/24;",
        ),
    ]
    grown = "\n".join(configuration(AFTER, near, far))
    # Part 1024 is beyond the private numbers of two bytes; all parts before keep theirs.
    assert "neighbor 10.12.0.4 as 4200001024;" in grown
    assert "neighbor 10.8.0.4 as 64512;" in grown
    assert "as 64513;" in grown


def test_filters_let_the_wider_subnet_through_and_next_hops_stay() -> None:
    one, other = (filters.router(segment(subnet).subnet, [], IPv4Address("10.8.1.12")) for subnet in (BEFORE, AFTER))
    assert one != other
    assert "'len': 13" in str(other)
    assert vrrp.configuration(segment(BEFORE), 0) == vrrp.configuration(segment(AFTER), 0)
