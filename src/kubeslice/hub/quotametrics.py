"""What the hub measures of the limits of slices."""

from collections.abc import Mapping

from kubeslice.hub.groups import SliceName
from kubeslice.runtime.metrics import CollectorRegistry, Gauge


class QuotaMetrics:
    """A gauge for each limited resource of a slice; those of limits that are gone go with them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._used = Gauge(
            "kubeslice_hub_slice_quota_used_ratio",
            "Part of a slice's limit that is used, 1 when it is full.",
            ["slice_project", "slice", "resource"],
            registry=registry,
        )
        self._known: dict[SliceName, set[str]] = {}

    def stand(self, name: SliceName, ratios: Mapping[str, float]) -> None:
        """Tell which part of each limit of a slice is used."""
        for resource in self._known.get(name, set()) - ratios.keys():
            self._used.remove(*name, resource)
        for resource, ratio in ratios.items():
            self._used.labels(*name, resource).set(ratio)
        self._known[name] = set(ratios)

    def gone(self, name: SliceName) -> None:
        """Forget the limits of a slice."""
        self.stand(name, {})
        del self._known[name]
