"""One webhook of a configuration, read once, and whether a write concerns it.

Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates and webhook/matchconditions.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubeslice.lab.apiserver.authn import describe
from kubeslice.lab.apiserver.interfaces import AdmissionRequest, Object, ObjectReader
from kubeslice.lab.apiserver.selection.labels import selects

if TYPE_CHECKING:
    from kubeslice.lab.apiserver.schema.cel.program import Program

_EXEMPT = frozenset(
    {
        "mutatingwebhookconfigurations",
        "validatingwebhookconfigurations",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    }
)
_VARIABLES = {"object": "dyn", "oldObject": "dyn", "request": "dyn"}
_DEFAULT_TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class Condition:
    """A match condition: a CEL expression; None when it does not compile."""

    name: str
    program: "Program | None"


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook with what its configuration says about it."""

    name: str
    configuration: str
    client: Mapping[str, Any]
    rules: tuple[Mapping[str, Any], ...]
    namespace_selector: Mapping[str, Any]
    object_selector: Mapping[str, Any]
    conditions: tuple[Condition, ...]
    ignores_failure: bool
    timeout: float
    reinvoked: bool
    has_side_effects: bool
    versions: tuple[str, ...]

    def has_rule_for(self, request: AdmissionRequest) -> bool:
        """Tell whether one of the rules names the resource and operation."""
        return not is_exempt(request) and any(rule_matches(rule, request) for rule in self.rules)

    def selects_object(self, *objects: Object | None) -> bool:
        """Tell whether the object selector wants the object as it is or as it was."""
        if not self.object_selector:
            return True
        return any(selects(self.object_selector, _labels(obj)) for obj in objects if obj is not None)


def hooks_of(configurations: Iterable[Object]) -> list[Hook]:
    """Return the webhooks of configurations in the order in which they are called."""
    ordered = sorted(configurations, key=lambda configuration: configuration["metadata"]["name"])
    return [_hook(one["metadata"]["name"], webhook) for one in ordered for webhook in one.get("webhooks") or ()]


def _hook(configuration: str, webhook: Object) -> Hook:
    return Hook(
        name=webhook.get("name") or "",
        configuration=configuration,
        client=webhook.get("clientConfig") or {},
        rules=tuple(webhook.get("rules") or ()),
        namespace_selector=webhook.get("namespaceSelector") or {},
        object_selector=webhook.get("objectSelector") or {},
        conditions=tuple(_conditions(webhook.get("matchConditions") or ())),
        ignores_failure=webhook.get("failurePolicy") == "Ignore",
        timeout=float(webhook.get("timeoutSeconds") or _DEFAULT_TIMEOUT),
        reinvoked=webhook.get("reinvocationPolicy") == "IfNeeded",
        has_side_effects=webhook.get("sideEffects") not in ("None", "NoneOnDryRun"),
        versions=tuple(webhook.get("admissionReviewVersions") or ("v1",)),
    )


def _conditions(conditions: Iterable[Object]) -> Iterator[Condition]:
    for condition in conditions:
        from kubeslice.lab.apiserver.schema.cel.program import (  # noqa: PLC0415 - loads the engine
            CompileError,
            compile_program,
        )

        try:
            program = compile_program(condition.get("expression") or "", _VARIABLES)
        except CompileError:
            program = None
        yield Condition(condition.get("name") or "", program)


def is_exempt(request: AdmissionRequest) -> bool:
    """Tell whether the write is about what says who is asked: nobody is asked about that."""
    return request.resource.resource in _EXEMPT


def rule_matches(rule: Mapping[str, Any], request: AdmissionRequest) -> bool:
    """Tell whether a rule names the resource and operation of a write."""
    operations = rule.get("operations") or ()
    return (
        ("*" in operations or request.operation in operations)
        and _has(rule.get("apiGroups"), request.resource.group)
        and _has(rule.get("apiVersions"), request.resource.version)
        and any(_resource_matches(pattern, request) for pattern in rule.get("resources") or ())
        and _scope_matches(rule.get("scope") or "*", request)
    )


def _has(patterns: list[str] | None, value: str) -> bool:
    return bool(patterns) and ("*" in patterns or value in patterns)  # type: ignore[operator]


def _resource_matches(pattern: str, request: AdmissionRequest) -> bool:
    resource, _, subresource = pattern.partition("/")
    return resource in ("*", request.resource.resource) and subresource in (
        ("*", request.subresource) if subresource else (request.subresource,)
    )


def selects_namespace(
    reader: ObjectReader,
    selector: Mapping[str, Any],
    request: AdmissionRequest,
    obj: Object | None,
    old: Object | None,
) -> bool:
    """Tell whether a selector wants the namespace that a write is in; all it does of what is in none."""
    if not selector:
        return True
    if is_namespace(request):
        found = obj if obj is not None else old
    elif request.namespace:
        found = reader.get("", "namespaces", "", request.namespace)
    else:
        return True
    return selects(selector, _labels(found or {}))


def is_namespace(request: AdmissionRequest) -> bool:
    """Tell whether the write is about a Namespace itself."""
    return request.resource.group == "" and request.resource.resource == "namespaces"


def _scope_matches(scope: str, request: AdmissionRequest) -> bool:
    if scope == "*":
        return True
    is_namespaced = bool(request.namespace) and not is_namespace(request)
    return is_namespaced == (scope == "Namespaced")


def _labels(obj: Object) -> Mapping[str, str]:
    return (obj.get("metadata") or {}).get("labels") or {}


def described_request(request: AdmissionRequest, uid: str) -> Object:
    """Return the `request` of an AdmissionReview without its objects."""
    kind, resource = request.kind._asdict(), request.resource._asdict()
    described: Object = {"uid": uid, "kind": kind, "resource": resource}
    if request.subresource:
        described["subResource"] = request.subresource
    described |= {"requestKind": kind, "requestResource": resource}
    if request.subresource:
        described["requestSubResource"] = request.subresource
    if request.name:
        described["name"] = request.name
    if request.namespace:
        described["namespace"] = request.namespace
    described |= {"operation": request.operation, "userInfo": describe(request.user)}
    return described


def conditions_hold(hook: Hook, request: AdmissionRequest, obj: Object | None, old: Object | None) -> bool:
    """Tell whether all match conditions hold. Raises `ConditionError` when one has no value and none is false."""
    if not hook.conditions:
        return True
    from kubeslice.lab.apiserver.schema.cel.program import EvaluationError  # noqa: PLC0415 - loads the engine

    variables = {"object": obj, "oldObject": old, "request": described_request(request, "")}
    errors = []
    for condition in hook.conditions:
        try:
            if condition.program is None:
                errors.append(f"expression of match condition {condition.name} does not compile")
            elif condition.program.evaluate(variables) is not True:
                return False
        except EvaluationError as error:
            errors.append(str(error))
    if errors:
        raise ConditionError("; ".join(errors))
    return True


class ConditionError(Exception):
    """A match condition could not be evaluated."""
