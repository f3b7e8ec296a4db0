"""Bad input gets a sentence with the field, the value and the remedy; good input gets none."""

from typing import Any

import pytest

from kubeslice.model.cluster import Cluster, ClusterSpec
from kubeslice.model.errors import Terminal
from kubeslice.model.project import ProjectSpec
from kubeslice.model.qos import QosProfile
from kubeslice.model.serviceexport import ServiceExportSpec
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.plan.checks import validation
from kubeslice.plan.checks.validation import Exported
from tests.model import samples

Obj = dict[str, Any]

CLUSTERS = {name: Cluster.parse({"metadata": {"name": name}}) for name in ("a", "b", "c")}
QOS = {"priority": 1, "bandwidthCeilingKbps": 10, "bandwidthGuaranteedKbps": 5, "dscpClass": "AF11"}


def spec(**fields: Any) -> Any:
    return SliceConfigSpec.model_validate({"sliceSubnet": "10.1.0.0/16", "clusters": ["a", "b"], **fields})


def namespaces(*entries: Any, kind: str = "applicationNamespaces") -> Any:
    selections = [{"namespace": namespace, "clusters": list(clusters)} for namespace, *clusters in entries]
    return {"namespaceIsolationProfile": {kind: selections}}


def restricted(*pairs: str) -> Any:
    return {"topology": {"mode": "Restricted", "pairs": [{"clusters": list(ends)} for ends in pairs]}}


def found(problems: Any) -> Any:
    return {(problem.reason, str(problem)) for problem in problems}


def test_a_good_slice_has_no_problems() -> None:
    good = spec(**namespaces(("shop", "*"), ("till", "a")), standardQosProfileName="default")
    assert validation.slice_config(good, "red", {"blue": spec()}, CLUSTERS, ["default"]) == []
    for topology in ({"mode": "HubAndSpoke", "hubs": ["b"], "spokeToSpoke": False}, restricted("ab")["topology"]):
        assert validation.slice_config(spec(topology=topology), "red", {}, CLUSTERS) == []


