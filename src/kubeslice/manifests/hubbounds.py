"""The bounds of workers that RBAC cannot draw and the hub's API server draws by itself, whoever of us is down.

They are ValidatingAdmissionPolicies (Kubernetes 1.30 or newer): each asks about one kind of write, of workers' accounts
or about them, and lets everything else pass unseen. `hubside` installs them; what RBAC holds is in `plan.tenants`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kubeslice.manifests.objects import Object, obj
from kubeslice.model import conditions, names
from kubeslice.model.resources import (
    CLUSTERS,
    SERVICEACCOUNTS,
    SERVICEEXPORTCONFIGS,
    VALIDATINGADMISSIONPOLICIES,
    VALIDATINGADMISSIONPOLICYBINDINGS,
    Resource,
)
from kubeslice.plan.hub import clusters, departure
from kubeslice.plan.tenants import joining, tenancy

# What the hub alone says of a Cluster. People act on it: the Secret that is named there is handed to whoever joins, and
# a revision that is there is taken for a revocation that is in force.
HUBS_CONDITIONS = (
    conditions.READY,
    conditions.FULLY_EFFECTIVE,
    clusters.CREDENTIALS_READY,
    clusters.REACHABLE,
    departure.DEREGISTERED,
)

_ACCOUNT = names.worker_account("")
_BY_A_WORKER = (
    f"request.userInfo.username.startsWith('{names.ACCOUNT_USER_PREFIX}{names.PROJECT_NAMESPACE_PREFIX}') && "
    f"request.userInfo.username.contains(':{_ACCOUNT}')"
)
_FOR_A_WORKER = (
    f"request.namespace.startsWith('{names.PROJECT_NAMESPACE_PREFIX}') && request.name.startsWith('{_ACCOUNT}')"
)


@dataclass(frozen=True, slots=True)
class Validation:
    """A CEL expression that has to hold, and the CEL expression of the sentence when it does not."""

    holds: str
    sentence: str

    def wire(self) -> Object:
        """Return it as an entry of spec.validations."""
        return {"expression": self.holds, "messageExpression": self.sentence}


@dataclass(frozen=True, slots=True)
class Bound:
    """What has to hold for the writes of some resources, or of a subresource, `when` an expression holds."""

    name: str
    resources: tuple[Resource, ...]
    operations: tuple[str, ...]
    when: str
    validations: Sequence[Validation]
    sub: str = ""

    def policy(self, component: str) -> Object:
        """Return the ValidatingAdmissionPolicy."""
        rule = {
            "apiGroups": sorted({resource.group for resource in self.resources}),
            "apiVersions": sorted({resource.version for resource in self.resources}),
            "operations": list(self.operations),
            "resources": [f"{one.plural}/{self.sub}" if self.sub else one.plural for one in self.resources],
            "scope": "Namespaced",
        }
        spec = {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [rule]},
            "matchConditions": [{"name": "concerns-a-worker", "expression": self.when}],
            "validations": [validation.wire() for validation in self.validations],
        }
        return {**obj(VALIDATINGADMISSIONPOLICIES, self.name, "", component), "spec": spec}

    def binding(self, component: str) -> Object:
        """Return what puts the policy in force."""
        spec = {"policyName": self.name, "validationActions": ["Deny"]}
        return {**obj(VALIDATINGADMISSIONPOLICYBINDINGS, self.name, "", component), "spec": spec}


def bounds(credential_seconds: int) -> list[Bound]:
    """Return the bounds of workers where their credentials live `credential_seconds`."""
    return [
        Bound(names.WORKER_OBJECTS_POLICY, tenancy.MADE_FOR_WORKERS, ("UPDATE",), _BY_A_WORKER, _kept_objects()),
        Bound(names.WORKER_REPORTS_POLICY, (CLUSTERS,), ("UPDATE",), _BY_A_WORKER, _kept_words(), sub="status"),
        Bound(
            names.WORKER_EXPORTS_POLICY, (SERVICEEXPORTCONFIGS,), ("CREATE", "UPDATE"), _BY_A_WORKER, [_own_export()]
        ),
        Bound(
            names.WORKER_TOKENS_POLICY,
            (SERVICEACCOUNTS,),
            ("CREATE",),
            _FOR_A_WORKER,
            [_short_token(joining.longest_seconds(credential_seconds))],
            sub="token",
        ),
    ]


def objects(credential_seconds: int, component: str) -> list[Object]:
    """Return the policies and then their bindings, so that none is in force before all are known."""
    drawn = bounds(credential_seconds)
    return [*(bound.policy(component) for bound in drawn), *(bound.binding(component) for bound in drawn)]


def _kept_objects() -> list[Validation]:
    """Return what a worker leaves as it is of the objects that the hub made for it: finalizers are no subresource."""
    said = "a worker changes nothing of this object but its finalizers and its status; the hub writes it"
    parts = {
        "spec": "{}.?spec",
        "metadata.labels": "{}.metadata.?labels.orValue({{}})",
        "metadata.annotations": "{}.metadata.?annotations.orValue({{}})",
        "metadata.ownerReferences": "{}.metadata.?ownerReferences.orValue([])",
    }
    return [Validation(_kept(part), f"'{field}: {said}'") for field, part in parts.items()]


def _kept_words() -> list[Validation]:
    """Return what a worker leaves as it is in the status of its Cluster: RBAC knows only the whole of it."""
    said = "only the hub says this; a worker reports the rest"
    fields = [Validation(_kept(f"{{}}.?status.?{field}"), f"'status.{field}: {said}'") for field in tenancy.PROVIDED]
    listed = ", ".join(f"'{name}'" for name in HUBS_CONDITIONS)
    words = f"{{}}.?status.?conditions.orValue([]).filter(c, c.type in [{listed}])"
    return [*fields, Validation(_kept(words), f"'status.conditions: {said}'")]


def _own_export() -> Validation:
    """Return that a worker exports the services of its own cluster."""
    claimed = "object.?spec.?sourceCluster.orValue('')"
    sentence = f"'spec.sourceCluster: ' + {claimed} + ' is not the cluster of this worker: name that one'"
    return Validation(f"request.userInfo.username.endsWith(':{_ACCOUNT}' + {claimed})", sentence)


def _short_token(longest: int) -> Validation:
    """Return for how long tokens of workers are granted, whoever asks.

    An API server grants what it is asked for: who stole a token could make himself one for years.
    """
    wanted = "object.spec.expirationSeconds"
    sentence = (
        f"'spec.expirationSeconds: ' + string({wanted}) + ' is longer than the {longest} s that a credential of a "
        "worker lives at most: ask for less, the worker renews it'"
    )
    return Validation(f"{wanted} <= {longest}", sentence)


def _kept(part: str) -> str:
    return f"{part.format('object')} == {part.format('oldObject')}"
