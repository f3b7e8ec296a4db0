"""Services: addresses and ports that belong to one Service only."""

from typing import Any

import pytest

from tests.api.client import MERGE_PATCH, Client

pytestmark = pytest.mark.api


def path(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/services" + (f"/{name}" if name else "")


def service(name: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], "selector": {"app": "a"}} | spec}


async def test_a_service_has_an_address_and_defaults(api: Client, namespace: str) -> None:
    spec = (await api.create(path(namespace), service("a"))).expect(201)["spec"]
    assert spec["clusterIPs"] == [spec["clusterIP"]]
    assert spec["type"] == "ClusterIP"
    assert spec["sessionAffinity"] == "None"
    assert spec["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert spec["ipFamilies"] == ["IPv4"]
    assert spec["ipFamilyPolicy"] == "SingleStack"
    assert spec["internalTrafficPolicy"] == "Cluster"


async def test_an_address_belongs_to_one_service(api: Client, namespace: str) -> None:
    first = (await api.create(path(namespace), service("a"))).expect(201)
    taken = first["spec"]["clusterIP"]
    reply = await api.create(path(namespace), service("b", clusterIP=taken))
    assert reply.expect(422)["message"] == (
        f'Service "b" is invalid: spec.clusterIPs: Invalid value: ["{taken}"]: failed to allocate IP {taken}:'
        " provided IP is already allocated"
    )
    await api.delete(path(namespace, "a"))
    await api.until(path(namespace, "a"), lambda found: found.code == 404)
    (await api.create(path(namespace), service("b", clusterIP=taken))).expect(201)


async def test_a_headless_service_has_no_address(api: Client, namespace: str) -> None:
    spec = (await api.create(path(namespace), service("a", clusterIP="None"))).expect(201)["spec"]
    assert spec["clusterIP"] == "None"
    assert spec["clusterIPs"] == ["None"]


async def test_an_address_does_not_change(api: Client, namespace: str) -> None:
    made = (await api.create(path(namespace), service("a"))).expect(201)
    reply = await api.patch(path(namespace, "a"), MERGE_PATCH, {"spec": {"clusterIP": "10.96.254.254"}})
    reply.expect(422)
    assert reply.causes[0]["field"] == "spec.clusterIPs[0]"
    kept = (await api.update(path(namespace, "a"), service("a", ports=[{"port": 81}]))).expect()
    assert kept["spec"]["clusterIP"] == made["spec"]["clusterIP"]


async def test_a_node_port_belongs_to_one_service(api: Client, namespace: str) -> None:
    made = (await api.create(path(namespace), service("a", type="NodePort"))).expect(201)
    port = made["spec"]["ports"][0]["nodePort"]
    assert 30000 <= port <= 32767
    assert made["spec"]["externalTrafficPolicy"] == "Cluster"
    again = {"type": "NodePort", "ports": [{"port": 80, "nodePort": port}]}
    reply = await api.create(path(namespace), service("b", **again))
    expected = (
        f'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: {port}: provided port is already allocated'
    )
    assert reply.expect(422)["message"] == expected


async def test_a_node_port_is_in_the_range(api: Client, namespace: str) -> None:
    reply = await api.create(path(namespace), service("a", type="NodePort", ports=[{"port": 80, "nodePort": 80}]))
    assert "The range of valid ports is 30000-32767" in reply.expect(422)["message"]


async def test_a_node_port_is_given_back(api: Client, namespace: str) -> None:
    made = (await api.create(path(namespace), service("a", type="NodePort"))).expect(201)
    port = made["spec"]["ports"][0]["nodePort"]
    kept = (await api.update(path(namespace, "a"), service("a", type="NodePort"))).expect()
    assert kept["spec"]["ports"][0]["nodePort"] == port
    plain = (await api.update(path(namespace, "a"), service("a"))).expect()
    assert "nodePort" not in plain["spec"]["ports"][0]
    assert "externalTrafficPolicy" not in plain["spec"]


async def test_a_dry_run_takes_nothing(api: Client, namespace: str) -> None:
    ports = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 32123}]}
    (await api.create(path(namespace), service("a", **ports), dryRun="All")).expect(201)
    (await api.create(path(namespace), service("b", **ports))).expect(201)


async def test_the_api_server_is_a_service_itself(api: Client) -> None:
    found = (await api.get(path("default", "kubernetes"))).expect()
    assert found["spec"]["clusterIP"].endswith(".1")
    assert found["spec"]["ports"][0]["port"] == 443