@pytest.mark.parametrize(
    ("fields", "reason", "words"),
    [
        ({"clusters": ["a", "z"]}, "UnknownCluster", ["spec.clusters", "z", "register it", "a, b, c"]),
        ({"clusters": ["a", "a"]}, "DuplicateCluster", ["a is there twice"]),
        ({"clusters": ["a", "b", "c"], "maxClusters": 2}, "TooManyClusters", ["3 members", "maxClusters, 2"]),
        ({"sliceSubnet": "ten"}, "InvalidSubnet", ["spec.sliceSubnet", "'ten'", "10.1.0.0/16"]),
        ({"sliceSubnet": ""}, "InvalidSubnet", ["''", "10.1.0.0/16"]),
        ({"sliceSubnet": "10.1.2.3/16"}, "InvalidSubnet", ["10.1.2.3/16"]),
        ({"sliceSubnet": "fd00::/16"}, "InvalidSubnet", ["not an IPv4 network"]),
        ({"sliceSubnet": "10.1.0.0/20"}, "InvalidSubnet", ["/20, not a /16"]),
        ({"sliceSubnet": "8.8.0.0/16"}, "InvalidSubnet", ["not private"]),
        ({"topology": {"mode": "HubAndSpoke"}}, "NoHub", ["spec.topology.hubs", "name at least one member"]),
        ({"topology": {"mode": "HubAndSpoke", "hubs": ["c"]}}, "NotAMember", ["hubs", "c is not in spec.clusters"]),
        ({"topology": {"mode": "HubAndSpoke", "hubs": ["a", "a"]}}, "DuplicateCluster", ["a is there twice"]),
        ({"topology": {"hubs": ["a"]}}, "InvalidTopology", ["mode HubAndSpoke", "the mode is FullMesh"]),
        ({"topology": {"spokeToSpoke": False}}, "InvalidTopology", ["spec.topology.spokeToSpoke", "HubAndSpoke"]),
        ({"topology": {"pairs": [{"clusters": ["a", "b"]}]}}, "InvalidTopology", ["pairs", "mode Restricted"]),
        (restricted("ab", "ba"), "DuplicatePair", ["a and b are there twice"]),
        (restricted("bb"), "InvalidTopology", ["b is paired with itself"]),
        (restricted("ac"), "NotAMember", ["spec.topology.pairs", "c is not in spec.clusters"]),
        (namespaces(("shop",)), "NoCluster", ["namespace=shop", '"*" for all']),
        (namespaces(("shop", "*", "a")), "InvalidSpec", ['"*" stands beside']),
        (namespaces(("shop", "c")), "NotAMember", ["c is not in spec.clusters"]),
        (namespaces(("shop", "c"), kind="allowedNamespaces"), "NotAMember", ["allowedNamespaces[namespace=shop]"]),
        (namespaces(("shop", "a"), ("shop", "b")), "DuplicateNamespace", ["shop is there twice"]),
        (namespaces(("Shop", "a")), "InvalidName", ["'Shop'"]),
        (namespaces(("kube-system", "a")), "SystemNamespace", ["pods of the system"]),
        ({"standardQosProfileName": "gold"}, "UnknownQos", ["SliceQoSConfig gold", "default"]),
        ({"standardQosProfileName": "default", "qosProfileDetails": QOS}, "InvalidQos", ["both given"]),
        ({"qosProfileDetails": {**QOS, "bandwidthGuaranteedKbps": 11}}, "InvalidQos", ["11 is above", "10"]),
        (
            {"sliceGatewayProvider": {"sliceGatewayServiceType": [{"cluster": "c"}]}},
            "NotAMember",
            ["sliceGatewayServiceType", "c is not"],
        ),
        (
            {"externalGatewayConfig": [{"clusters": ["a"]}, {"clusters": ["a"]}]},
            "DuplicateCluster",
            ["externalGatewayConfig", "two entries"],
        ),
        (
            {"externalGatewayConfig": [{"clusters": ["*"]}, {"clusters": ["a"]}]},
            "EveryClusterAndOthers",
            ["externalGatewayConfig[0].clusters", "leave the other clusters out"],
        ),
        ({"sliceIpamType": "dynamic"}, "InvalidIpamType", ["spec.sliceIpamType", "write Dynamic"]),
    ],
)
def test_a_bad_slice_is_told_what_to_do(fields: Obj, reason: str, words: list[str]) -> None:
    problems = found(validation.slice_config(spec(**fields), "red", {}, CLUSTERS, ["default"]))
    assert [text for why, text in problems if why == reason and all(word in text for word in words)], problems


@pytest.mark.parametrize(("name", "reason"), [("x" * 21, "NameTooLong"), ("Red", "InvalidName")])
def test_a_bad_name_of_a_slice(name: str, reason: str) -> None:
    assert [problem.reason for problem in validation.slice_config(spec(), name, {}, CLUSTERS)] == [reason]


def test_a_network_of_a_cluster_may_not_overlap_the_slice() -> None:
    clusters = {**CLUSTERS, "b": Cluster.parse({"metadata": {"name": "b"}, "status": {"cniSubnet": ["10.1.4.0/24"]}})}
    (problem,) = validation.slice_config(spec(), "red", {}, clusters)
    assert problem.reason == "SubnetOverlap"
    assert "10.1.4.0/24" in problem.sentence
    assert "cluster b" in problem.sentence
    elsewhere = {**CLUSTERS, "c": clusters["b"]}
    assert validation.slice_config(spec(), "red", {}, elsewhere) == []


