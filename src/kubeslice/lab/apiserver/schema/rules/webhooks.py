"""Configurations of admission webhooks.

Source: k8s.io/kubernetes/pkg/apis/admissionregistration/validation.
"""

from collections.abc import Iterator

from kubeslice.lab.apiserver.interfaces import FieldError, Object
from kubeslice.lab.apiserver.schema.complaints import child, duplicate, invalid, not_supported, required
from kubeslice.lab.apiserver.schema.rules import names

_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_POLICIES = ("Fail", "Ignore")
_MAX_TIMEOUT = 30


def check_configuration(obj: Object, _old: Object | None) -> list[FieldError]:
    """Check a MutatingWebhookConfiguration or ValidatingWebhookConfiguration."""
    found: list[FieldError] = []
    seen: set[str] = set()
    for index, webhook in enumerate(obj.get("webhooks") or []):
        path = f"webhooks[{index}]"
        name = webhook.get("name") or ""
        found.extend(_check_webhook(webhook, path))
        if name and name in seen:
            found.append(duplicate(child(path, "name"), name))
        seen.add(name)
    return found


def _check_webhook(webhook: Object, path: str) -> Iterator[FieldError]:
    name = webhook.get("name") or ""
    if not name:
        yield required(child(path, "name"))
    elif names.dns_subdomain(name):
        yield from (invalid(child(path, "name"), name, why) for why in names.dns_subdomain(name))
    elif name.count(".") < 2:
        yield invalid(child(path, "name"), name, "should be a domain with at least three segments separated by dots")
    if not webhook.get("admissionReviewVersions"):
        versions = "must specify one of v1, v1beta1"
        yield required(child(path, "admissionReviewVersions"), versions)
    for index, rule in enumerate(webhook.get("rules") or []):
        yield from _check_rule(rule, f"{path}.rules[{index}]")
    if webhook.get("failurePolicy") not in (None, *_POLICIES):
        yield not_supported(child(path, "failurePolicy"), webhook["failurePolicy"], _POLICIES)
    if not webhook.get("sideEffects"):
        yield required(child(path, "sideEffects"), "must specify one of None, NoneOnDryRun")
    elif webhook["sideEffects"] not in _SIDE_EFFECTS:
        yield not_supported(child(path, "sideEffects"), webhook["sideEffects"], _SIDE_EFFECTS)
    timeout = webhook.get("timeoutSeconds")
    if timeout is not None and not 1 <= timeout <= _MAX_TIMEOUT:
        yield invalid(child(path, "timeoutSeconds"), timeout, "the timeout value must be between 1 and 30 seconds")
    yield from _check_client(webhook.get("clientConfig") or {}, child(path, "clientConfig"))


def _check_rule(rule: Object, path: str) -> Iterator[FieldError]:
    for field in ("operations", "apiGroups", "apiVersions", "resources"):
        if not rule.get(field):
            yield required(child(path, field))
    for index, operation in enumerate(rule.get("operations") or []):
        if operation not in _OPERATIONS:
            yield not_supported(f"{path}.operations[{index}]", operation, _OPERATIONS)


def _check_client(client: Object, path: str) -> Iterator[FieldError]:
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    if url is not None and not url.startswith("https://"):
        yield invalid(
            child(path, "url"), url, "'https' is the only allowed URL scheme; desired format: https://host[/path]"
        )
    if service is not None:
        for field in ("name", "namespace"):
            if not service.get(field):
                yield required(child(path, f"service.{field}"), f"service {field} is required")
