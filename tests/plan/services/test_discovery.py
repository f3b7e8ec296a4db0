import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.model import conditions
from kubeslice.model.serviceexport import LabelSelector, ServiceExport
from kubeslice.model.serviceimport import ServiceImport
from kubeslice.model.workerserviceimport import WorkerServiceImport
from kubeslice.plan.services import discovery, zone


def export(**spec: Any) -> Any:
    base = {
        "slice": "red",
        "selector": {"matchLabels": {"app": "web"}},
        "ports": [
            {"name": "http", "containerPort": 8080, "servicePort": 80},
            {"containerPort": 9090, "protocol": "TCP"},
        ],
    }
    return ServiceExport.parse({"metadata": {"name": "web", "namespace": "shop"}, "spec": base | spec})


def pod(
    name: Any = "web-0",
    address: Any = "10.1.0.20",
    *,
    ready: Any = True,
    labels: Any = None,
    slice_name: Any = "red",
    deleting: Any = False,
) -> Any:
    network = [{"name": f"kubeslice-system/{slice_name}", "interface": "ks0", "ips": [address]}]
    metadata = {
        "name": name,
        "namespace": "shop",
        "labels": labels or {"app": "web"},
        "annotations": {"k8s.v1.cni.cncf.io/network-status": json.dumps(network)} if address else {},
    }
    if deleting:
        metadata["deletionTimestamp"] = "2030-01-01T00:00:00Z"
    status = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}], "podIP": "10.244.1.5"}
    return {"metadata": metadata, "status": status}


def offered(*pods: Any, **spec: Any) -> Any:
    return [p.name for p in discovery.backends(export(**spec), "red", pods)]


@pytest.mark.parametrize(
    "candidate",
    [
        pod(ready=False),
        pod(address=""),
        pod(labels={"app": "db"}),
        pod(deleting=True),
        pod(slice_name="blue"),
    ],
)
def test_only_ready_pods_with_an_address_on_the_slice_are_offered(candidate: Any) -> None:
    assert offered(candidate, pod("web-1")) == ["web-1"]


@pytest.mark.parametrize(
    ("expression", "labels", "result"),
    [
        ({"key": "a", "operator": "In", "values": ["1", "2"]}, {"a": "1"}, True),
        ({"key": "a", "operator": "In", "values": ["2"]}, {"a": "1"}, False),
        ({"key": "a", "operator": "NotIn", "values": ["2"]}, {}, True),
        ({"key": "a", "operator": "NotIn", "values": ["1"]}, {"a": "1"}, False),
        ({"key": "a", "operator": "Exists"}, {"a": ""}, True),
        ({"key": "a", "operator": "DoesNotExist"}, {"a": ""}, False),
    ],
)
def test_selectors_mean_what_they_mean_in_kubernetes(expression: Any, labels: Any, result: Any) -> None:
    selector = LabelSelector.model_validate({"matchExpressions": [expression]})
    assert discovery.matches(selector, labels) is result


def test_the_hub_hears_of_every_pod_and_every_port() -> None:
    config = discovery.export_config(
        export(aliases=["b", "a", "a"]), "worker-2", discovery.backends(export(), "red", [pod()])
    ).wire()
    assert config["serviceDiscoveryEndpoints"] == [
        {
            "podName": "web-0",
            "cluster": "worker-2",
            "nsmIp": "10.1.0.20",
            "dnsName": "web-0.worker-2.web.shop.svc.slice.local",
            "port": 8080,
        }
    ]
    assert [(port["name"], port["port"], port["servicePort"]) for port in config["serviceDiscoveryPorts"]] == [
        ("http", 8080, 80),
        ("port-9090", 9090, 9090),
    ]
    assert config["aliases"] == ["a", "b"]


@pytest.mark.parametrize(
    ("on", "slices", "reason", "words"),
    [
        ("", ["red"], "NamespaceNotOnSlice", "namespace shop is not on a slice: add it to"),
        ("blue", ["red", "blue"], "NamespaceNotOnSlice", "namespace shop is on slice blue, not on red"),
        ("", [], "SliceNotFound", "slice red is not in this cluster"),
    ],
)
def test_a_service_whose_namespace_is_not_on_its_slice_says_what_to_do(
    on: Any, slices: Any, reason: Any, words: Any
) -> None:
    problem = discovery.obstacle(export(), on, slices)
    assert problem
    assert (problem.status, problem.reason) == ("False", reason)
    assert words in problem.message
    verdict = discovery.export_verdict(export(), problem, 0, [])
    assert verdict.state == "ERROR"


