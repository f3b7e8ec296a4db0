"""The rules of `plan.tenants.policies` as objects for worker clusters: admission policies, or Gatekeeper's.

Called by the command `kubeslice policies render`. Both forms hold the same expressions: ValidatingAdmissionPolicy
(Kubernetes 1.30 and newer), and ConstraintTemplates of Gatekeeper's CEL engine (3.18 and newer).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from kubeslice.model import names
from kubeslice.model.resources import PODS, Resource
from kubeslice.plan.tenants.policies import CREATE, SECURITY, UPDATE, Rule, of_bundles

Object = dict[str, Any]

ADMISSION = "admissionregistration.k8s.io/v1"
TEMPLATES, CONSTRAINTS = "templates.gatekeeper.sh/v1", "constraints.gatekeeper.sh/v1beta1"
_OF_PODS = {
    "containers": "object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])",
    "everyContainer": "variables.containers + "
    "(has(object.spec.ephemeralContainers) ? object.spec.ephemeralContainers : [])",
}


@dataclass(frozen=True)
class Tenant:
    """A project as its policies see it: its slices mark its namespaces in worker clusters."""

    project: str
    slices: Sequence[str]
    bundles: Collection[str]
    storage_classes: Sequence[str] = ()


def admission_policies(tenant: Tenant) -> list[Object]:
    """Return a ValidatingAdmissionPolicy and its binding for each bundle and resource."""
    groups: dict[tuple[str, Resource], list[Rule]] = {}
    for rule in of_bundles(tenant.bundles):
        groups.setdefault((rule.bundle, rule.resource), []).append(rule)
    return [obj for (bundle, resource), rules in groups.items() for obj in _policy(tenant, bundle, resource, rules)]


def gatekeeper(tenant: Tenant) -> list[Object]:
    """Return a ConstraintTemplate for each rule, the same for all projects, and the project's Constraint of it."""
    return [obj for rule in of_bundles(tenant.bundles) for obj in (_template(rule), _constraint(tenant, rule))]


def variables(rule_resource: Resource) -> dict[str, str]:
    """Return the named expressions that rules about a resource may use, each made of those before it."""
    return _OF_PODS if rule_resource == PODS else {}


def _policy(tenant: Tenant, bundle: str, resource: Resource, rules: Sequence[Rule]) -> list[Object]:
    """Return the policy with the rules about one resource, which are about the same operations, and its binding."""
    name = f"kubeslice-{tenant.project}-{bundle}-{resource.plural}"
    named = {**_params(tenant, rules), **variables(resource)}
    policy = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": _resource_rules(bundle, resource, rules[0].operations)},
        **({"variables": _listed(named)} if named else {}),
        "validations": [
            {"expression": rule.expression, "message": rule.message, "reason": "Forbidden"} for rule in rules
        ],
    }
    binding = {
        "policyName": name,
        "validationActions": ["Deny"],
        "matchResources": {"namespaceSelector": _namespaces(tenant)},
    }
    return [
        _object(ADMISSION, "ValidatingAdmissionPolicy", name, policy),
        _object(ADMISSION, "ValidatingAdmissionPolicyBinding", name, binding),
    ]


def _resource_rules(bundle: str, resource: Resource, operations: Sequence[str]) -> list[Object]:
    found = [_resource_rule(resource, resource.plural, operations)]
    if resource == PODS and bundle == SECURITY:
        # A container that is added to a pod that runs.
        found.append(_resource_rule(resource, "pods/ephemeralcontainers", [UPDATE]))
    return found


def _resource_rule(resource: Resource, plural: str, operations: Sequence[str]) -> Object:
    return {
        "apiGroups": [resource.group],
        "apiVersions": [resource.version],
        "operations": list(operations),
        "resources": [plural],
    }


def _params(tenant: Tenant, rules: Sequence[Rule]) -> dict[str, str]:
    if not any(_needs_params(rule) for rule in rules):
        return {}
    listed = ", ".join(f"'{name}'" for name in tenant.storage_classes)
    return {"params": f"{{'storageClasses': [{listed}]}}"}


def _template(rule: Rule) -> Object:
    source: Object = {"validations": [{"expression": _as_gatekeeper_asks(rule), "message": rule.message}]}
    named = variables(rule.resource)
    if named:
        source = {"variables": _listed(named), **source}
    text = {"type": "array", "items": {"type": "string"}}
    schema: Object = {"type": "object", "properties": {"storageClasses": text} if _needs_params(rule) else {}}
    crd = {"spec": {"names": {"kind": _kind(rule)}, "validation": {"openAPIV3Schema": schema}}}
    code = [{"engine": "K8sNativeValidation", "source": source}]
    target = {"target": "admission.k8s.gatekeeper.sh", "code": code}
    return _object(TEMPLATES, "ConstraintTemplate", _kind(rule).lower(), {"crd": crd, "targets": [target]})


def _constraint(tenant: Tenant, rule: Rule) -> Object:
    kinds = [{"apiGroups": [rule.resource.group], "kinds": [rule.resource.kind]}]
    spec: Object = {
        "enforcementAction": "deny",
        "match": {"kinds": kinds, "namespaceSelector": _namespaces(tenant)},
    }
    if _needs_params(rule):
        spec["parameters"] = {"storageClasses": list(tenant.storage_classes)}
    return _object(CONSTRAINTS, _kind(rule), f"kubeslice-{tenant.project}", spec)


def _as_gatekeeper_asks(rule: Rule) -> str:
    """Return the expression for an engine that asks on every operation: let pass those that the rule is not about."""
    if rule.operations == (CREATE,):
        return f"oldObject != null || ({rule.expression})"
    if CREATE not in rule.operations:
        return f"oldObject == null || ({rule.expression})"
    return f"object == null || ({rule.expression})"


def _kind(rule: Rule) -> str:
    return "KubeSlice" + "".join(word.capitalize() for word in rule.name.split("-"))


def _needs_params(rule: Rule) -> bool:
    return "variables.params" in rule.expression


def _listed(named: dict[str, str]) -> list[Object]:
    return [{"name": name, "expression": expression} for name, expression in named.items()]


def _namespaces(tenant: Tenant) -> Object:
    return {"matchExpressions": [{"key": names.SLICE_LABEL, "operator": "In", "values": sorted(tenant.slices)}]}


def _object(api_version: str, kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "labels": {names.PART_OF_LABEL: "kubeslice"}}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
