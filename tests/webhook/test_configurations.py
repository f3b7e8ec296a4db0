"""What API servers are told to ask: harmless, narrow, complete."""

import pytest

from kubeslice.model import names
from kubeslice.webhook.configurations import Home, Role, configurations

HOME = Home("kubeslice-system", b"PEM", "uid-1")


@pytest.mark.parametrize("role", ["hub", "worker"])
def test_a_webhook_that_is_down_stops_nobody(role: Role) -> None:
    for _, obj in configurations(role, HOME):
        for webhook in obj["webhooks"]:
            assert webhook["failurePolicy"] == "Ignore"
            assert webhook["timeoutSeconds"] == 2
            assert webhook["sideEffects"] == "None"
            assert "*" not in str(webhook["rules"])
            assert not any("/" in r for rule in webhook["rules"] for r in rule["resources"]), "no status writes"


@pytest.mark.parametrize("role", ["hub", "worker"])
def test_the_configuration_goes_with_the_namespace(role: Role) -> None:
    for _, obj in configurations(role, HOME):
        assert obj["metadata"]["ownerReferences"][0]["uid"] == "uid-1"


def test_only_pods_of_slices_namespaces_are_asked_about() -> None:
    (_, obj), _ = configurations("worker", HOME)
    (webhook,) = obj["webhooks"]
    assert webhook["namespaceSelector"] == {"matchLabels": {names.INJECT_LABEL: "true"}}
    assert webhook["objectSelector"]["matchExpressions"][0]["operator"] == "NotIn"
    assert webhook["rules"][0]["operations"] == ["CREATE"]
