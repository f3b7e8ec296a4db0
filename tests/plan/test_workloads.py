from typing import Any

from kubeslice.plan import workloads
from kubeslice.plan.workloads import Build, KeyPair, Owner

OWNER = Owner("red", "u1")
BUILD = Build("kubeslice/kubeslice:1")


def test_a_slice_has_one_router_and_a_gateway_and_service_for_each_plane() -> None:
    assert [obj["metadata"]["name"] for obj in workloads.deployments(OWNER, 2, BUILD)] == [
        "slice-router-red",
        "slice-gateway-red-0",
        "slice-gateway-red-1",
    ]
    assert [obj["metadata"]["name"] for obj in workloads.services(OWNER, 2)] == [
        "slice-gateway-red-0",
        "slice-gateway-red-1",
    ]


def test_pods_say_by_labels_what_they_are_and_wait_for_their_interface() -> None:
    gateway = workloads.gateway(OWNER, 1, BUILD)
    template = gateway["spec"]["template"]
    assert template["metadata"]["labels"] == {
        "kubeslice.io/slice": "red",
        "kubeslice.io/pod-type": "slicegateway",
        "kubeslice.io/plane": "1",
    }
    assert gateway["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
    assert gateway["spec"]["strategy"] == {"type": "Recreate"}
    assert template["spec"]["initContainers"][0]["args"] == ["run", "wait"]
    assert template["spec"]["containers"][0]["args"] == ["run", "gateway"]


def test_the_service_chooses_the_gateway_of_its_plane_alone() -> None:
    service = workloads.gateway_service(OWNER, 1)
    assert service["spec"]["selector"] == workloads.gateway(OWNER, 1, BUILD)["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"] != workloads.gateway_service(OWNER, 0)["spec"]["selector"]
    assert service["spec"]["ports"][0]["port"] == 51820


def test_the_private_key_is_in_the_secret_and_nowhere_else() -> None:
    secret = workloads.gateway_secret(OWNER, 0, KeyPair("private", "public"))
    assert secret["stringData"] == {"privateKey": "private", "publicKey": "public"}
    mounted = workloads.gateway(OWNER, 0, BUILD)["spec"]["template"]["spec"]["volumes"]
    assert mounted == [{"name": "keys", "secret": {"secretName": secret["metadata"]["name"], "defaultMode": 0o400}}]


def test_gateways_are_privileged_only_where_they_need_the_tun_device() -> None:
    def security(build: Any) -> Any:
        return workloads.gateway(OWNER, 0, build)["spec"]["template"]["spec"]["containers"][0]["securityContext"]

    assert security(BUILD) == {"privileged": True}
    assert security(Build("i", privileged_gateways=False)) == {
        "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}
    }


def test_a_key_is_missing_where_there_is_no_secret() -> None:
    assert workloads.planes_without_key(OWNER, 2, ["slice-gateway-red-0"]) == [1]
    assert workloads.planes_without_key(OWNER, 0, []) == []


def test_everything_belongs_to_its_slice() -> None:
    for obj in [*workloads.deployments(OWNER, 1, BUILD), *workloads.services(OWNER, 1)]:
        assert obj["metadata"]["ownerReferences"][0]["uid"] == "u1"
        assert obj["metadata"]["labels"]["kubeslice.io/slice"] == "red"
        assert obj["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "kubeslice-worker"
