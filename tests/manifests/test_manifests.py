"""What is installed: least privilege, a usable order, the same every time."""

import base64
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeslice.manifests import HubCredentials, HubValues, Image, WorkerValues, hub, worker
from kubeslice.model import names, resources
from kubeslice.model.project import ProjectSpec
from kubeslice.model.resources import NAMESPACES
from kubeslice.plan.cluster import gateway_workloads
from kubeslice.plan.cluster.workloads import Owner
from kubeslice.plan.tenants import tenancy

Obj = dict[str, Any]

IMAGE = Image("kubeslice/kubeslice:0.0.0")
HUB = hub(HubValues("https://192.0.2.1:6443", IMAGE))
CREDENTIALS = HubCredentials("https://192.0.2.1:6443", "secret-token", "CA")
WORKER = worker(WorkerValues("worker-1", "demo", IMAGE, CREDENTIALS))
EVERYTHING = [*HUB, *WORKER]
GOLDEN = Path(__file__).with_name("golden.yaml")
WORKLOADS = [obj for obj in EVERYTHING if obj["kind"] in {"Deployment", "DaemonSet"}]


def of_kind(objects: list[Obj], *kinds: Any) -> Any:
    return [obj for obj in objects if obj["kind"] in kinds]


def identity(obj: Obj) -> Any:
    return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def test_nobody_has_a_wildcard() -> None:
    for role in of_kind(EVERYTHING, "Role", "ClusterRole"):
        for rule in role["rules"]:
            for field in ("apiGroups", "resources", "verbs"):
                assert rule[field], identity(role)
                assert "*" not in rule[field], identity(role)
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"]), identity(role)


def test_rules_name_resources_that_exist() -> None:
    known = {(value.group, value.plural) for value in vars(resources).values() if isinstance(value, resources.Resource)}
    for role in of_kind(EVERYTHING, "Role", "ClusterRole"):
        for rule in role["rules"]:
            for group, resource in product(rule["apiGroups"], rule["resources"]):
                assert (group, resource.split("/")[0]) in known, (identity(role), resource)


def test_secrets_are_read_cluster_wide_only_by_the_hub_controller() -> None:
    readers = [
        role["metadata"]["name"]
        for role in of_kind(EVERYTHING, "ClusterRole")
        for rule in role["rules"]
        if "secrets" in rule["resources"]
    ]
    assert readers == ["kubeslice-hub"]


def permissions(rules: Any) -> Any:
    return {
        (group, resource, verb, name)
        for rule in rules
        for group, resource, verb, name in product(
            rule["apiGroups"], rule["resources"], rule["verbs"], rule.get("resourceNames", [""])
        )
    }


def test_the_hub_may_do_all_that_it_lets_others_do() -> None:
    """Kubernetes refuses a Role that holds more than its author: see "Privilege escalation prevention" of RBAC."""
    (own,) = [
        permissions(role["rules"])
        for role in of_kind(HUB, "ClusterRole")
        if role["metadata"]["name"] == "kubeslice-hub"
    ]
    people = ProjectSpec.model_validate({"serviceAccount": {"readOnly": ["ann"], "readWrite": ["bob"]}})
    wanted = tenancy.project_objects("demo", people)
    wanted += tenancy.cluster_objects(tenancy.Member("demo", "worker-1"), people, {})
    granted = {
        grant for resource, role in wanted if resource == resources.ROLES for grant in permissions(role["rules"])
    }
    missing = {grant for grant in granted if grant not in own and (*grant[:3], "") not in own}
    assert missing == set()
    assert granted


def test_the_operator_may_do_all_that_it_lets_gateways_do() -> None:
    own = set()
    for role in of_kind(WORKER, "Role", "ClusterRole"):
        if role["metadata"]["name"] == "kubeslice-worker" and role["metadata"].get("namespace") != "kube-system":
            own |= permissions(role["rules"])
    (common,) = [role for role in of_kind(WORKER, "Role") if role["metadata"]["name"] == names.GATEWAY_ROLE]
    granted = permissions(common["rules"]) | permissions(gateway_workloads.role(Owner("red", "u1"), [0, 1])["rules"])
    assert {grant for grant in granted if (*grant[:3], "") not in own} == set()


def test_every_workload_has_an_account_that_is_there() -> None:
    accounts = {identity(obj)[1:] for obj in of_kind(EVERYTHING, "ServiceAccount")}
    for obj in WORKLOADS:
        pod = obj["spec"]["template"]["spec"]
        assert (obj["metadata"]["namespace"], pod["serviceAccountName"]) in accounts


