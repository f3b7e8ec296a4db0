"""Who may do what on the hub."""

from typing import Any

import pytest

from kubeslice.model import names
from kubeslice.model.project import ProjectSpec
from kubeslice.model.resources import NAMESPACES, ROLEBINDINGS, ROLES, SECRETS, SERVICEACCOUNTS
from kubeslice.plan.tenants import tenancy
from kubeslice.plan.tenants.tenancy import Member

MEMBER = Member("shop", "west")
NOBODY = ProjectSpec()


def people(**listed: Any) -> ProjectSpec:
    return ProjectSpec.model_validate(listed)


def accounts(readers: list[str], writers: list[str]) -> ProjectSpec:
    return people(serviceAccount={"readOnly": readers, "readWrite": writers})


def of(wanted: list[tenancy.Wanted], resource: Any) -> dict[tuple[str, str], dict[str, Any]]:
    return {(o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for r, o in wanted if r == resource}


def test_a_project_has_an_account_a_token_and_a_binding_for_each_user() -> None:
    wanted = tenancy.project_objects("shop", accounts(["ann"], ["bob"]))
    assert set(of(wanted, NAMESPACES)) == {("", "kubeslice-shop")}
    users = {("kubeslice-shop", "kubeslice-rbac-ro-ann"), ("kubeslice-shop", "kubeslice-rbac-rw-bob")}
    assert set(of(wanted, SERVICEACCOUNTS)) == set(of(wanted, SECRETS)) == set(of(wanted, ROLEBINDINGS)) == users
    roles = {name: binding["roleRef"]["name"] for (_, name), binding in of(wanted, ROLEBINDINGS).items()}
    assert roles == {"kubeslice-rbac-ro-ann": "kubeslice-read-only", "kubeslice-rbac-rw-bob": "kubeslice-read-write"}


def test_readers_see_no_secret() -> None:
    role = of(tenancy.project_objects("shop", accounts(["ann"], [])), ROLES)["kubeslice-shop", "kubeslice-read-only"]
    assert not [rule for rule in role["rules"] if {"secrets", "*"} & set(rule["resources"])]
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}


def test_a_worker_reads_only_its_own_cluster_and_the_secrets_of_its_own_namespace() -> None:
    wanted = tenancy.cluster_objects(MEMBER, NOBODY, {"clusterName": "west"})
    account = names.worker_account("west")
    secrets = [
        (place, rule["verbs"])
        for place, role in of(wanted, ROLES).items()
        for rule in role["rules"]
        if {"secrets", "*"} & set(rule["resources"])
    ]
    assert secrets == [(("kubeslice-shop-west", account), ["get", "list", "watch"])]
    home = of(wanted, ROLES)["kubeslice-shop", account]
    named = {(*rule["resources"], *rule["resourceNames"]) for rule in home["rules"]}
    assert named == {("clusters", "west"), ("clusters/status", "west"), ("serviceaccounts/token", account)}
    assert {namespace for namespace, _ in of(wanted, ROLES)} == {"kubeslice-shop", "kubeslice-shop-west"}


def test_a_token_secret_carries_the_facts_beside_the_token() -> None:
    secret = of(tenancy.cluster_objects(MEMBER, NOBODY, {"clusterName": "west"}), SECRETS)
    made = secret["kubeslice-shop", "kubeslice-rbac-worker-west"]
    assert made["data"] == {"clusterName": "d2VzdA=="}
    assert made["metadata"]["annotations"]["kubernetes.io/service-account.name"] == "kubeslice-rbac-worker-west"
    assert not tenancy.has_token(made)
    assert tenancy.has_token({**made, "data": {**made["data"], "token": "dA==", "ca.crt": "Yw=="}})


def test_the_people_of_a_project_may_read_its_clusters_namespaces() -> None:
    wanted = tenancy.cluster_objects(MEMBER, accounts(["ann"], ["bob"]), {})
    binding = of(wanted, ROLEBINDINGS)["kubeslice-shop-west", "kubeslice-read-only"]
    assert [s["name"] for s in binding["subjects"]] == ["kubeslice-rbac-ro-ann", "kubeslice-rbac-rw-bob"]
    assert {s["namespace"] for s in binding["subjects"]} == {"kubeslice-shop"}


def test_users_and_groups_of_the_identity_provider_are_bound_by_name_and_get_no_account() -> None:
    spec = people(
        users={"readOnly": ["zoe@example.com"], "readWrite": ["bob@example.com"]}, groups={"readOnly": ["auditors"]}
    )
    wanted = tenancy.project_objects("shop", spec)
    assert not of(wanted, SERVICEACCOUNTS)
    assert not of(wanted, SECRETS)
    bindings = {name: binding for (_, name), binding in of(wanted, ROLEBINDINGS).items()}
    assert {name: binding["roleRef"]["name"] for name, binding in bindings.items()} == {
        "kubeslice-read-only": "kubeslice-read-only",
        "kubeslice-read-write": "kubeslice-read-write",
    }
    readers = [(subject["kind"], subject["name"]) for subject in bindings["kubeslice-read-only"]["subjects"]]
    assert readers == [("User", "zoe@example.com"), ("Group", "auditors")]
    beside = of(tenancy.cluster_objects(MEMBER, spec, {}), ROLEBINDINGS)["kubeslice-shop-west", "kubeslice-read-only"]
    assert {subject["name"] for subject in beside["subjects"]} == {"zoe@example.com", "bob@example.com", "auditors"}
    assert tenancy.head_count(spec) == (2, 1)


@pytest.mark.parametrize(
    ("labels", "expected", "problem"),
    [
        ({}, tenancy.project_labels("a-b"), ""),
        (tenancy.project_labels("a-b"), tenancy.project_labels("a-b"), ""),
        (tenancy.cluster_labels(Member("a", "b")), tenancy.project_labels("a-b"), "cluster b of project a"),
        (tenancy.project_labels("a-b"), tenancy.cluster_labels(Member("a", "b")), "project a-b"),
        (tenancy.cluster_labels(Member("a", "b-c")), tenancy.cluster_labels(Member("a-b", "c")), "cluster b-c of"),
        (None, tenancy.cluster_labels(Member("a", "b")), ""),
        ({"team": "x"}, tenancy.cluster_labels(Member("a", "b")), "somebody else"),
    ],
)
def test_a_namespace_belongs_to_whom_its_labels_say(labels: Any, expected: Any, problem: str) -> None:
    owner = tenancy.other_owner(labels, expected)
    assert problem in owner
    assert bool(owner) == bool(problem)


def test_a_namespace_that_a_cluster_was_given_stays_its_own_without_labels() -> None:
    assert not tenancy.other_owner({}, tenancy.cluster_labels(Member("a", "b")), was_given=True)


def test_an_account_is_marked_with_its_revision_and_keeps_no_secret_that_nobody_needs() -> None:
    wanted = tenancy.cluster_objects(MEMBER, NOBODY, None, "2")
    assert not of(wanted, SECRETS)
    account = of(wanted, SERVICEACCOUNTS)["kubeslice-shop", "kubeslice-rbac-worker-west"]
    assert account["metadata"]["annotations"][names.CREDENTIAL_REVISION_ANNOTATION] == "2"
