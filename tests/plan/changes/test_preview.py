"""What changed objects mean in the clusters: parts that come, go and change, and the traffic that this interrupts."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from kubeslice.model import names
from kubeslice.plan.changes import footprint, interruptions
from kubeslice.plan.changes.footprint import Spot
from kubeslice.plan.changes.preview import World, affected, preview
from kubeslice.plan.changes.removal import Doomed, removed
from kubeslice.plan.hub.slices import slice_labels
from kubeslice.plan.tenants.tenancy import Member, default_qos

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLUSTERS: dict[str, Any] = {
    name: {"metadata": {"name": name, "namespace": "kubeslice-shop"}, "spec": {}} for name in "abc"
}


def slice_config(name: str, *clusters: str, created: str = "2025", **spec: Any) -> Any:
    metadata = {"name": name, "namespace": "kubeslice-shop", "creationTimestamp": created}
    wanted = {"sliceSubnet": "10.1.0.0/16", "maxClusters": 4, "clusters": list(clusters), **spec}
    return {"metadata": metadata, "spec": wanted}


def joined(*names: str) -> Any:
    return {
        "namespaceIsolationProfile": {"applicationNamespaces": [{"namespace": n, "clusters": ["*"]} for n in names]}
    }


def world(*slices: Any, **more: Any) -> World:
    found = {obj["metadata"]["name"]: obj for obj in slices}
    return World("shop", CLUSTERS, found, {"default": default_qos("shop")}, **more)


def parts(of: World) -> dict[Spot, str]:
    return footprint.footprint(preview(of, NOW).made)


def built(before: World) -> World:
    """Return the world after the hub has made what is wanted in it."""
    made = preview(before, NOW).made
    return replace(before, configs=list(made.configs), views=list(made.views), imports=list(made.imports))


def told(before: World, after: World, pods: int = 1) -> dict[tuple[str, ...], str]:
    """Return the interruptions by difference."""
    old, new = parts(before), parts(after)
    running = {(spot.slice, spot.cluster): pods for spot in old if spot.what == footprint.MEMBER}
    return {
        (found.action, *found.spot): interruptions.interruption(found, new, running, interruptions.homes(new))
        for found in footprint.differences(old, new)
    }


def test_a_new_slice_is_told_part_by_part() -> None:
    found = parts(world(slice_config("red", "a", "b", **joined("till"))))
    assert found[Spot("a", "red", "member")] == "10.1.0.0/18 of 10.1.0.0/16"
    assert found[Spot("b", "red", "gateways")] == "2 x Wireguard, NodePort UDP"
    assert found[Spot("a", "red", "tunnels", "b")] == "to 10.1.64.0/18 as Server, NodePort UDP"
    assert found[Spot("b", "red", "namespace", "till")] == "joins"
    assert found[Spot("b", "red", "policy", "bandwidth")].startswith("1000000 to 10000000 kbit/s")
    assert found[Spot("c", "", "registration")] == "namespace kubeslice-shop-c"
    assert told(world(slice_config("red", "a", "b")), world(slice_config("red", "a", "b"))) == {}


def test_nothing_differs_from_what_the_hub_has_made() -> None:
    made = built(world(slice_config("red", "a", "b", "c", **joined("till"))))
    assert footprint.footprint(preview(made, NOW).made) == footprint.footprint(
        replace(made.made, registrations=preview(made, NOW).made.registrations)
    )


def test_addresses_stay_when_members_come_and_go() -> None:
    before = built(world(slice_config("red", "a", "b", "c")))
    after = replace(before, slices={"red": slice_config("red", "c", "b")})
    assert parts(after)[Spot("c", "red", "member")] == parts(before)[Spot("c", "red", "member")]


def test_who_leaves_loses_everything_and_the_others_their_flows_with_it() -> None:
    before = built(world(slice_config("red", "a", "b", "c", **joined("till"))))
    lost = told(before, replace(before, slices={"red": slice_config("red", "a", "b", **joined("till"))}))
    assert lost["remove", "c", "red", "member", ""] == "everything on the slice here, for 1 of its pods"
    assert lost["remove", "a", "red", "tunnels", "c"] == "flows with c"
    assert lost["remove", "c", "red", "tunnels", "a"] == lost["remove", "c", "red", "namespace", "till"] == ""


def test_spokes_reach_each_other_through_the_hub() -> None:
    before = built(world(slice_config("red", "a", "b", "c")))
    spokes = slice_config("red", "a", "b", "c", topology={"mode": "HubAndSpoke", "hubs": ["a"]})
    moved = told(before, replace(before, slices={"red": spokes}))
    assert moved["remove", "b", "red", "tunnels", "c"] == "flows with c move to the way through a"
    assert moved["create", "b", "red", "route", "10.1.128.0/18"] == ""
    apart = slice_config("red", "a", "b", "c", topology={"mode": "Restricted", "pairs": [{"clusters": ["a", "b"]}]})
    assert told(before, replace(before, slices={"red": apart}))["remove", "b", "red", "tunnels", "c"] == "flows with c"


def test_who_was_reached_through_another_is_not_any_more_or_only_in_a_moment() -> None:
    spokes = {"mode": "HubAndSpoke", "hubs": ["a"]}
    before = built(world(slice_config("red", "a", "b", "c", topology=spokes)))
    spot = ("remove", "b", "red", "route", "10.1.128.0/18")
    direct = {"red": slice_config("red", "a", "b", "c")}
    assert told(before, replace(before, slices=direct))[spot] == "flows with c, until its own tunnels are up"
    apart = {"red": slice_config("red", "a", "b", "c", topology={**spokes, "spokeToSpoke": False})}
    assert told(before, replace(before, slices=apart))[spot] == "flows with c"
    left = {"red": slice_config("red", "a", "b", topology=spokes)}
    assert told(before, replace(before, slices=left))[spot] == "flows with 10.1.128.0/18"


def test_gateways_that_change_leave_a_gap_only_when_they_are_alone() -> None:
    balanced: Any = {"sliceGatewayProvider": {"sliceGatewayServiceType": [{"cluster": "*", "type": "LoadBalancer"}]}}
    for planes, words in ((1, "there is one plane only"), (2, "")):
        before = built(world(slice_config("red", "a", "b", gatewayReplicas=planes)))
        after = replace(before, slices={"red": slice_config("red", "a", "b", gatewayReplicas=planes, **balanced)})
        assert words in told(before, after)["change", "a", "red", "gateways", ""]
        assert not told(before, after, pods=0)["change", "a", "red", "gateways", ""]


def test_planes_come_and_go_unnoticed_but_what_is_left_alone_is_not_exposed_anew_unnoticed() -> None:
    balanced: Any = {"sliceGatewayProvider": {"sliceGatewayServiceType": [{"cluster": "*", "type": "LoadBalancer"}]}}
    for was, planes, more, is_noticed in (
        (2, 1, {}, False), (1, 2, {}, False), (3, 2, {}, False), (2, 1, balanced, True), (1, 2, balanced, False)
    ):  # fmt: skip
        before = built(world(slice_config("red", "a", "b", gatewayReplicas=was)))
        after = replace(before, slices={"red": slice_config("red", "a", "b", gatewayReplicas=planes, **more)})
        assert bool(told(before, after)["change", "a", "red", "gateways", ""]) is is_noticed


def test_an_evicted_cluster_is_out_at_once() -> None:
    before = built(world(slice_config("red", "a", "b")))
    shut_out = {**CLUSTERS, "b": {**CLUSTERS["b"], "spec": {"evicted": True}}}
    lost = told(before, replace(before, clusters=shut_out))
    assert lost["change", "b", "", "registration", ""] == "every slice here, at once"
    assert ("remove", "b", "red", "member", "") in lost


def test_names_follow_the_members() -> None:
    spec = {"serviceName": "web", "serviceNamespace": "till", "sourceCluster": "a", "sliceName": "red"}
    exported = [("a", {"metadata": {"name": "web-till-a"}, "spec": spec})]
    before = built(world(slice_config("red", "a", "b"), exports=exported))
    spot = Spot("b", "red", "name", names.service_dns("web", "till"))
    assert parts(before)[spot] == "from a"
    lost = told(before, replace(before, exports=[]))
    assert lost["remove", *spot] == "nobody here finds it any more"


def test_a_refused_slice_stays_as_it_is_and_the_elder_wins() -> None:
    before = built(world(slice_config("red", "a", "b", **joined("till"))))
    bad = slice_config("red", "a", "nowhere", **joined("till"))
    young = slice_config("young", "a", created="2026", **joined("till"))
    seen = preview(replace(before, slices={"red": bad, "young": young}), NOW)
    assert str(seen.refusals["SliceConfig", "red"][0]).startswith("spec.clusters: there is no Cluster")
    assert "it belongs to slice red" in str(seen.refusals["SliceConfig", "young"][0])
    assert Spot("b", "red", "member") in footprint.footprint(seen.made)


def test_what_is_on_its_way_out_is_gone() -> None:
    config = {
        "metadata": {"labels": slice_labels(Member("shop", "a"), "red"), "deletionTimestamp": "2026"},
        "spec": {"sliceName": "red"},
    }
    assert footprint.footprint(World("shop", configs=[config]).made) == {}


def test_a_dynamic_slice_gives_the_first_free_part() -> None:
    dynamic = slice_config("red", "a", "b", sliceSubnet="10.0.0.0/8", sliceIpamType="Dynamic")
    assert parts(world(dynamic))[Spot("b", "red", "member")].startswith("10.0.1.0/24")


def quota(name: str, **spec: Any) -> Any:
    return {"metadata": {"name": name, "namespace": "kubeslice-shop"}, "spec": spec}


def test_limits_are_told_for_each_cluster_and_namespace_and_broken_ones_stay_as_they_were() -> None:
    before = built(world(slice_config("red", "a", "b", **joined("till"))))
    most = {"sliceQuota": {"pods": 7, "exportedServices": 2, "bandwidthCeilingKbps": 5000}}
    after = replace(before, quotas={"red": quota("red", **most)})
    found = told(before, after)
    assert set(found.values()) == {""}
    assert parts(after)[Spot("a", "red", "limits")] == "exportedServices 1, kbit/s 5000"
    assert parts(after)[Spot("a", "red", "limits", "till")] == "pods 4"
    assert parts(after)[Spot("b", "red", "limits", "till")] == "pods 3"
    assert parts(after)[Spot("b", "red", "policy", "bandwidth")].startswith("5000 to 5000 kbit/s")
    assert affected(before, after) == ["red"]
    broken = replace(built(after), quotas={"red": quota("red", **most, clusterQuota=[{"cluster": "x", "pods": 1}])})
    seen = preview(broken, NOW)
    assert "x is no member of slice red" in str(seen.refusals["SliceResourceQuota", "red"][0])
    assert footprint.footprint(seen.made) == parts(after)


def test_isolation_is_told_with_what_it_cuts() -> None:
    before = world(slice_config("red", "a", **joined("till")))
    asked = {"namespaceIsolationProfile": joined("till")["namespaceIsolationProfile"] | {"isolationEnabled": True}}
    after = world(slice_config("red", "a", **asked))
    assert parts(after)[Spot("a", "red", "policy", "isolation")] == "a NetworkPolicy in each of its namespaces"
    cut = "what its namespaces exchange with others through the cluster's own network"
    for pods in (0, 1):
        assert told(before, after, pods) == {("create", "a", "red", "policy", "isolation"): cut}
    assert told(after, before) == {("remove", "a", "red", "policy", "isolation"): ""}


def test_a_deletion_takes_every_part_away_and_is_told_what_is_in_its_way() -> None:
    spec = {"serviceName": "web", "serviceNamespace": "till", "sourceCluster": "a", "sliceName": "red"}
    exported = [("a", {"metadata": {"name": "web-till-a"}, "spec": spec})]
    red = slice_config("red", "a", "b", standardQosProfileName="gold", **joined("till"))
    before = built(replace(world(red, exports=exported), profiles={"gold": default_qos("shop")}))
    everything = Doomed(frozenset("a"), frozenset({"red"}), frozenset({"gold"}))
    after, in_the_way = removed(before, everything)
    assert affected(before, after) == ["red"]
    assert {found.action for found in footprint.differences(parts(before), parts(after))} == {"remove"}
    assert not [spot for spot in parts(after) if spot.slice or spot.cluster == "a"]
    assert told(before, after)["remove", "b", "red", "member", ""] == "everything on the slice here, for 1 of its pods"
    assert [word in sentence for word, sentence in zip(("till", "web.till (a)"), in_the_way, strict=True)] == [True] * 2
    shut_out = replace(before, clusters={**CLUSTERS, "a": {**CLUSTERS["a"], "spec": {"evicted": True}}})
    assert len(removed(shut_out, everything)[1]) == 1, "nobody there could take it back"


def test_what_a_slice_needs_does_not_go_before_it() -> None:
    before = built(replace(world(slice_config("red", "a", "b", standardQosProfileName="default"))))
    after, in_the_way = removed(before, Doomed(frozenset("ac"), profiles=frozenset({"default"})))
    assert [words.partition(": ")[0] for words in in_the_way] == ["SliceQoSConfig default", "Cluster a"]
    assert told(before, after) == {("remove", "c", "", "registration", ""): ""}
    rest = f"{before.project}-default-slice"
    collected = replace(before, slices={rest: slice_config(rest, "a", "b", overlayNetworkDeploymentMode="no-network")})
    after, in_the_way = removed(collected, Doomed(frozenset("a")))
    assert (in_the_way, after.slices[rest]["spec"]["clusters"]) == ([], ["b"])


def test_gateways_behind_a_balancer_stay_there() -> None:
    balanced: Any = {"sliceGatewayProvider": {"sliceGatewayServiceType": [{"cluster": "a", "type": "LoadBalancer"}]}}
    before = built(world(slice_config("red", "a", "b", **balanced)))
    seen = preview(replace(before, slices={"red": slice_config("red", "a", "b")}), NOW)
    assert "a cannot go back from LoadBalancer to NodePort" in str(seen.refusals["SliceConfig", "red"][0])
    alone = preview(replace(before, slices={"red": slice_config("red", "b")}), NOW)
    assert ("SliceConfig", "red") not in alone.refusals


def test_only_what_can_differ_is_looked_at() -> None:
    gold = slice_config("gold", "c", created="2026", standardQosProfileName="best", **joined("till"))
    before = world(slice_config("red", "a", "b", **joined("till")), gold)
    before = replace(before, profiles={**before.profiles, "best": default_qos("shop")})
    assert affected(before, before) == []
    evicted = {**CLUSTERS, "c": {**CLUSTERS["c"], "spec": {"evicted": True}}}
    assert affected(before, replace(before, clusters=evicted)) == ["gold"]
    assert affected(before, replace(before, profiles={"default": default_qos("shop")})) == ["gold"]
    wider = slice_config("red", "a", "b", "c", **joined("till"))
    assert affected(before, replace(before, slices={**before.slices, "red": wider})) == ["gold", "red"]
