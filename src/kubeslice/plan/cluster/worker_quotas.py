"""The limits of a slice in one cluster: the ResourceQuotas of its namespaces, the exports it may have, what is used.

Called by the worker operator and, for exports, by the worker's webhook. Pods are counted by the cluster itself, which
refuses what is too much; exports are ours to count, and who came first keeps its place.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kubeslice.model import names
from kubeslice.model.quotas import NamespaceUse, QuotaPart, QuotaUse
from kubeslice.model.resources import RESOURCEQUOTAS
from kubeslice.plan import findings
from kubeslice.plan.findings import Finding
from kubeslice.plan.problems import Problem

Object = dict[str, Any]
EXCEEDED = "QuotaExceeded"


class Export(NamedTuple):
    """A ServiceExport of a slice, by which the older and the admitted ones go first."""

    was_refused: bool
    since: str
    namespace: str
    name: str

    @property
    def key(self) -> tuple[str, str]:
        """Return namespace and name."""
        return self.namespace, self.name


def resource_quotas(slice_name: str, part: QuotaPart | None, namespaces: Iterable[str]) -> list[Object]:
    """Return the ResourceQuota of each of a slice's namespaces that has limits."""
    hard = {entry.namespace: entry.hard for entry in part.namespaces} if part else {}
    return [_quota(slice_name, namespace, hard[namespace]) for namespace in sorted(namespaces) if hard.get(namespace)]


def use(part: QuotaPart, quotas: Iterable[Object], exports: Sequence[Export]) -> QuotaUse:
    """Return what a slice uses here, from its ResourceQuotas as the cluster counts them, and its exports."""
    found = {quota["metadata"]["namespace"]: quota.get("status") or {} for quota in quotas}
    refused = refusals(part, exports)
    counts = Counter(export.namespace for export in exports if export.key not in refused)
    lines = [
        NamespaceUse(
            namespace=namespace,
            hard=found.get(namespace, {}).get("hard") or {},
            used=found.get(namespace, {}).get("used") or {},
            exported_services=counts[namespace],
        )
        for namespace in sorted({entry.namespace for entry in part.namespaces} | counts.keys())
    ]
    return QuotaUse(namespaces=lines)


def exports_of(slice_name: str, namespaces: Iterable[str], found: Iterable[Object]) -> list[Export]:
    """Return the exports of a slice, by its name on the hub, from its own namespaces; those that go do not count."""
    onboarded = set(namespaces)
    return [
        _export(obj)
        for obj in found
        if (obj.get("spec") or {}).get("slice") == slice_name
        and obj["metadata"]["namespace"] in onboarded
        and not obj["metadata"].get("deletionTimestamp")
    ]


def refusals(part: QuotaPart | None, exports: Iterable[Export]) -> dict[tuple[str, str], str]:
    """Return for each export that is too much whose limit it breaks, in words."""
    if part is None:
        return {}
    limits = {entry.namespace: entry.exported_services for entry in part.namespaces}
    counts: Counter[str] = Counter()
    refused = {}
    for export in sorted(exports):
        why = _limit_broken(part.exported_services, limits.get(export.namespace), counts, export.namespace)
        if why:
            refused[export.key] = why
        else:
            counts[export.namespace] += 1
    return refused


def obstacle(slice_name: str, why: str) -> Finding:
    """Return the condition of an export that is too much."""
    message = (
        f"{why} on slice {slice_name}, and as many are there: delete one of them, or raise exportedServices in "
        f"SliceResourceQuota {slice_name} on the hub"
    )
    return findings.not_ready("QuotaExceeded", message)


def problems(
    slice_name: str, part: QuotaPart | None, export: tuple[str, str], others: Iterable[Export]
) -> list[Problem]:
    """Return why an export that is about to be made is too much beside those there are."""
    newest = Export(True, "~", *export)
    refused = refusals(part, [*others, newest])
    if export not in refused:
        return []
    return [Problem("spec.slice", obstacle(slice_name, refused[export]).message, reason="QuotaExceeded")]


def _quota(slice_name: str, namespace: str, hard: Mapping[str, str]) -> Object:
    labels = {names.MANAGED_BY_LABEL: names.WORKER_MANAGER, names.SLICE_LABEL: slice_name}
    return {
        "apiVersion": RESOURCEQUOTAS.api_version,
        "kind": RESOURCEQUOTAS.kind,
        "metadata": {"name": names.resource_quota(slice_name), "namespace": namespace, "labels": labels},
        "spec": {"hard": dict(hard)},
    }


def _export(obj: Object) -> Export:
    meta = obj["metadata"]
    conditions = (obj.get("status") or {}).get("conditions")
    was_refused = conditions is None or any(entry.get("reason") == EXCEEDED for entry in conditions)
    return Export(was_refused, str(meta.get("creationTimestamp") or "~"), meta["namespace"], meta["name"])


def _limit_broken(most: int | None, most_there: int | None, counts: Counter[str], namespace: str) -> str:
    if most_there is not None and counts[namespace] >= most_there:
        return f"exportedServices is {most_there} for namespace {namespace}"
    if most is not None and counts.total() >= most:
        return f"exportedServices is {most} for this cluster"
    return ""
