"""The default slice has every namespace that is in no other slice, and gives way to all others."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeslice.model.cluster import Cluster
from kubeslice.model.sliceconfig import SliceConfig, SliceConfigSpec
from kubeslice.plan.hub import defaultslice, namespaces, slices

Obj = dict[str, Any]
OWN = "shop-default-slice"


def cluster(name: str, **reported: str) -> Cluster:
    lines = [{"name": namespace, "sliceName": slice_name} for namespace, slice_name in reported.items()]
    return Cluster.parse({"metadata": {"name": name}, "status": {"namespaces": lines}})


def claiming(clusters: list[str], **selected: list[str]) -> SliceConfigSpec:
    entries = [{"namespace": namespace, "clusters": where} for namespace, where in selected.items()]
    profile = {"applicationNamespaces": entries}
    return SliceConfigSpec.model_validate({"clusters": clusters, "namespaceIsolationProfile": profile})


def collected(config: Obj) -> dict[str, list[str]]:
    entries = config["spec"]["namespaceIsolationProfile"]["applicationNamespaces"]
    return {entry["namespace"]: entry["clusters"] for entry in entries}


def test_it_collects_what_no_other_slice_has() -> None:
    clusters = [cluster("b", web="", kiosk=OWN), cluster("a", web="", db="red", default="", **{"kube-system": ""})]
    config = defaultslice.wanted("shop", clusters, {"red": claiming(["a", "b"], kiosk=["a"])})
    assert config["metadata"]["name"] == OWN
    assert config["spec"]["clusters"] == ["a", "b"]
    assert collected(config) == {"kiosk": ["b"], "web": ["a", "b"]}


def test_it_has_no_network_and_makes_no_namespace() -> None:
    config = SliceConfig.parse(defaultslice.wanted("shop", [cluster("a", web="")], {}))
    seat = slices.seat(config, "a", 0)
    made = slices.worker_config("shop", config, seat, None, {"gatewayKeys": []})["spec"]
    assert (seat.subnet, made["overlayNetworkDeploymentMode"]) == ("", "no-network")
    assert not {"sliceSubnet", "clusterSubnetCIDR", "gatewayKeys"} & made.keys()
    assert made["namespaceIsolationProfile"]["onlyExisting"] is True


def test_it_grows_with_the_project() -> None:
    places = [
        defaultslice.wanted("shop", [cluster(f"c{number}") for number in range(count)], {})["spec"]["maxClusters"]
        for count in (0, 8, 9, 40)
    ]
    assert places == [8, 8, 9, 40]


def test_nobody_is_its_rival() -> None:
    assert defaultslice.are_rivals("shop", "red", "blue")
    assert not defaultslice.are_rivals("shop", "red", OWN)
    assert not defaultslice.are_rivals("shop", OWN, "red")
    assert defaultslice.are_rivals("bank", OWN, "red")


NAMES = st.sampled_from("ab")
SPACES = st.sampled_from(["web", "db", "ops", "kube-system"])
CLAIMS = st.dictionaries(SPACES, st.lists(st.sampled_from("ab*"), min_size=1, max_size=2), max_size=3)
REPORTS = st.dictionaries(NAMES, st.dictionaries(SPACES, st.sampled_from(["", OWN, "red"]), max_size=4), max_size=2)


@settings(max_examples=60)
@given(reports=REPORTS, claims=st.lists(st.tuples(st.lists(NAMES, unique=True), CLAIMS), max_size=3))
def test_every_namespace_is_in_one_slice_at_most_and_none_that_is_free_is_left_out(
    reports: dict[str, dict[str, str]], claims: list[tuple[list[str], dict[str, list[str]]]]
) -> None:
    others = {f"s{number}": claiming(members, **selected) for number, (members, selected) in enumerate(claims)}
    found = collected(defaultslice.wanted("shop", [cluster(name, **seen) for name, seen in reports.items()], others))
    taken = {
        (where, space)
        for spec in others.values()
        for space, clusters in namespaces.claims(spec).items()
        for where in clusters
    }
    free = {
        (name, space)
        for name, seen in reports.items()
        for space, holder in seen.items()
        if holder != "red" and space != "kube-system"
    }
    assert {(where, space) for space, clusters in found.items() for where in clusters} == free - taken
