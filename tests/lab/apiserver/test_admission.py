"""Admission webhooks: which writes concern them, and what their answers do; against a real HTTPS server."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from kubeslice.lab.apiserver.admission import Webhooks
from kubeslice.lab.apiserver.interfaces import (
    AdmissionRequest,
    ApiError,
    GroupVersionKind,
    GroupVersionResource,
    UserInfo,
)
from tests.lab.apiserver.stored import Stored
from tests.lab.apiserver.tls import server_tls

Json = dict[str, Any]
GROUP = "admissionregistration.k8s.io"
RULE = {"operations": ["CREATE", "UPDATE"], "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"]}
POD = {"kind": "Pod", "metadata": {"name": "p", "namespace": "a", "labels": {"app": "x"}}, "spec": {}}


@dataclass
class Hook:
    """A webhook server: what it was asked, and what it answers."""

    port: int = 0
    bundle: str = ""
    asked: list[Json] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    answer: Callable[[Json], Json] = field(default=lambda _request: {"allowed": True})
    delay: float = 0

    async def serve(self, request: web.Request) -> web.Response:
        review = await request.json()
        self.asked.append(review["request"])
        self.paths.append(request.path_qs)
        await asyncio.sleep(self.delay)
        answered = {"uid": review["request"]["uid"], **self.answer(review["request"])}
        answer = {"kind": "AdmissionReview", "apiVersion": review["apiVersion"], "response": answered}
        response = web.json_response(answer)
        response.force_close()
        return response


@pytest.fixture
async def hook(tmp_path: Path) -> AsyncIterator[Hook]:
    context, authority = server_tls(tmp_path, "hook.a.svc")
    found = Hook(bundle=base64.b64encode(authority).decode())
    app = web.Application()
    app.router.add_post("/{path:.*}", found.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


@pytest.fixture
def stored(hook: Hook) -> Stored:
    found = Stored()
    found.put("", "namespaces", {"metadata": {"name": "a", "labels": {"team": "red"}}})
    spec = {"clusterIP": "127.0.0.1", "ports": [{"port": hook.port}]}
    found.put("", "services", {"metadata": {"name": "hook", "namespace": "a"}, "spec": spec})
    return found


@pytest.fixture
async def webhooks(stored: Stored) -> AsyncIterator[Webhooks]:
    found = Webhooks(stored)
    yield found
    await found.close()


def configure(stored: Stored, hook: Hook, kind: str = "validating", *, named: str = "c", **webhook: Any) -> None:
    client = {
        "service": {"name": "hook", "namespace": "a", "path": "/check", "port": hook.port},
        "caBundle": hook.bundle,
    }
    one = {
        "name": f"{named}.example.com",
        "clientConfig": client,
        "rules": [RULE],
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **webhook,
    }
    stored.put(GROUP, f"{kind}webhookconfigurations", {"metadata": {"name": named}, "webhooks": [one]})


def request(operation: Any = "CREATE", resource: str = "pods", **changes: Any) -> AdmissionRequest:
    values: Json = {
        "kind": GroupVersionKind("", "v1", "Pod"),
        "resource": GroupVersionResource("", "v1", resource),
        "operation": operation,
        "user": UserInfo("jim", ("g",)),
        "name": "p",
        "namespace": "a",
        **changes,
    }
    return AdmissionRequest(**values)


def patching(*operations: Json) -> Callable[[Json], Json]:
    encoded = base64.b64encode(json.dumps(operations).encode()).decode()
    return lambda _request: {"allowed": True, "patchType": "JSONPatch", "patch": encoded}


async def test_without_configurations_nobody_is_asked(webhooks: Webhooks, hook: Hook) -> None:
    assert await webhooks.mutate(request(), POD, None) is POD
    await webhooks.validate(request(), POD, None)
    assert hook.asked == []


async def test_a_review_says_everything_about_the_write(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    configure(stored, hook, timeoutSeconds=3)
    await webhooks.validate(request("UPDATE", subresource=""), POD, {**POD, "old": True})
    (asked,) = hook.asked
    assert hook.paths == ["/check?timeout=3s"]
    assert asked["kind"] == {"group": "", "version": "v1", "kind": "Pod"}
    assert asked["resource"] == {"group": "", "version": "v1", "resource": "pods"}
    assert (asked["operation"], asked["name"], asked["namespace"]) == ("UPDATE", "p", "a")
    assert asked["userInfo"] == {"username": "jim", "groups": ["g"]}
    assert asked["object"] == POD
    assert asked["oldObject"] == {**POD, "old": True}
    assert asked["dryRun"] is False


async def test_a_denial_is_the_answer_to_the_client(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    configure(stored, hook)
    status = {"code": 403, "reason": "Forbidden", "message": "not on Fridays"}
    hook.answer = lambda _request: {"allowed": False, "status": status, "warnings": ["think again"]}
    asked = request()
    with pytest.raises(ApiError) as refused:
        await webhooks.validate(asked, POD, None)
    assert (refused.value.code, refused.value.reason) == (403, "Forbidden")
    assert refused.value.message == 'admission webhook "c.example.com" denied the request: not on Fridays'
    assert asked.warnings == ["think again"]
    hook.answer = lambda _request: {"allowed": False}
    with pytest.raises(ApiError) as refused:
        await webhooks.validate(request(), POD, None)
    assert refused.value.code == 400
    assert refused.value.message == 'admission webhook "c.example.com" denied the request without explanation'


@pytest.mark.parametrize(
    ("webhook", "asked", "is_called"),
    [
        ({}, request(), True),
        ({}, request("DELETE"), False),
        ({}, request(resource="services"), False),
        ({}, request(subresource="status"), False),
        ({"rules": [{**RULE, "resources": ["pods/*"]}]}, request(subresource="status"), True),
        ({"rules": [{**RULE, "resources": ["*/status"]}]}, request(subresource="status"), True),
        ({"rules": [{**RULE, "operations": ["*"], "apiGroups": ["*"], "resources": ["*"]}]}, request("DELETE"), True),
        ({"rules": [{**RULE, "scope": "Cluster"}]}, request(), False),
        ({"rules": [{**RULE, "scope": "Namespaced"}]}, request(), True),
        ({"namespaceSelector": {"matchLabels": {"team": "red"}}}, request(), True),
        ({"namespaceSelector": {"matchLabels": {"team": "blue"}}}, request(), False),
        ({"namespaceSelector": {"matchExpressions": [{"key": "x", "operator": "DoesNotExist"}]}}, request(), True),
        ({"objectSelector": {"matchLabels": {"app": "x"}}}, request(), True),
        ({"objectSelector": {"matchLabels": {"app": "y"}}}, request(), False),
        ({"matchConditions": [{"name": "a", "expression": "object.metadata.name == 'p'"}]}, request(), True),
        ({"matchConditions": [{"name": "a", "expression": "request.userInfo.username == 'kim'"}]}, request(), False),
    ],
)
async def test_only_writes_that_match_are_sent(
    webhooks: Webhooks, stored: Stored, hook: Hook, webhook: Json, asked: AdmissionRequest, is_called: bool
) -> None:
    configure(stored, hook, **webhook)
    await webhooks.validate(asked, POD, None)
    assert bool(hook.asked) is is_called


async def test_the_labels_of_a_namespace_are_its_own(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    rule = {**RULE, "resources": ["namespaces"]}
    configure(stored, hook, rules=[rule], namespaceSelector={"matchLabels": {"team": "blue"}})
    asked = request(resource="namespaces", name="n", namespace="n")
    await webhooks.validate(asked, {"metadata": {"name": "n", "labels": {"team": "blue"}}}, None)
    await webhooks.validate(asked, {"metadata": {"name": "n"}}, None)
    assert len(hook.asked) == 1


async def test_patches_change_the_object_in_order(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    hook.answer = lambda asked: patching(
        {"op": "add", "path": f"/spec/step{len(asked['object']['spec'])}", "value": len(asked["object"]["spec"])}
    )(asked)
    configure(stored, hook, "mutating", named="a")
    configure(stored, hook, "mutating", named="b")
    changed = await webhooks.mutate(request(), POD, None)
    assert changed is not None
    assert changed["spec"] == {"step0": 0, "step1": 1}
    assert POD["spec"] == {}


async def test_a_webhook_sees_later_changes_where_it_wants_to(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    configure(stored, hook, "mutating", named="a", reinvocationPolicy="IfNeeded")
    configure(stored, hook, "mutating", named="b")
    seen: list[Json] = []

    def answer(asked: Json) -> Json:
        seen.append(asked["object"]["spec"])
        return patching({"op": "add", "path": "/spec/b", "value": 1})(asked) if len(seen) == 2 else {"allowed": True}

    hook.answer = answer
    await webhooks.mutate(request(), POD, None)
    assert seen == [{}, {}, {"b": 1}]


async def test_a_failing_webhook_blocks_or_not_as_it_says(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    client = {"service": {"name": "gone", "namespace": "a"}, "caBundle": hook.bundle}
    configure(stored, hook, clientConfig=client)
    with pytest.raises(ApiError) as refused:
        await webhooks.validate(request(), POD, None)
    assert (refused.value.code, refused.value.reason) == (500, "InternalError")
    assert refused.value.message == (
        'Internal error occurred: failed calling webhook "c.example.com": failed to call webhook: '
        'Post "https://gone.a.svc:443/?timeout=10s": service "gone" not found'
    )
    configure(stored, hook, clientConfig=client, failurePolicy="Ignore")
    await webhooks.validate(request(), POD, None)


async def test_a_slow_webhook_is_given_up(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    hook.delay = 3
    configure(stored, hook, timeoutSeconds=1)
    with pytest.raises(ApiError, match=r"check\?timeout=1s\": context deadline exceeded"):
        await webhooks.validate(request(), POD, None)


async def test_a_webhook_must_prove_who_it_is(
    webhooks: Webhooks, stored: Stored, hook: Hook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    _, other = server_tls(tmp_path_factory.mktemp("other"), "hook.a.svc")
    service = {"name": "hook", "namespace": "a", "port": hook.port}
    configure(stored, hook, clientConfig={"service": service, "caBundle": base64.b64encode(other).decode()})
    with pytest.raises(ApiError, match="failed to verify certificate"):
        await webhooks.validate(request(), POD, None)
    assert hook.asked == []


async def test_a_dry_run_spares_webhooks_with_side_effects(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    configure(stored, hook, sideEffects="Some")
    with pytest.raises(ApiError) as refused:
        await webhooks.validate(request(dry_run=True), POD, None)
    assert refused.value.message == 'admission webhook "c.example.com" does not support dry run'
    configure(stored, hook, sideEffects="NoneOnDryRun")
    await webhooks.validate(request(dry_run=True), POD, None)
    assert hook.asked[0]["dryRun"] is True


async def test_an_answer_to_something_else_is_no_answer(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    configure(stored, hook)
    hook.answer = lambda _request: {"allowed": True, "uid": "other"}
    with pytest.raises(ApiError, match=r'received invalid webhook response: expected response\.uid="'):
        await webhooks.validate(request(), POD, None)
    hook.answer = patching({"op": "remove", "path": "/spec"})
    with pytest.raises(ApiError, match=r"may not return response\.patch"):
        await webhooks.validate(request(), POD, None)


async def test_a_changed_configuration_counts_at_once(webhooks: Webhooks, stored: Stored, hook: Hook) -> None:
    configure(stored, hook)
    await webhooks.validate(request(), POD, None)
    stored.remove(GROUP, "validatingwebhookconfigurations", "", "c")
    await webhooks.validate(request(), POD, None)
    assert len(hook.asked) == 1