@pytest.mark.parametrize(
    ("mine", "theirs", "cluster"),
    [
        (("shop", "*"), ("shop", "*"), "a"),
        (("shop", "*"), ("shop", "b"), "b"),
        (("shop", "a"), ("shop", "*"), "a"),
    ],
)
def test_a_namespace_is_in_one_slice_of_a_cluster(mine: tuple[str, ...], theirs: tuple[str, ...], cluster: str) -> None:
    problems = validation.slice_config(spec(**namespaces(mine)), "red", {"blue": spec(**namespaces(theirs))}, CLUSTERS)
    assert problems[0].reason == "NamespaceClaimed"
    assert f"in cluster {cluster} it belongs to slice blue" in problems[0].sentence


def test_a_namespace_may_be_in_different_slices_of_different_clusters() -> None:
    other = {"blue": spec(**namespaces(("shop", "b")))}
    assert validation.slice_config(spec(**namespaces(("shop", "a"))), "red", other, CLUSTERS) == []


def test_gateways_of_two_slices_may_not_share_a_name() -> None:
    clusters = {name: Cluster.parse({"metadata": {"name": name}}) for name in ("a", "a-b", "b")}
    other = {"x-a": spec(clusters=["a", "b"])}
    (problem,) = validation.slice_config(spec(clusters=["a", "a-b"]), "x", other, clusters)
    assert problem.reason == "NameConflict"
    assert "x-a-a-b" in problem.sentence


def test_a_slice_without_network_needs_no_subnet() -> None:
    assert (
        validation.slice_config(spec(sliceSubnet="", overlayNetworkDeploymentMode="no-network"), "red", {}, CLUSTERS)
        == []
    )


def test_how_gateways_are_exposed_changes_one_way() -> None:
    def provider(**entry: Any) -> Any:
        return spec(sliceGatewayProvider={"sliceGatewayServiceType": [{"cluster": "a", **entry}]})

    node_port, balancer, tcp = provider(), provider(type="LoadBalancer"), provider(protocol="TCP")
    assert validation.slice_config_change(node_port, balancer) == []
    assert "cannot go back" in validation.slice_config_change(balancer, node_port)[0].sentence
    assert "from UDP to TCP" in validation.slice_config_change(node_port, tcp)[0].sentence


def test_projects() -> None:
    assert validation.project(ProjectSpec(), "demo", {}) == []
    for name, taken, reason in (
        ("x" * 31, {}, "NameTooLong"),
        ("a.b", {}, "InvalidName"),
        ("system", {}, "NameConflict"),
        ("controller", {}, "NameConflict"),
        ("a-b", {"kubeslice-a-b": "cluster b of project a"}, "NameConflict"),
    ):
        assert [problem.reason for problem in validation.project(ProjectSpec(), name, taken)] == [reason]
    users = ProjectSpec.model_validate({"serviceAccount": {"readOnly": ["ann", "Bob"], "readWrite": ["ann"]}})
    assert {problem.reason for problem in validation.project(users, "demo", {})} == {"InvalidName", "DuplicateUser"}


@pytest.mark.parametrize("name", ["system:authenticated", "system:serviceaccounts:kubeslice-other", " "])
@pytest.mark.parametrize("kind", ["users", "groups"])
def test_nobody_is_let_into_a_project_by_a_name_of_kubernetes(kind: str, name: str) -> None:
    people = ProjectSpec.model_validate({kind: {"readOnly": [name]}})
    (problem,) = validation.project(people, "demo", {})
    assert (problem.field, problem.reason) == (f"spec.{kind}", "InvalidName")
    assert repr(name) in problem.sentence


def test_one_who_reads_and_writes_is_named_twice() -> None:
    people = ProjectSpec.model_validate({"groups": {"readOnly": ["ops"], "readWrite": ["ops"]}})
    assert [problem.reason for problem in validation.project(people, "demo", {})] == ["DuplicateUser"]


