"""What a slice uses of what it may use: the status of its SliceResourceQuota. Called by the hub's quota reconciler."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from kubeslice.model import conditions
from kubeslice.model.quotas import NamespaceUse, QuotaUse
from kubeslice.model.sliceresourcequota import MAX_LISTED
from kubeslice.plan import findings, quantities
from kubeslice.plan.findings import Finding
from kubeslice.plan.hub import quotas
from kubeslice.plan.hub.quotas import EXPORTS, SHARED, Amounts, Division, Share

WITHIN = "WithinQuota"
_NAMED = 5


class Line(NamedTuple):
    """One limit at one place and what is used of it."""

    place: str
    resource: str
    used: int
    hard: int

    @property
    def ratio(self) -> float:
        """Return the part that is used; above 1 when it is too much."""
        return self.used / self.hard if self.hard else float(self.used > 0)


@dataclass(frozen=True)
class Usage:
    """The limits of a slice beside what its workers report; a cluster whose worker reports nothing is not in `told`."""

    division: Division
    told: Mapping[str, QuotaUse]

    def of_share(self, share: Share) -> dict[str, int]:
        """Return what a namespace uses in a cluster."""
        told = self.told.get(share.cluster, QuotaUse())
        return next((_used(use) for use in told.namespaces if use.namespace == share.namespace), {})

    def of_cluster(self, cluster: str) -> dict[str, int]:
        """Return what a cluster uses."""
        return quotas.total(_used(use) for use in self.told.get(cluster, QuotaUse()).namespaces)

    @property
    def of_all(self) -> dict[str, int]:
        """Return what the whole slice uses."""
        return quotas.total(self.of_cluster(cluster) for cluster in self.told)

    def lines(self) -> Iterator[Line]:
        """Yield every limit with its use: of the slice, of its clusters, of their namespaces."""
        yield from _lines("the slice", self.of_all, self.division.total)
        for cluster, hard in self.division.clusters.items():
            yield from _lines(f"cluster {cluster}", self.of_cluster(cluster), hard)
        for share in self.division.shares:
            yield from _lines(f"{share.namespace} in {share.cluster}", self.of_share(share), share.hard)


def status(usage: Usage) -> dict[str, Any]:
    """Return the status fields."""
    division, fullest = usage.division, _fullest(usage)
    return {
        "hard": quotas.written(division.total),
        "used": quotas.written(usage.of_all),
        "fullest": f"{fullest.resource} {fullest.ratio:.0%}" if fullest else "",
        "clusters": [
            {"cluster": cluster, "hard": quotas.written(hard), "used": quotas.written(usage.of_cluster(cluster))}
            for cluster, hard in division.clusters.items()
        ],
        "namespaces": [_namespace(share, usage) for share in _fullest_first(usage)[:MAX_LISTED]],
    }


def judge(usage: Usage) -> list[Finding]:
    """Return the conditions of limits that make sense."""
    limited, told = len(usage.division.clusters), len(usage.told)
    shares = sum(1 for share in usage.division.shares if share.hard)
    sentence = f"namespaces with limits: {shares} in {limited} clusters, {told} of which report their use"
    empty = [f"{share.namespace} in {share.cluster}" for share in usage.division.shares if _is_nothing(share)]
    if empty:
        sentence += f"; the even share of {empty[0]} is nothing: raise the limits, or give namespaces entries"
    above = [line for line in usage.lines() if line.used > line.hard]
    if not above:
        within = Finding(WITHIN, "True", "WithinQuota", "nothing uses more than it may")
    else:
        message = f"{_told(above)}: nothing more is let in there; raise the limits or remove something"
        within = Finding(WITHIN, "False", "QuotaExceeded", message)
    return [findings.ready("Enforced", sentence), within]


def _is_nothing(share: Share) -> bool:
    return any(share.hard[resource] == 0 for resource in share.fair)


def invalid(reason: str, sentence: str) -> list[Finding]:
    """Return the condition of limits that make no sense: those from before stay in force."""
    return [Finding(conditions.READY, "False", reason, f"{sentence}; until then the limits stay as they were")]


def ratios(usage: Usage) -> dict[str, float]:
    """Return the used part of every limit of the whole slice."""
    return {line.resource: line.ratio for line in _lines("", usage.of_all, usage.division.total)}


def _lines(place: str, used: Amounts, hard: Amounts) -> Iterator[Line]:
    for resource in SHARED:
        if resource in hard:
            yield Line(place, resource, used.get(resource, 0), hard[resource])


def _fullest(usage: Usage) -> Line | None:
    return max(usage.lines(), key=lambda line: line.ratio, default=None)


def _fullest_first(usage: Usage) -> Sequence[Share]:
    def emptiness(share: Share) -> tuple[float, str, str]:
        filled = max((line.ratio for line in _lines("", usage.of_share(share), share.hard)), default=0.0)
        return -filled, share.cluster, share.namespace

    return sorted((share for share in usage.division.shares if share.hard), key=emptiness)


def _namespace(share: Share, usage: Usage) -> dict[str, Any]:
    return {
        "cluster": share.cluster,
        "namespace": share.namespace,
        "hard": quotas.written(share.hard),
        "used": quotas.written(usage.of_share(share)),
        "fairShare": sorted(share.fair),
    }


def _used(use: NamespaceUse) -> dict[str, int]:
    found = {resource: quantities.parse(resource, text) for resource, text in use.used.items()}
    return {resource: amount for resource, amount in found.items() if amount is not None} | {
        EXPORTS: use.exported_services
    }


def _told(above: Sequence[Line]) -> str:
    shown = "; ".join(
        f"{line.place} uses {quantities.render(line.resource, line.used)} {line.resource} of "
        f"{quantities.render(line.resource, line.hard)}"
        for line in above[:_NAMED]
    )
    return f"{shown} and {len(above) - _NAMED} more" if len(above) > _NAMED else shown
