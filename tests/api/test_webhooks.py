"""Admission webhooks: the server asks a real HTTPS server on this machine before it stores a write."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.api.client import Client, Object
from tests.lab.apiserver.tls import server_tls

pytestmark = pytest.mark.api

CONFIGURATIONS = "/apis/admissionregistration.k8s.io/v1"


@dataclass
class Hook:
    """A webhook server and what it answers."""

    url: str = ""
    bundle: str = ""
    asked: list[Object] = field(default_factory=list)
    answer: Callable[[Object], Object] = field(default=lambda _request: {"allowed": True})

    async def serve(self, request: web.Request) -> web.Response:
        review = await request.json()
        self.asked.append(review["request"])
        answered = {"uid": review["request"]["uid"], **self.answer(review["request"])}
        answer = {"kind": "AdmissionReview", "apiVersion": review["apiVersion"], "response": answered}
        response = web.json_response(answer)
        response.force_close()
        return response


@pytest.fixture
async def hook(tmp_path: Path) -> AsyncIterator[Hook]:
    context, authority = server_tls(tmp_path, "localhost")
    found = Hook(bundle=base64.b64encode(authority).decode())
    app = web.Application()
    app.router.add_post("/{path:.*}", found.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    found.url = f"https://localhost:{runner.addresses[0][1]}/check"
    yield found
    await runner.cleanup()


@pytest.fixture
async def configure(api: Client, hook: Hook, namespace: str, name: str) -> AsyncIterator[Callable[..., Any]]:
    """Configure a webhook for the config maps of the test's namespace."""
    made: list[str] = []

    async def run(kind: str, **webhook: Any) -> None:
        one = {
            "name": f"{name}.example.com",
            "clientConfig": {"url": hook.url, "caBundle": hook.bundle},
            "rules": [
                {"operations": ["*"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"]},
            ],
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            "objectSelector": {"matchExpressions": [{"key": "skip", "operator": "DoesNotExist"}]},
            "sideEffects": "None",
            "admissionReviewVersions": ["v1"],
            **webhook,
        }
        where = f"{CONFIGURATIONS}/{kind}webhookconfigurations"
        made.append(f"{where}/{name}")
        (await api.create(where, {"metadata": {"name": name}, "webhooks": [one]})).expect(201)
        await settled(api, hook, namespace)

    yield run
    for path in made:
        await api.delete(path)


async def settled(api: Client, hook: Hook, namespace: str) -> None:
    """Wait until the server knows of a new configuration; it may take a moment."""
    for attempt in range(100):
        reply = await api.create(maps(namespace), {"metadata": {"name": f"probe-{attempt}"}}, dryRun="All")
        if hook.asked or reply.code != 201:
            hook.asked.clear()
            return
    raise AssertionError


def maps(namespace: str, name: str = "") -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps" + (f"/{name}" if name else "")


async def test_a_webhook_refuses(api: Client, hook: Hook, configure: Any, namespace: str, name: str) -> None:
    status = {"code": 403, "reason": "Forbidden", "message": "not today"}
    hook.answer = lambda _request: {"allowed": False, "status": status}
    await configure("validating")
    refused = await api.create(maps(namespace), {"metadata": {"name": "a"}})
    assert refused.expect(403)["message"] == f'admission webhook "{name}.example.com" denied the request: not today'
    assert hook.asked[0]["object"]["metadata"]["name"] == "a"
    assert hook.asked[0]["operation"] == "CREATE"
    (await api.create(maps(namespace), {"metadata": {"name": "b", "labels": {"skip": "yes"}}})).expect(201)


async def test_a_webhook_warns(api: Client, hook: Hook, configure: Any, namespace: str) -> None:
    hook.answer = lambda _request: {"allowed": True, "warnings": ["careful"]}
    await configure("validating")
    made = await api.create(maps(namespace), {"metadata": {"name": "a"}})
    made.expect(201)
    assert made.headers["Warning"] == '299 - "careful"'


async def test_a_webhook_changes(api: Client, hook: Hook, configure: Any, namespace: str) -> None:
    patch = json.dumps([{"op": "add", "path": "/data", "value": {"added": "yes"}}])
    encoded = base64.b64encode(patch.encode()).decode()
    hook.answer = lambda _request: {"allowed": True, "patchType": "JSONPatch", "patch": encoded}
    await configure("mutating")
    made = await api.create(maps(namespace), {"metadata": {"name": "a"}})
    assert made.expect(201)["data"] == {"added": "yes"}
    assert (await api.get(maps(namespace, "a"))).expect()["data"] == {"added": "yes"}


async def test_a_webhook_sees_updates_and_deletions(api: Client, hook: Hook, configure: Any, namespace: str) -> None:
    await api.create(maps(namespace), {"metadata": {"name": "a"}, "data": {"k": "1"}})
    await configure("validating")
    await api.update(maps(namespace, "a"), {"metadata": {"name": "a"}, "data": {"k": "2"}})
    await api.delete(maps(namespace, "a"))
    update, deletion = hook.asked
    assert (update["operation"], update["oldObject"]["data"], update["object"]["data"]) == (
        "UPDATE",
        {"k": "1"},
        {"k": "2"},
    )
    assert (deletion["operation"], deletion["object"], deletion["oldObject"]["data"]) == ("DELETE", None, {"k": "2"})


async def test_a_webhook_that_is_down(api: Client, hook: Hook, configure: Any, namespace: str, name: str) -> None:
    client = {"url": "https://localhost:1/check", "caBundle": hook.bundle}
    await configure("validating", clientConfig=client)
    refused = await api.create(maps(namespace), {"metadata": {"name": "a"}})
    message = refused.expect(500)["message"]
    assert (
        f'failed calling webhook "{name}.example.com": failed to call webhook: Post "https://localhost:1/check'
        in message
    )


async def test_a_condition_decides_who_is_asked(api: Client, hook: Hook, configure: Any, namespace: str) -> None:
    conditions = [{"name": "probes", "expression": "object.metadata.name.startsWith('probe') || has(object.data)"}]
    await configure("validating", matchConditions=conditions)
    (await api.create(maps(namespace), {"metadata": {"name": "a"}})).expect(201)
    (await api.create(maps(namespace), {"metadata": {"name": "b"}, "data": {"k": "v"}})).expect(201)
    assert [asked["name"] for asked in hook.asked] == ["b"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "short"}, "webhooks[0].name"),
        ({"sideEffects": "Some"}, "webhooks[0].sideEffects"),
        ({"timeoutSeconds": 99}, "webhooks[0].timeoutSeconds"),
        ({"failurePolicy": "Maybe"}, "webhooks[0].failurePolicy"),
    ],
)
async def test_bad_configurations_are_refused(api: Client, name: str, change: Object, path: str) -> None:
    one = {
        "name": "a.example.com",
        "clientConfig": {"url": "https://localhost:1/"},
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **change,
    }
    refused = await api.create(
        f"{CONFIGURATIONS}/validatingwebhookconfigurations", {"metadata": {"name": name}, "webhooks": [one]}
    )
    refused.expect(422)
    assert path in [cause["field"] for cause in refused.causes]
