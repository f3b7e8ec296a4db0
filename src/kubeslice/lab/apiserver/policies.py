"""Admission by ValidatingAdmissionPolicies: CEL in the server itself, asked before the webhooks for every write.

A policy counts where a binding applies it. Those with parameters of their own (`paramKind`) are stored and not heeded.
Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating (KEP-3488).
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import AdmissionRequest, ApiError, GroupVersionResource, Object, ObjectReader
from kubeslice.lab.apiserver.schema.cel import sight
from kubeslice.lab.apiserver.schema.cel.sight import Sight
from kubeslice.lab.apiserver.webhooks.hook import described_request, is_exempt, rule_matches, selects_namespace

if TYPE_CHECKING:
    from kubeslice.lab.apiserver.schema.cel.program import Program

log = logging.getLogger(__name__)

# What decides whether rules match a write: its resource, subresource and operation, and whether it is in a namespace.
Sort = tuple[GroupVersionResource, str, str, bool]

_GROUP = "admissionregistration.k8s.io"
_POLICIES, _BINDINGS = "validatingadmissionpolicies", "validatingadmissionpolicybindings"
_TYPES = dict.fromkeys(("object", "oldObject", "request", "namespaceObject", "variables"), "dyn")
_CODES = {"Unauthorized": 401, "Forbidden": 403, "RequestEntityTooLarge": 413, "Invalid": 422}


@dataclass(frozen=True, slots=True)
class Validation:
    """An expression that has to hold, and what is said when it does not."""

    source: str
    program: "Program"
    reason: str
    message: str
    worded: "Program | None"

    def complaint(self, given: Any, *, ignores_failure: bool) -> str:
        """Return why it does not hold, "" when it does."""
        from kubeslice.lab.apiserver.schema.cel.program import EvaluationError  # noqa: PLC0415 - loads the engine

        try:
            return "" if self.program.evaluate_given(given) is True else self._words(given)
        except EvaluationError as error:
            return "" if ignores_failure else f"expression '{self.source}' resulted in error: {error}"

    def _words(self, given: Any) -> str:
        from kubeslice.lab.apiserver.schema.cel.program import EvaluationError  # noqa: PLC0415 - loads the engine

        try:
            found = str(self.worded.evaluate_given(given)).strip() if self.worded else ""
        except EvaluationError:
            found = ""
        return found or self.message or f"failed expression: {self.source}"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy with its expressions compiled.

    `passes` holds for every write that the policy has nothing against: one expression instead of all of them. `sight`
    is what they look at.
    """

    name: str
    spec: Object
    variables: tuple[tuple[str, "Program"], ...]
    conditions: tuple["Program", ...]
    validations: tuple[Validation, ...]
    passes: "Program | None"
    sight: Sight

    def complaints(self, seen: Mapping[str, Any], given: Any) -> Iterator[tuple[str, str]]:
        """Yield reason and message of what does not hold; an expression without a value fails as the policy says.

        `given` are the values in `seen`, converted once for all policies.
        """
        from kubeslice.lab.apiserver.schema.cel.program import EvaluationError  # noqa: PLC0415 - loads the engine

        ignores_failure = self.spec.get("failurePolicy") == "Ignore"
        if self._passes(given):
            return
        try:
            if not all(program.evaluate_given(given) is True for program in self.conditions):
                return
        except EvaluationError as error:
            if not ignores_failure:
                yield "Invalid", f"a match condition resulted in error: {error}"
            return
        if self.variables:
            given = self._with_variables(seen)
        for validation in self.validations:
            why = validation.complaint(given, ignores_failure=ignores_failure)
            if why:
                yield validation.reason, why

    def _passes(self, given: Any) -> bool:
        from kubeslice.lab.apiserver.schema.cel.program import EvaluationError  # noqa: PLC0415 - loads the engine

        try:
            return self.passes is not None and self.passes.evaluate_given(given) is True
        except EvaluationError:
            return False

    def _with_variables(self, seen: Mapping[str, Any]) -> Any:
        from kubeslice.lab.apiserver.schema.cel.program import (  # noqa: PLC0415 - loads the engine
            EvaluationError,
            given,
        )

        found: dict[str, Any] = {}
        for name, program in self.variables:
            try:
                found[name] = program.evaluate({**seen, "variables": found})
            except EvaluationError:
                continue  # who uses it has no value either
        return given({**seen, "variables": found}, _TYPES)


@dataclass(frozen=True, slots=True)
class Asked:
    """The policies with rules for one sort of writes, the binding that applies each, and what all of them look at."""

    policies: Sequence[tuple[Policy, Object]]
    sight: Sight


_NOBODY = Asked((), sight.NOTHING)


