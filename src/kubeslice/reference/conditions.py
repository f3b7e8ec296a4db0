"""The page of condition types, reasons and refusals, as the source has them.

Which kinds a module speaks about cannot be read off it and is listed here; a module that is missing stops the
generator, and with it `make check`.
"""

import re

from kubeslice.manifests import hubbounds
from kubeslice.plan.tenants.credentials import DEFAULT_SECONDS
from kubeslice.reference import markdown, sentences
from kubeslice.reference.sentences import Problem, Sentence

PACKAGES = ("plan", "hub", "worker", "agent", "gateway", "router", "dns", "webhook")
EXPORTS = "ServiceExport, ServiceImport, WorkerServiceImport"
IN_A_CLUSTER = "Slice, WorkerSliceConfig"
SUBJECTS = {
    "hub.projects": "Project",
    "plan.hub.clusters": "Cluster",
    "plan.cluster.worker_cluster": "Cluster",
    "hub.clusters": "Cluster",
    "plan.tenants.credentials": "Cluster",
    "plan.hub.departure": "Cluster",
    "hub.departures": "Cluster",
    "plan.hub.standing": "SliceConfig",
    "plan.address.pools": "SliceIpam",
    "plan.keys.rotation_report": "VpnKeyRotation",
    "hub.slices": "SliceConfig",
    "plan.findings": "Project, Cluster, SliceConfig, ServiceExport",
    "plan.cluster.worker_parts": IN_A_CLUSTER,
    "plan.cluster.worker_report": IN_A_CLUSTER,
    "plan.cluster.isolation": IN_A_CLUSTER,
    "worker.hublink": "Slice",
    "plan.cluster.worker_gateway": "SliceGateway, WorkerSliceGateway",
    "plan.services.exports": "ServiceExportConfig",
    "hub.exports": "ServiceExportConfig",
    "plan.hub.quota_report": "SliceResourceQuota",
    "hub.quotas": "SliceResourceQuota",
    "plan.cluster.worker_quotas": EXPORTS,
    "plan.services.discovery": EXPORTS,
    "worker.exports": EXPORTS,
}
# Modules that decide a reason and a sentence as a pair, and the condition this becomes.
OUTCOMES = {
    "hub.projects": "Ready",
    "hub.clusters": "Ready",
    "plan.services.exports": "Ready",
    "worker.hublink": "HubReachable",
}
CHECKS = {
    "plan.problems": "names of Projects, Clusters and SliceConfigs",
    "plan.checks.clusterchecks": "Project, Cluster",
    "plan.checks.slicechecks": "SliceConfig, SliceQoSConfig",
    "plan.checks.addresschecks": "addresses of a SliceConfig",
    "plan.checks.claimchecks": "SliceConfig beside the other slices of its project",
    "plan.checks.homechecks": "namespaces of Projects, Clusters, SliceConfigs and SliceQoSConfigs",
    "plan.checks.obstacles": "deletions",
    "plan.checks.topologychecks": "topology of a SliceConfig",
    "plan.checks.keychecks": "renewal of a SliceConfig's keys",
    "plan.checks.effective": "SliceConfig, not made by this version",
    "plan.checks.exportchecks": "ServiceExport",
    "plan.checks.quotachecks": "SliceResourceQuota",
    "plan.cluster.worker_quotas": "ServiceExport beside the limits of its slice",
}
# What is filled into the sentence of a policy: CEL between two pieces of text.
_IN_SENTENCE = re.compile(r"' \+ .*? \+ '")


def page() -> str:
    """Return the page of conditions and refusals."""
    found = list(dict.fromkeys(sentences.conditions(PACKAGES, OUTCOMES)))
    refused = list(dict.fromkeys(sentences.problems(PACKAGES)))
    parts = [part for kinds in dict.fromkeys(SUBJECTS.values()) for part in _conditions(kinds, found)]
    _nothing_forgotten({sentence.module for sentence in found} - SUBJECTS.keys())
    _nothing_forgotten({problem.module for problem in refused} - CHECKS.keys())
    return markdown.page(
        "Conditions and refusals",
        "`Ready` sums an object up; its message says in one sentence what is the matter and what to do. "
        "… stands for what is filled in.",
        *parts,
        "## Refusals",
        "The webhook refuses an object with these sentences. If one got in all the same, a Project or Cluster has "
        "`Ready=False` with the reason, a SliceConfig `Accepted=False` with the reason `InvalidSpec` and the sentence.",
        *(part for module, what in CHECKS.items() for part in _refusals(module, what, refused)),
        "### writes of workers, and tokens for them",
        "The hub's API server refuses these by policies of its own, whether the webhook is there or not.",
        _by_policies(),
    )


def _conditions(kinds: str, found: list[Sentence]) -> list[str]:
    rows = [
        (markdown.code(one.type), one.status, markdown.code(one.reason), one.message)
        for one in found
        if SUBJECTS.get(one.module) == kinds
    ]
    return [f"## {kinds}", markdown.table(("type", "status", "reason", "message"), rows)]


def _refusals(module: str, what: str, refused: list[Problem]) -> list[str]:
    rows = [(markdown.code(one.field), markdown.code(one.reason), one.message) for one in refused]
    own = [row for row, one in zip(rows, refused, strict=True) if one.module == module]
    return [f"### {what}", markdown.table(("field", "reason", "sentence"), own)]


def _by_policies() -> str:
    rows = [
        (markdown.code(bound.name), _IN_SENTENCE.sub("…", validation.sentence).strip("'"))
        for bound in hubbounds.bounds(DEFAULT_SECONDS)
        for validation in bound.validations
    ]
    return markdown.table(("policy", "sentence"), rows)


def _nothing_forgotten(modules: set[str]) -> None:
    if modules:
        raise LookupError(f"{', '.join(sorted(modules))}: say in kubeslice.reference.conditions what they speak about")
