import pytest

from kubeslice.plan.cluster import gateway_workloads, workloads
from kubeslice.plan.cluster.workloads import Build, Owner

OWNER = Owner("red", "u1")
BUILD = Build("kubeslice/kubeslice:1")


def test_a_slice_has_two_routers_and_a_drain_takes_one() -> None:
    routers = workloads.routers(OWNER, BUILD)
    assert [obj["metadata"]["name"] for obj in routers] == ["slice-router-red-0", "slice-router-red-1"]
    budget = workloads.budgets(OWNER)[0]
    assert budget["spec"]["minAvailable"] == 1
    chosen = budget["spec"]["selector"]["matchLabels"].items()
    assert all(chosen <= router["spec"]["template"]["metadata"]["labels"].items() for router in routers)


def test_routers_know_their_number_and_keep_away_from_each_other() -> None:
    for number, router in enumerate(workloads.routers(OWNER, BUILD)):
        template = router["spec"]["template"]
        assert template["metadata"]["labels"]["kubeslice.io/router"] == str(number)
        assert router["spec"]["selector"]["matchLabels"] == template["metadata"]["labels"]
        assert {"name": "ROUTER", "value": str(number)} in template["spec"]["containers"][0]["env"]
        (wish,) = template["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
        selector = wish["podAffinityTerm"]["labelSelector"]
        assert selector["matchLabels"].items() <= template["metadata"]["labels"].items()
        assert selector["matchExpressions"] == [
            {"key": "kubeslice.io/router", "operator": "NotIn", "values": [str(number)]}
        ]


def test_everything_belongs_to_its_slice() -> None:
    for obj in [*workloads.routers(OWNER, BUILD), *workloads.budgets(OWNER)]:
        assert obj["metadata"]["ownerReferences"][0]["uid"] == "u1"
        assert obj["metadata"]["labels"]["kubeslice.io/slice"] == "red"
        assert obj["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "kubeslice-worker"


@pytest.mark.parametrize("taint", ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"])
def test_what_carries_traffic_leaves_a_dead_node_long_before_kubernetes_would_say(taint: str) -> None:
    for made in [*workloads.routers(OWNER, BUILD), gateway_workloads.deployment(OWNER, 0, BUILD)]:
        tolerated = [each for each in made["spec"]["template"]["spec"]["tolerations"] if each["key"] == taint]
        assert [(each["effect"], each["tolerationSeconds"]) for each in tolerated] == [("NoExecute", 30)]
