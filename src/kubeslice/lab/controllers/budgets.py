"""How many pods a PodDisruptionBudget lets go now, and the controller that writes it.

Source: pkg/controller/disruption.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from kubeslice.kube import objects
from kubeslice.kube.api import Api, Object
from kubeslice.kube.informer import Informer
from kubeslice.lab.controllers import index, pods, selectors, statuses
from kubeslice.lab.controllers.index import Index
from kubeslice.lab.controllers.keys import keys_of
from kubeslice.lab.controllers.kinds import DISRUPTIONBUDGETS
from kubeslice.model.ids import Key
from kubeslice.runtime.clock import Clock
from kubeslice.runtime.controller import Controller, Result
from kubeslice.runtime.sources import Source

FORGIVEN = 120.0


class Budgets:
    """Reconciles one budget at a time; `owners` are the informers of what makes pods."""

    def __init__(
        self, api: Api, budgets: Informer, pod_informer: Informer, owners: Sequence[Informer], clock: Clock
    ) -> None:
        self._api = api
        self._budgets = budgets
        self._clock = clock
        self._pods = Index(pod_informer, index.namespace)
        self._owners = [Index(owner, lambda obj: [objects.uid(obj)]) for owner in owners]
        sources = [Source(budgets, keys_of), Source(pod_informer, self._keys_of_pod)]
        self.controller = Controller("disruption", self, sources)

    async def reconcile(self, key: Key) -> Result:
        """Write the status of one budget."""
        budget = self._budgets.get(key.name, key.namespace)
        if budget is None:
            return Result()
        chosen = [pod for pod in self._pods.get(key.namespace) if selects(budget, pod)]
        now = self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        wanted = status(budget, chosen, self._scale(chosen), now)
        await statuses.write(self._api, DISRUPTIONBUDGETS, budget, wanted)
        return Result(after=FORGIVEN if wanted.get("disruptedPods") else None)

    def _scale(self, chosen: Sequence[Object]) -> int:
        """Return how many pods the owners of these want in all; a pod without one counts itself."""
        owners = {reference["uid"] for pod in chosen if (reference := pods.owner(pod))}
        known = [obj for uid in owners for owner in self._owners for obj in owner.get(uid)]
        alone = sum(pods.owner(pod) is None for pod in chosen)
        return alone + sum(int(objects.spec(obj).get("replicas", 1)) for obj in known)

    def _keys_of_pod(self, pod: Object) -> Iterable[Key]:
        around = self._budgets.items(objects.namespace(pod))
        return [key for budget in around if selects(budget, pod) for key in keys_of(budget)]


def selects(budget: Object, pod: Object) -> bool:
    """Tell whether the budget is about the pod."""
    return selectors.matches(objects.spec(budget).get("selector"), objects.labels(pod))


def status(budget: Object, chosen: Sequence[Object], scale: int, now: str) -> dict[str, Any]:
    """Return the budget's status for its pods, whose owners want `scale` of them."""
    leaving = _leaving(budget, chosen, now)
    healthy = sum(_is_healthy(pod) and objects.name(pod) not in leaving for pod in chosen)
    expected, desired = _desired(objects.spec(budget), len(chosen), scale)
    allowed = max(0, healthy - desired) if expected else 0
    return {
        "observedGeneration": budget["metadata"].get("generation", 0),
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        "disruptionsAllowed": allowed,
        "conditions": [_condition(budget, allowed, now)],
    } | ({"disruptedPods": leaving} if leaving else {})


def _is_healthy(pod: Object) -> bool:
    return pods.is_active(pod) and pods.is_ready(pod)


def _leaving(budget: Object, chosen: Sequence[Object], now: str) -> dict[str, str]:
    """Return the pods whose eviction was allowed, and of which nothing was seen yet."""
    present = {objects.name(pod) for pod in chosen if pods.is_active(pod)}
    known = objects.status(budget).get("disruptedPods") or {}
    moment = pods.parse_time(now)
    return {
        name: since
        for name, since in known.items()
        if name in present and (moment - pods.parse_time(since)).total_seconds() < FORGIVEN
    }


def _desired(spec: dict[str, Any], count: int, scale: int) -> tuple[int, int]:
    """Return how many pods are expected, and how many of them have to be healthy."""
    if (most := spec.get("maxUnavailable")) is not None:
        return scale, max(0, scale - _number(most, scale))
    least = spec.get("minAvailable", 1)
    expected = scale if isinstance(least, str) else count
    return expected, _number(least, expected)


def _number(value: int | str, whole: int) -> int:
    if isinstance(value, str):
        return math.ceil(int(value.removesuffix("%")) * whole / 100)
    return int(value)


def _condition(budget: Object, allowed: int, now: str) -> dict[str, Any]:
    state, reason = ("True", "SufficientPods") if allowed else ("False", "InsufficientPods")
    before = objects.condition(budget, "DisruptionAllowed") or {}
    return {
        "type": "DisruptionAllowed",
        "status": state,
        "reason": reason,
        "message": "",
        "observedGeneration": budget["metadata"].get("generation", 0),
        "lastTransitionTime": before["lastTransitionTime"] if before.get("status") == state else now,
    }