def test_bindings_bind_what_is_there() -> None:
    roles = {identity(obj) for obj in of_kind(EVERYTHING, "Role", "ClusterRole")}
    for binding in of_kind(EVERYTHING, "RoleBinding", "ClusterRoleBinding"):
        namespace = binding["metadata"].get("namespace", "")
        assert (binding["roleRef"]["kind"], namespace, binding["roleRef"]["name"]) in roles


def test_services_and_workloads_select_their_own_pods() -> None:
    templates = [(obj["metadata"]["namespace"], obj["spec"]["template"]["metadata"]["labels"]) for obj in WORKLOADS]
    selecting = [(obj, obj["spec"]["selector"]["matchLabels"]) for obj in WORKLOADS]
    selecting += [(obj, obj["spec"]["selector"]) for obj in of_kind(EVERYTHING, "Service")]
    for obj, selector in selecting:
        chosen = [
            labels
            for namespace, labels in templates
            if namespace == obj["metadata"]["namespace"] and selector.items() <= labels.items()
        ]
        assert len(chosen) == 1, identity(obj)


def test_target_ports_are_ports_of_the_container() -> None:
    for service in of_kind(EVERYTHING, "Service"):
        (workload,) = [obj for obj in WORKLOADS if identity(obj)[1:] == identity(service)[1:]]
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        ports = {(port["containerPort"], port["protocol"]) for port in container["ports"]}
        assert {(port["targetPort"], port["protocol"]) for port in service["spec"]["ports"]} <= ports


def test_only_the_agent_is_privileged() -> None:
    for obj in WORKLOADS:
        pod = obj["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        is_agent = obj["kind"] == "DaemonSet"
        assert container["securityContext"].get("privileged", False) == is_agent
        assert pod.get("hostPID", False) == pod.get("hostNetwork", False) == is_agent
        if not is_agent:
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_every_container_is_probed_and_limited() -> None:
    for obj in WORKLOADS:
        (container,) = obj["spec"]["template"]["spec"]["containers"]
        assert {"readinessProbe", "livenessProbe"} <= container.keys()
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in obj["spec"]["template"]["spec"]["volumes"]}


@pytest.mark.parametrize("objects", [HUB, WORKER], ids=["hub", "worker"])
def test_the_order_is_one_in_which_they_can_be_applied(objects: list[Obj]) -> None:
    made = set()
    for obj in objects:
        namespace = obj["metadata"].get("namespace")
        if namespace and namespace != "kube-system":
            assert namespace in made, identity(obj)
        if obj["kind"] == NAMESPACES.kind:
            made.add(obj["metadata"]["name"])
    kinds = [obj["kind"] for obj in objects]
    last_definition = len(kinds) - 1 - kinds[::-1].index("CustomResourceDefinition")
    assert set(kinds[: last_definition + 1]) == {"Namespace", "CustomResourceDefinition"}
    assert len({identity(obj) for obj in objects}) == len(objects)


def test_a_cluster_can_be_hub_and_worker_at_once() -> None:
    both = [identity(obj) for obj in EVERYTHING]
    assert len(set(both)) == len(both)


def test_credentials_are_in_the_secret_and_nowhere_else() -> None:
    (secret,) = of_kind(WORKER, "Secret")
    content = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert content == {
        "ca.crt": "CA",
        "clusterName": "worker-1",
        "endpoint": "https://192.0.2.1:6443",
        "namespace": "kubeslice-demo-worker-1",
        "projectNamespace": "kubeslice-demo",
        "token": "secret-token",
    }
    assert "secret-token" not in repr(CREDENTIALS)
    assert of_kind(worker(WorkerValues("worker-1", "demo", IMAGE)), "Secret") == []


def test_golden() -> None:
    """Everything but the CRDs, which have files of their own. After a change: delete the file and run this twice."""
    text = yaml.safe_dump_all(
        [obj for obj in EVERYTHING if obj["kind"] != "CustomResourceDefinition"], sort_keys=False, width=120
    )
    if not GOLDEN.exists():
        GOLDEN.write_text(text)
        pytest.fail(f"{GOLDEN.name} is written: look at it and commit it")
    assert text == GOLDEN.read_text()


def test_what_is_installed_leaves_a_dead_node_soon_and_the_agent_stays_with_its_node() -> None:
    for workload in WORKLOADS:
        tolerated = workload["spec"]["template"]["spec"]["tolerations"]
        seconds = [each.get("tolerationSeconds") for each in tolerated]
        assert seconds == ([None] if workload["kind"] == "DaemonSet" else [30, 30])
