"""Who may do what: tokens, roles, bindings, escalation, impersonation, reviews."""

from typing import Any

import pytest

from tests.api.client import Client, Object

pytestmark = pytest.mark.api

RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"


async def account(api: Client, namespace: str, name: str = "bot") -> Client:
    """Make a service account and return the client that is it."""
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    (await api.create(accounts, {"metadata": {"name": name}})).expect(201)
    request = {"spec": {"expirationSeconds": 600}}
    made = (await api.create(f"{accounts}/{name}/token", request)).expect(201)
    return api.as_user(made["status"]["token"])


async def grant(api: Client, namespace: str, *rules: Object, name: str = "r") -> None:
    """Give the service account `bot` these rules in its namespace."""
    where = f"{RBAC}/namespaces/{namespace}"
    (await api.create(f"{where}/roles", {"metadata": {"name": name}, "rules": list(rules)})).expect(201)
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": namespace}],
    }
    (await api.create(f"{where}/rolebindings", binding)).expect(201)


def rule(verbs: str, resources: str, group: str = "", **more: Any) -> Object:
    return {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split(), **more}


def maps(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps" + (f"/{name}" if name else "")


async def test_a_wrong_token_is_nobody(api: Client) -> None:
    refused = await api.as_user("wrong").get("/api/v1/namespaces")
    assert refused.expect(401)["message"] == "Unauthorized"


async def test_without_a_token_one_is_anonymous(api: Client) -> None:
    refused = await api.as_user(None).get("/api/v1/namespaces")
    assert refused.expect(403)["message"] == (
        'namespaces is forbidden: User "system:anonymous" cannot list resource "namespaces" in API group "" '
        "at the cluster scope"
    )
    (await api.as_user(None).get("/version")).expect()


async def test_an_account_may_do_what_it_is_granted(api: Client, namespace: str) -> None:
    bot = await account(api, namespace)
    who = f"system:serviceaccount:{namespace}:bot"
    refused = await bot.get(maps(namespace))
    assert refused.expect(403)["message"] == (
        f'configmaps is forbidden: User "{who}" cannot list resource "configmaps" in API group "" '
        f'in the namespace "{namespace}"'
    )
    await grant(api, namespace, rule("get list", "configmaps"))
    await bot.until(maps(namespace), lambda reply: reply.code == 200)
    (await bot.create(maps(namespace), {"metadata": {"name": "a"}})).expect(403)
    (await bot.get(maps("default"))).expect(403)


async def test_names_confine_a_rule(api: Client, namespace: str) -> None:
    bot = await account(api, namespace)
    await grant(api, namespace, rule("get", "configmaps", resourceNames=["mine"]))
    for name in ("mine", "yours"):
        await api.create(maps(namespace), {"metadata": {"name": name}})
    await bot.until(maps(namespace, "mine"), lambda reply: reply.code == 200)
    (await bot.get(maps(namespace, "yours"))).expect(403)
    (await bot.get(maps(namespace))).expect(403)


async def test_nobody_grants_what_they_do_not_hold(api: Client, namespace: str) -> None:
    bot = await account(api, namespace)
    await grant(api, namespace, rule("get", "configmaps"), rule("create get", "roles rolebindings", GROUP))
    roles = f"{RBAC}/namespaces/{namespace}/roles"
    await bot.until(f"{roles}/r", lambda reply: reply.code == 200)
    refused = await bot.create(roles, {"metadata": {"name": "more"}, "rules": [rule("get", "secrets")]})
    message = refused.expect(403)["message"]
    assert "is attempting to grant RBAC permissions not currently held:\n" in message
    assert '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}' in message
    (await bot.create(roles, {"metadata": {"name": "less"}, "rules": [rule("get", "configmaps")]})).expect(201)
    binding = {
        "metadata": {"name": "all"},
        "roleRef": {"apiGroup": GROUP, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": namespace}],
    }
    (await bot.create(f"{RBAC}/namespaces/{namespace}/rolebindings", binding)).expect(403)


async def test_a_role_that_is_missing_cannot_be_granted(api: Client, namespace: str) -> None:
    bot = await account(api, namespace)
    await grant(api, namespace, rule("create get patch", "roles rolebindings", GROUP))
    await bot.until(f"{RBAC}/namespaces/{namespace}/roles/r", lambda reply: reply.code == 200)
    binding = {
        "apiVersion": f"{GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": "missing"},
        "subjects": [{"kind": "ServiceAccount", "name": "bot", "namespace": namespace}],
    }
    where = f"{RBAC}/namespaces/{namespace}/rolebindings"
    for refused in (await bot.create(where, binding), await bot.apply(f"{where}/b", binding, "bot")):
        assert refused.expect(404)["message"] == f'rolebindings.{GROUP} "missing" not found'


async def test_the_role_of_a_binding_stays(api: Client, namespace: str) -> None:
    await grant(api, namespace, rule("get", "configmaps"))
    where = f"{RBAC}/namespaces/{namespace}/rolebindings/r"
    binding = (await api.get(where)).expect()
    binding["roleRef"]["name"] = "other"
    refused = await api.update(where, binding)
    assert "cannot change roleRef" in refused.expect(422)["message"]


async def test_a_token_ends_with_its_account(api: Client, namespace: str) -> None:
    bot = await account(api, namespace)
    (await bot.get("/version")).expect()
    (await bot.get(maps(namespace))).expect(403)
    await api.delete(f"/api/v1/namespaces/{namespace}/serviceaccounts/bot")
    await bot.until(maps(namespace), lambda reply: reply.code == 401)


async def test_a_token_secret_is_filled_in(api: Client, namespace: str) -> None:
    await account(api, namespace)
    secrets = f"/api/v1/namespaces/{namespace}/secrets"
    metadata = {"name": "t", "annotations": {"kubernetes.io/service-account.name": "bot"}}
    (await api.create(secrets, {"metadata": metadata, "type": "kubernetes.io/service-account-token"})).expect(201)
    filled = await api.until(f"{secrets}/t", lambda reply: "token" in (reply.body.get("data") or {}))
    import base64  # noqa: PLC0415

    bot = api.as_user(base64.b64decode(filled["data"]["token"]).decode())
    (await bot.get(maps(namespace))).expect(403)
    await api.delete(f"{secrets}/t")
    await bot.until(maps(namespace), lambda reply: reply.code == 401)


async def test_an_administrator_can_act_as_somebody_else(api: Client, namespace: str) -> None:
    headers = {"Impersonate-User": "jim", "Impersonate-Group": "dev"}
    refused = await api.request("GET", maps(namespace), headers=headers)
    assert 'User "jim" cannot list resource "configmaps"' in refused.expect(403)["message"]
    bot = await account(api, namespace)
    refused = await bot.request("GET", maps(namespace), headers=headers)
    assert 'cannot impersonate resource "users"' in refused.expect(403)["message"]


async def test_reviews_answer_what_is_allowed(api: Client, namespace: str) -> None:
    bot = await account(api, namespace)
    await grant(api, namespace, rule("get", "configmaps"))
    await bot.until(maps(namespace, "x"), lambda reply: reply.code == 404)
    reviews = "/apis/authorization.k8s.io/v1"
    asked = {"namespace": namespace, "verb": "get", "resource": "configmaps"}
    yes = await bot.create(f"{reviews}/selfsubjectaccessreviews", {"spec": {"resourceAttributes": asked}})
    assert yes.expect(201)["status"]["allowed"] is True
    no = await bot.create(
        f"{reviews}/selfsubjectaccessreviews", {"spec": {"resourceAttributes": asked | {"verb": "delete"}}}
    )
    assert no.expect(201)["status"]["allowed"] is False
    about = {"spec": {"resourceAttributes": asked, "user": f"system:serviceaccount:{namespace}:bot"}}
    assert (await api.create(f"{reviews}/subjectaccessreviews", about)).expect(201)["status"]["allowed"] is True
    rules = await bot.create(f"{reviews}/selfsubjectrulesreviews", {"spec": {"namespace": namespace}})
    assert {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]} in rules.expect(201)["status"][
        "resourceRules"
    ]


async def test_a_token_is_reviewed(api: Client, namespace: str) -> None:
    accounts = f"/api/v1/namespaces/{namespace}/serviceaccounts"
    made = (await api.create(f"{accounts}/default/token", {"spec": {"expirationSeconds": 600}})).expect(201)
    reviews = "/apis/authentication.k8s.io/v1/tokenreviews"
    found = (await api.create(reviews, {"spec": {"token": made["status"]["token"]}})).expect(201)
    assert found["status"]["authenticated"] is True
    assert found["status"]["user"]["username"] == f"system:serviceaccount:{namespace}:default"
    wrong = (await api.create(reviews, {"spec": {"token": "wrong"}})).expect(201)
    assert not wrong["status"].get("authenticated")