def test_a_service_on_a_slice_without_a_network_is_reached_by_nobody() -> None:
    problem = discovery.obstacle(export(), "red", ["red"], ["red"])
    assert problem
    assert problem.reason == "SliceWithoutNetwork"


def test_an_export_is_ready_with_pods_and_pending_without() -> None:
    assert discovery.obstacle(export(), "red", ["red"]) is None
    assert discovery.export_verdict(export(), None, 0, []).state == "PENDING"
    ready = discovery.export_verdict(export(), None, 2, ["alias x is bad"])
    assert ready.state == "READY"
    assert ready.findings[0].message == "2 pods exported as web.shop.svc.slice.local"
    assert [found.status for found in ready.findings if found.type == discovery.ALIASES_SERVED] == ["False"]


def test_an_export_says_what_is_not_acted_on() -> None:
    wish = export()
    wish.spec.ingress_enabled = True
    for asked, expected in ((export(), "True"), (wish, "False")):
        found = {one.type: one for one in discovery.export_verdict(asked, None, 1, []).findings}
        assert found["FullyEffective"].status == expected


entries = st.builds(
    lambda p, c, ip: {"podName": p, "cluster": c, "nsmIp": ip},
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from(["w1", "w2"]),
    st.sampled_from(["10.1.0.20", "10.1.64.20", ""]),
)


def offer(found: Any) -> Any:
    spec = {
        "serviceName": "web",
        "serviceNamespace": "shop",
        "sliceName": "red",
        "sourceClusters": ["w2", "w1"],
        "serviceDiscoveryEndpoints": found,
        "serviceDiscoveryPorts": [{"name": "http", "port": 8080, "protocol": "TCP", "servicePort": 80}],
    }
    return WorkerServiceImport.parse({"metadata": {"name": "x"}, "spec": spec})


@given(st.lists(entries, max_size=8), st.randoms())
def test_endpoints_merge_to_the_same_list_in_any_order_and_each_once(found: Any, random: Any) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)
    merged = discovery.imported_endpoints(offer(found))
    assert merged == discovery.imported_endpoints(offer(shuffled))
    assert {(e.cluster_id, e.name, e.ip) for e in merged} == {
        (e["cluster"], e["podName"], e["nsmIp"]) for e in found if e["nsmIp"]
    }
    assert len(merged) == len({(e.cluster_id, e.name, e.ip) for e in merged})


@given(st.lists(entries, max_size=8))
def test_what_is_imported_is_what_dns_answers(found: Any) -> None:
    endpoints = [endpoint.wire() for endpoint in discovery.imported_endpoints(offer(found))]
    spec = discovery.import_spec(offer(found)).wire()
    imported = ServiceImport.parse(
        {"metadata": {"name": "web", "namespace": "shop"}, "spec": spec, "status": {"endpoints": endpoints}}
    )
    records = zone.render([discovery.zone_service(imported)])
    assert {r.data for r in records if r.owner == spec["dnsName"]} == {e["ip"] for e in endpoints}
    assert {r.owner for r in records} - {spec["dnsName"]} == {e["dnsName"] for e in endpoints}


def test_a_namespace_that_is_not_there_keeps_a_service_out_and_says_so() -> None:
    absent = discovery.import_obstacle(offer([]), "red", "", exists=False)
    elsewhere = discovery.import_obstacle(offer([]), "red", "blue", exists=True)
    assert absent
    assert elsewhere
    assert "does not exist in this cluster" in absent.message
    assert "is not on the slice in this cluster" in elsewhere.message
    assert discovery.import_obstacle(offer([]), "red", "red", exists=True) is None


def test_an_import_without_pods_is_pending() -> None:
    verdict = discovery.import_verdict(0, ["w2", "w1"], [])
    assert verdict.state == "PENDING"
    assert verdict.findings[0].type == conditions.READY
    assert "w1, w2" in verdict.findings[0].message
