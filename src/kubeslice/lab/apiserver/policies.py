"""Admission by ValidatingAdmissionPolicies: CEL in the server itself, asked before the webhooks for every write.

A policy counts where a binding applies it. Those with parameters of their own (`paramKind`) are stored and not heeded.
Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating (KEP-3488).
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import AdmissionRequest, ApiError, Object, ObjectReader
from kubeslice.lab.apiserver.webhooks.hook import described_request, is_exempt, rule_matches, selects_namespace

if TYPE_CHECKING:
    from kubeslice.lab.apiserver.schema.cel.program import Program

log = logging.getLogger(__name__)

_GROUP = "admissionregistration.k8s.io"
_POLICIES, _BINDINGS = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
_TYPES = dict.fromkeys(("object", "oldObject", "request", "namespaceObject", "variables"), "dyn")
_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy with its expressions compiled."""

    name: str
    spec: Object
    variables: tuple[tuple[str, "Program"], ...]
    conditions: tuple["Program", ...]
    validations: tuple[tuple["Program", Object], ...]

    def complaints(self, seen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield reason and message of what does not hold; an expression without a value fails as the policy says."""
        from kubeslice.lab.apiserver.schema.cel.program import EvaluationError  # noqa: PLC0415 - loads the engine

        given = {**seen, "variables": {}}
        for name, program in self.variables:
            try:
                given["variables"][name] = program.evaluate(given)
            except EvaluationError:
                continue  # who uses it has no value either
        try:
            if not all(program.evaluate(given) is True for program in self.conditions):
                return
        except EvaluationError as error:
            if self.spec.get("failurePolicy") != "Ignore":
                yield "Invalid", f"a match condition resulted in error: {error}"
            return
        for program, said in self.validations:
            try:
                holds, why = (
                    program.evaluate(given) is True,
                    said.get("message") or f"failed expression: {said['expression']}",
                )
            except EvaluationError as error:
                holds, why = (
                    self.spec.get("failurePolicy") == "Ignore",
                    f"expression '{said['expression']}' resulted in error: {error}",
                )
            if not holds:
                yield said.get("reason") or "Invalid", why


class Policies:
    """Refuses what the stored policies forbid; compiles them again only after they changed."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._compiled: tuple[int, dict[str, Policy]] = (-1, {})
        self._bound: tuple[int, list[Object]] = (-1, [])

    def check(self, request: AdmissionRequest, obj: Object | None, old: Object | None) -> None:
        """Check a write. Raises the `ApiError` of the first binding that denies it; adds warnings to the request."""
        bindings = self._bindings()
        if not bindings or is_exempt(request):
            return
        for binding in bindings:
            policy = self._current().get(binding["spec"].get("policyName", ""))
            if policy and self._concerns(policy, binding["spec"], request, obj, old):
                self._apply(policy, binding, request, obj, old)

    def _apply(
        self, policy: Policy, binding: Object, request: AdmissionRequest, obj: Object | None, old: Object | None
    ) -> None:
        namespace = self._reader.get("", "namespaces", "", request.namespace) if request.namespace else None
        seen = {"object": obj, "oldObject": old, "namespaceObject": namespace}
        actions, name = binding["spec"].get("validationActions") or [], binding["metadata"]["name"]
        for reason, why in policy.complaints({**seen, "request": described_request(request, "")}):
            told = f"ValidatingAdmissionPolicy '{policy.name}' with binding '{name}'"
            if "Warn" in actions:
                request.warnings.append(f"Validation failed for {told}: {why}")
            if "Deny" in actions:
                raise _denial(request, reason, f"{told} denied request: {why}")

    def _concerns(
        self, policy: Policy, binding: Object, request: AdmissionRequest, obj: Object | None, old: Object | None
    ) -> bool:
        wanted, bound = policy.spec.get("matchConstraints") or {}, binding.get("matchResources") or {}
        if not any(rule_matches(rule, request) for rule in wanted.get("resourceRules") or ()):
            return False
        if bound.get("resourceRules") and not any(rule_matches(rule, request) for rule in bound["resourceRules"]):
            return False
        excluded = [*(wanted.get("excludeResourceRules") or ()), *(bound.get("excludeResourceRules") or ())]
        return not any(rule_matches(rule, request) for rule in excluded) and all(
            selects_namespace(self._reader, one.get("namespaceSelector") or {}, request, obj, old)
            for one in (wanted, bound)
        )

    def _bindings(self) -> list[Object]:
        revision = self._reader.changed_at(_GROUP, _BINDINGS)
        if self._bound[0] != revision:
            self._bound = (
                revision,
                sorted(self._reader.list(_GROUP, _BINDINGS), key=lambda obj: obj["metadata"]["name"]),
            )
        return self._bound[1]

    def _current(self) -> Mapping[str, Policy]:
        revision = self._reader.changed_at(_GROUP, _POLICIES)
        if self._compiled[0] != revision:
            stored = self._reader.list(_GROUP, _POLICIES)
            self._compiled = revision, {policy.name: policy for policy in map(_compiled, stored) if policy}
        return self._compiled[1]


def _compiled(obj: Object) -> Policy | None:
    from kubeslice.lab.apiserver.schema.cel.program import (  # noqa: PLC0415 - loads the engine
        CompileError,
        compile_program,
    )

    name, spec = obj["metadata"]["name"], obj["spec"]
    if spec.get("paramKind"):
        log.warning("policy %s has parameters of its own and is not heeded", name)
        return None
    try:
        return Policy(
            name,
            spec,
            tuple(
                (one["name"], compile_program(f"dyn({one['expression']})", _TYPES, returns="dyn"))
                for one in spec.get("variables") or ()
            ),
            tuple(compile_program(one["expression"], _TYPES) for one in spec.get("matchConditions") or ()),
            tuple((compile_program(one["expression"], _TYPES), one) for one in spec.get("validations") or ()),
        )
    except CompileError as error:
        log.warning("policy %s is not heeded: %s", name, error)
        return None


def _denial(request: AdmissionRequest, reason: str, why: str) -> ApiError:
    refusal = refusals.forbidden(request.resource.group, request.resource.resource, request.name, why)
    return ApiError(_CODES.get(reason, 422), reason, refusal.message, refusal.details)