def test_clusters() -> None:
    good = ClusterSpec.model_validate(samples.CLUSTER["spec"])
    assert validation.cluster(good, "worker-1", "demo", {}) == []
    bad = ClusterSpec.model_validate(
        {
            "nodeIPs": ["192.0.2.7", "nowhere"],
            "clusterProperty": {"geoLocation": {"latitude": "91", "longitude": "west"}},
        }
    )
    problems = validation.cluster(bad, "w" * 21, "demo", {})
    assert [problem.reason for problem in problems] == [
        "NameTooLong", "InvalidAddress", "InvalidLocation", "InvalidLocation"
    ]  # fmt: skip
    taken = {"kubeslice-a-b-c": "cluster c of project a-b"}
    assert "cluster c of project a-b" in validation.cluster(ClusterSpec(), "b-c", "a", taken)[0].sentence


def export(name: str = "web", namespace: str = "shop", **fields: Any) -> Any:
    return Exported(namespace, name, ServiceExportSpec.model_validate({**samples.EXPORT["spec"], **fields}))


def test_a_good_export_has_no_problems() -> None:
    others = [export(), export("db", aliases=["db.example.com"]), export("x", "y", slice="blue")]
    assert validation.service_export(export(), "red", ["red", "blue"], others) == []


@pytest.mark.parametrize(
    ("wanted", "namespace_slice", "reason", "words"),
    [
        (export(slice="green"), "red", "UnknownSlice", ["green", "blue, red"]),
        (export(), "", "NamespaceNotOnboarded", ["shop is in no slice", "applicationNamespaces"]),
        (export(), "blue", "NamespaceInOtherSlice", ["write slice: blue"]),
        (
            export(ports=[{"containerPort": 1}, {"containerPort": 1, "protocol": "TCP"}]),
            "red",
            "DuplicatePort",
            ["TCP 1"],
        ),
        (
            export(ports=[{"containerPort": 1, "name": "x"}, {"containerPort": 2, "name": "x"}]),
            "red",
            "DuplicatePort",
            ["called x"],
        ),
        (export(ports=[{"containerPort": 1, "protocol": "ICMP"}]), "red", "InvalidPort", ["ICMP"]),
        (export(aliases=["no way"]), "red", "InvalidAlias", ["'no way'"]),
        (export(aliases=["a.b", "A.b"]), "red", "DuplicateAlias", ["a.b"]),
        (export(aliases=["DB.example.com"]), "red", "AliasClaimed", ["till/db"]),
        (export("a", "b-c", aliases=[]), "red", "NameConflict", ["c/a-b"]),
    ],
)  # fmt: skip
def test_a_bad_export_is_told_what_to_do(wanted: Any, namespace_slice: str, reason: str, words: list[str]) -> None:
    others = [export("db", "till", aliases=["db.example.com"]), export("a-b", "c", aliases=[])]
    problems = found(validation.service_export(wanted, namespace_slice, ["red", "blue"], others))
    assert [text for why, text in problems if why == reason and all(word in text for word in words)], problems


def test_exports_belong_on_slices_with_a_network_and_their_namespace_may_come_from_one_without() -> None:
    slices = ["red", "blue", "plain"]
    bare = found(validation.service_export(export(slice="plain"), "plain", slices, (), ["plain"]))
    assert [reason for reason, _ in bare] == ["SliceWithoutNetwork"]
    moving = found(validation.service_export(export(slice="red"), "plain", slices, (), ["plain"]))
    assert [reason for reason, _ in moving] == ["NamespaceNotOnboarded"]
    assert {"NamespaceNotOnboarded"} <= validation.PASSING


def test_problems_become_one_terminal_error() -> None:
    validation.refuse([])
    profile = QosProfile.model_validate({**QOS, "bandwidthGuaranteedKbps": 11})
    with pytest.raises(Terminal, match=r"spec\.bandwidthGuaranteedKbps: 11 is above") as caught:
        validation.refuse(validation.qos_profile(profile))
    assert caught.value.reason == "InvalidQos"
