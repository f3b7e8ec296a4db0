"""Where a Service's traffic goes: EndpointSlices, Endpoints and the front door of the API server."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.controllers import endpoints, frontdoor
from tests.lab.controllers.made import node, pod, service


def ready(name: str, number: Any = 2, **more: Any) -> Any:
    return pod(name, on="n-1", ready=True, address=f"10.244.1.{number}", **more)


def subsets(wanted: Any, backends: Any) -> Any:
    made = endpoints.endpoints(wanted, backends)
    assert made is not None
    return made["subsets"]


def test_an_endpoint_says_who_it_is_and_how_it_does() -> None:
    (made,) = endpoints.slices(service(), [ready("a", deleting=True)])
    assert made["endpoints"] == [
        {
            "addresses": ["10.244.1.2"],
            "conditions": {"ready": False, "serving": True, "terminating": True},
            "nodeName": "n-1",
            "targetRef": {"kind": "Pod", "namespace": "default", "name": "a", "uid": "uid-a"},
        }
    ]
    assert made["ports"] == [{"name": "http", "protocol": "TCP", "port": 8080}]
    assert made["metadata"]["labels"]["kubernetes.io/service-name"] == "web"
    assert made["metadata"]["ownerReferences"][0]["uid"] == "s1"


def test_pods_that_cannot_serve_are_left_out() -> None:
    outsiders = [
        pod("no-address", ready=True),
        ready("ended", phase="Succeeded"),
        ready("stranger", labels={"app": "db"}),
    ]
    (made,) = endpoints.slices(service(), outsiders)
    assert made["endpoints"] == []
    assert subsets(service(), outsiders) == []


def test_unready_addresses_are_told_apart_unless_the_service_publishes_all() -> None:
    unready = pod("a", on="n-1", address="10.244.1.9")
    assert "notReadyAddresses" in subsets(service(), [unready])[0]
    headless = service(clusterIP="None", publishNotReadyAddresses=True)
    (made,) = endpoints.slices(headless, [unready])
    assert made["endpoints"][0]["conditions"] == {"ready": True, "serving": False, "terminating": False}
    assert made["metadata"]["labels"]["service.kubernetes.io/headless"] == ""
    assert "addresses" in subsets(headless, [unready])[0]


def test_a_named_port_may_differ_from_pod_to_pod() -> None:
    other = ready("b", 3)
    other["spec"]["containers"] = [{"name": "c", "image": "x", "ports": [{"name": "http", "containerPort": 9090}]}]
    made = endpoints.slices(service(), [ready("a"), other])
    assert sorted(each["ports"][0]["port"] for each in made) == [8080, 9090]
    assert len({each["metadata"]["name"] for each in made}) == 2


def test_members_of_a_headless_service_have_their_hostname() -> None:
    member = ready("web-0", hostname="web-0", subdomain="web")
    (made,) = endpoints.slices(service(clusterIP="None"), [member])
    assert made["endpoints"][0]["hostname"] == "web-0"


def test_a_service_without_selector_is_somebody_elses() -> None:
    assert endpoints.slices(service(selector=None), [ready("a")]) == []
    assert endpoints.endpoints(service(type="ExternalName"), [ready("a")]) is None


@given(st.integers(0, 250), st.randoms())
def test_every_pod_is_in_exactly_one_slice_of_a_stable_name(count: Any, random: Any) -> None:
    backends = [
        pod(f"p{index:03}", on="n", ready=True, address=f"10.1.{index // 250}.{index % 250}") for index in range(count)
    ]
    made = endpoints.slices(service(), backends)
    listed = [entry["targetRef"]["name"] for each in made for entry in each["endpoints"]]
    assert sorted(listed) == [each["metadata"]["name"] for each in backends]
    assert all(len(each["endpoints"]) <= endpoints.MAX_ENDPOINTS for each in made)
    random.shuffle(backends)
    assert endpoints.slices(service(), backends) == made


def test_the_front_door_is_on_the_control_plane_or_the_first_node() -> Any:
    def at(name: str, address: Any, **labels: Any) -> Any:
        return node(name, labels=labels, addresses=[{"type": "InternalIP", "address": address}])

    nodes = [at("w-node-10", "10.0.0.20"), at("w-node-2", "10.0.0.12")]
    assert frontdoor.backends(nodes) == ["10.0.0.12"]
    marked = at("w-node-9", "10.0.0.19", **{frontdoor.CONTROL_PLANE: ""})
    assert frontdoor.backends([*nodes, marked]) == ["10.0.0.19"]
    assert frontdoor.backends([]) == []