class Policies:
    """Refuses what the stored policies forbid; compiles them again only after they changed."""

    def __init__(self, reader: ObjectReader) -> None:
        self._reader = reader
        self._compiled: tuple[int, dict[str, Policy]] = (-1, {})
        self._read_at = (-1, -1)
        self._bindings: list[Object] = []
        self._asked: dict[Sort, Asked] = {}

    def check(self, request: AdmissionRequest, obj: Object | None, old: Object | None) -> None:
        """Check a write. Raises the `ApiError` of the first binding that denies it; adds warnings to the request."""
        asked = self._about(request)
        concerned = [
            (policy, binding)
            for policy, binding in asked.policies
            if self._selects(policy, binding["spec"], request, obj, old)
        ]
        if not concerned:
            return
        from kubeslice.lab.apiserver.schema.cel.program import given  # noqa: PLC0415 - loads the engine

        namespace = self._reader.get("", "namespaces", "", request.namespace) if request.namespace else None
        seen: dict[str, Any] = {
            "object": sight.seen(obj, asked.sight),
            "oldObject": sight.seen(old, asked.sight),
            "namespaceObject": namespace,
            "request": described_request(request, ""),
            "variables": {},
        }
        values = given(seen, _TYPES)
        for policy, binding in concerned:
            for reason, why in policy.complaints(seen, values):
                _tell(policy, binding, request, reason, why)

    def _about(self, request: AdmissionRequest) -> "Asked":
        """Return the policies with rules for such a write."""
        self._refresh()
        if not self._bindings or is_exempt(request):
            return _NOBODY
        sort = (request.resource, request.subresource, request.operation, bool(request.namespace))
        known = self._asked.get(sort)
        if known is None:
            bound = ((self._policies().get(one["spec"].get("policyName", "")), one) for one in self._bindings)
            found = [(policy, one) for policy, one in bound if policy and _rules_match(policy, one["spec"], request)]
            known = self._asked[sort] = Asked(
                found, reduce(sight.union, (one.sight for one, _ in found), sight.NOTHING)
            )
        return known

    def _refresh(self) -> None:
        revisions = self._reader.changed_at(_GROUP, _POLICIES), self._reader.changed_at(_GROUP, _BINDINGS)
        if revisions != self._read_at:
            self._read_at = revisions
            self._bindings = sorted(self._reader.list(_GROUP, _BINDINGS), key=lambda obj: obj["metadata"]["name"])
            self._asked = {}

    def _policies(self) -> Mapping[str, Policy]:
        revision = self._read_at[0]
        if self._compiled[0] != revision:
            stored = self._reader.list(_GROUP, _POLICIES)
            self._compiled = revision, {policy.name: policy for policy in map(_compiled, stored) if policy}
        return self._compiled[1]

    def _selects(
        self, policy: Policy, binding: Object, request: AdmissionRequest, obj: Object | None, old: Object | None
    ) -> bool:
        return all(
            selects_namespace(self._reader, one.get("namespaceSelector") or {}, request, obj, old)
            for one in _matches(policy, binding)
        )


def _matches(policy: Policy, binding: Object) -> tuple[Object, Object]:
    return policy.spec.get("matchConstraints") or {}, binding.get("matchResources") or {}


def _rules_match(policy: Policy, binding: Object, request: AdmissionRequest) -> bool:
    wanted, bound = _matches(policy, binding)
    if not any(rule_matches(rule, request) for rule in wanted.get("resourceRules") or ()):
        return False
    if bound.get("resourceRules") and not any(rule_matches(rule, request) for rule in bound["resourceRules"]):
        return False
    excluded = [*(wanted.get("excludeResourceRules") or ()), *(bound.get("excludeResourceRules") or ())]
    return not any(rule_matches(rule, request) for rule in excluded)


def _tell(policy: Policy, binding: Object, request: AdmissionRequest, reason: str, why: str) -> None:
    actions, name = binding["spec"].get("validationActions") or [], binding["metadata"]["name"]
    told = f"ValidatingAdmissionPolicy '{policy.name}' with binding '{name}'"
    if "Warn" in actions:
        request.warnings.append(f"Validation failed for {told}: {why}")
    if "Deny" in actions:
        raise _denial(request, reason, f"{told} denied request: {why}")


def _denial(request: AdmissionRequest, reason: str, why: str) -> ApiError:
    refusal = refusals.forbidden(request.resource.group, request.resource.resource, request.name, why)
    # kubectl prints the causes of what is invalid, and not the message.
    details = {**(refusal.details or {}), "causes": [{"message": why}]}
    return ApiError(_CODES.get(reason, 422), reason, refusal.message, details)


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
            tuple(map(_validation, spec.get("validations") or ())),
            compile_program(_passing(spec), _TYPES) if not spec.get("variables") else None,
            sight.of(_sources(spec)),
        )
    except CompileError as error:
        log.warning("policy %s is not heeded: %s", name, error)
        return None


def _passing(spec: Object) -> str:
    """Return the expression that either a condition does not hold or all validations do; line ends end comments."""
    when = [f"(\n{one['expression']}\n)" for one in spec.get("matchConditions") or ()]
    then = [f"(\n{one['expression']}\n)" for one in spec.get("validations") or ()]
    return f"!({' && '.join(when) or 'true'}) || ({' && '.join(then) or 'true'})"


def _sources(spec: Object) -> Iterator[str]:
    for part in ("variables", "matchConditions", "validations"):
        for one in spec.get(part) or ():
            yield one["expression"]
            yield one.get("messageExpression") or ""


def _validation(said: Object) -> Validation:
    from kubeslice.lab.apiserver.schema.cel.program import compile_program  # noqa: PLC0415 - loads the engine

    source, worded = said["expression"], said.get("messageExpression")
    return Validation(
        source,
        compile_program(source, _TYPES),
        said.get("reason") or "Invalid",
        said.get("message") or "",
        compile_program(worded, _TYPES, returns="string") if worded else None,
    )
