"""Access rules, webhook configurations, network policies and the like: mostly defaults."""

from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.types.strategy import Strategy

_RBAC = "rbac.authorization.k8s.io"


def _default_binding(binding: Object) -> None:
    reference = binding.get("roleRef")
    if isinstance(reference, dict) and not reference.get("apiGroup"):
        reference["apiGroup"] = _RBAC
    for subject in binding.get("subjects") or []:
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", _RBAC)


def _default_webhooks(configuration: Object) -> None:
    for webhook in configuration.get("webhooks") or []:
        webhook.setdefault("failurePolicy", "Fail")
        webhook.setdefault("matchPolicy", "Equivalent")
        webhook.setdefault("namespaceSelector", {})
        webhook.setdefault("objectSelector", {})
        webhook.setdefault("timeoutSeconds", 10)
        for rule in webhook.get("rules") or []:
            rule.setdefault("scope", "*")
        service = (webhook.get("clientConfig") or {}).get("service")
        if service is not None:
            service.setdefault("port", 443)


def _default_mutating(configuration: Object) -> None:
    _default_webhooks(configuration)
    for webhook in configuration.get("webhooks") or []:
        webhook.setdefault("reinvocationPolicy", "Never")


def _default_network_policy(policy: Object) -> None:
    spec = policy.setdefault("spec", {})
    spec.setdefault("podSelector", {})
    if not spec.get("policyTypes"):
        spec["policyTypes"] = ["Ingress"] + (["Egress"] if spec.get("egress") else [])
    for direction in ("ingress", "egress"):
        for rule in spec.get(direction) or []:
            for port in rule.get("ports") or []:
                port.setdefault("protocol", "TCP")


def _default_priority_class(priority: Object) -> None:
    priority.setdefault("preemptionPolicy", "PreemptLowerPriority")


ROLES = Strategy(create_on_update=True)
ROLE_BINDINGS = Strategy(default=_default_binding, create_on_update=True)
MUTATING_WEBHOOKS = Strategy(default=_default_mutating, unconditional_update=False)
VALIDATING_WEBHOOKS = Strategy(default=_default_webhooks, unconditional_update=False)
ADMISSION_POLICIES = Strategy(unconditional_update=False)
NETWORK_POLICIES = Strategy(default=_default_network_policy)
_BUDGET_COUNTERS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
DISRUPTION_BUDGETS = Strategy(born_status=_BUDGET_COUNTERS)
PRIORITY_CLASSES = Strategy(default=_default_priority_class)
