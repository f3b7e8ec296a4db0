"""The hub's check beside many objects: quick, and never at a loss, whatever it is asked."""

import asyncio
import copy
import json
import random
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from kubeslice.bench.admission import HOME, Size, furnish, reviews
from kubeslice.kube.config import from_kubeconfig
from kubeslice.kube.http import HttpApi
from kubeslice.model import names
from kubeslice.plan import admission
from kubeslice.plan.admission import BadReview
from kubeslice.webhook.hubcheck import HubCheck
from kubeslice.webhook.server import decide
from kubeslice.webhook.workercheck import WorkerCheck
from tests.model import samples
from tests.webhook.running import until

pytestmark = pytest.mark.api

MANY = Size(100, 100)
SEEDS = range(8)
MUTANTS = 60
ODD: tuple[Any, ...] = (
    *(None, True, -1, 2**70, 1.5),
    *("", "x" * 300, "10.1.0.0/16", "\ud800", "\0"),
    *([], [None], [[]], {}, {"spec": 1}, ["*", "c1"]),
)


@asynccontextmanager
async def judging(kubeconfig: Path) -> AsyncIterator[HubCheck]:
    async with HttpApi(from_kubeconfig(kubeconfig)) as api:
        check = HubCheck(api)
        running = asyncio.create_task(check.run())

        async def is_synced() -> bool:
            return check.is_synced

        await until(is_synced)
        yield check
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.fixture
async def check(admin: HttpApi, loopback_cluster: Path) -> AsyncIterator[HubCheck]:
    await furnish(admin, MANY)
    async with judging(loopback_cluster) as found:
        yield found


def requests() -> Iterator[Any]:
    """Yield good requests about every kind."""
    update = next(reviews(Size(1, 5)))["request"]
    yield update
    plurals = {
        "sliceconfigs": samples.LONG_SLICE,
        "clusters": samples.CLUSTER,
        "projects": {"metadata": {"name": "x"}, "spec": {"serviceAccount": {"readOnly": ["ann"]}}},
        "sliceqosconfigs": {"metadata": {"name": "x"}, "spec": {"priority": 1, "bandwidthCeilingKbps": 2}},
        "serviceexportconfigs": {"metadata": {"name": "x"}, "spec": {"sliceName": "s1", "sourceCluster": "c1"}},
        "sliceipams": {"metadata": {"name": "s1"}, "spec": {"sliceName": "s1"}},
        "namespaces": {"metadata": {"name": HOME, "labels": {names.PROJECT_LABEL: names.project_of(HOME)}}},
        "vpnkeyrotations": {"metadata": {"name": "s1"}, "spec": {"sliceName": "s1"}},
    }
    for plural, obj in plurals.items():
        home = names.HUB_NAMESPACE if plural == "projects" else HOME
        resource = {"group": "controller.kubeslice.io", "resource": plural}
        common = {"uid": "u", "resource": resource, "namespace": home, "name": "x"}
        yield {**common, "operation": "CREATE", "object": obj}
        yield {**common, "operation": "UPDATE", "object": obj, "oldObject": {**obj, "spec": {}}}
        yield {**common, "operation": "DELETE", "oldObject": obj}


def mutant(request: Any, dice: random.Random) -> Any:
    """Return the request with some of its values replaced, left out or put elsewhere."""
    changed = copy.deepcopy(request)
    for _ in range(dice.randint(1, 4)):
        places = list(_places(changed))
        holder, key = dice.choice(places)
        what = dice.random()
        if what < 0.2 and isinstance(holder, dict):
            holder.pop(key, None)
        elif what < 0.8:
            holder[key] = copy.deepcopy(dice.choice(ODD))
        else:
            other, place = dice.choice(places)
            with suppress(KeyError, IndexError):
                holder[key] = copy.deepcopy(other[place])
    return changed


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    found = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in found:
        yield value, key
        yield from _places(below)


async def verdict(check: HubCheck | WorkerCheck, request: Any) -> str:
    """Return how a request was decided; what is no review at all is refused before."""
    try:
        review = admission.read_review(json.dumps({"request": request}).encode())
    except BadReview:
        return "refused"
    outcomes = []
    for way in (check.mutate, check.validate):
        answer, outcome = await decide(way, review)
        json.dumps(admission.answer(review, answer)).encode()
        outcomes.append(outcome)
    return max(outcomes, key=("allowed", "refused", "error").index)


async def test_there_is_always_an_answer_and_it_comes_soon(check: HubCheck) -> None:
    good = list(requests())
    assert await verdict(check, good[0]) == "allowed"
    for seed in SEEDS:
        dice = random.Random(seed)
        for request in (mutant(dice.choice(good), dice) for _ in range(MUTANTS)):
            assert await verdict(check, request) != "error", request
    bodies = [json.dumps({"request": review["request"]}).encode() for review in islice(reviews(MANY), 200)]
    taken = []
    for body in bodies:
        started = time.process_time()
        answer, outcome = await decide(check.validate, admission.read_review(body))
        taken.append(time.process_time() - started)
        assert (outcome, len(answer.warnings)) == ("allowed", 1), "only that workers are waited for"
    # Processor time: others on the machine do not count. The budget is 10 ms for all of an answer.
    assert sorted(taken)[-3] < 0.01


def requests_to_workers() -> Iterator[Any]:
    """Yield good requests about what a worker's webhook is asked."""
    pod = {
        "metadata": {"name": "x", "labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c"}], "initContainers": []},
    }
    for plural, obj in (("pods", pod), ("serviceexports", samples.EXPORT)):
        common = {"uid": "u", "resource": {"group": "", "resource": plural}, "namespace": "default", "name": "x"}
        yield {**common, "operation": "CREATE", "object": obj}
        yield {**common, "operation": "UPDATE", "object": obj, "oldObject": {**obj, "spec": {}}}


async def test_so_does_a_workers(admin: HttpApi) -> None:
    check, good = WorkerCheck(admin, "image"), list(requests_to_workers())
    for seed in SEEDS:
        dice = random.Random(seed)
        for request in (mutant(dice.choice(good), dice) for _ in range(MUTANTS // 4)):
            assert await verdict(check, request) != "error", request
