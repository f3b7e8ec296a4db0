from typing import Any

import pytest

from kubeslice.model import names, resources
from kubeslice.plan.services import corefile
from tests.worker.clusters import SYSTEM, eventually
from tests.worker.stage import Stage

pytestmark = pytest.mark.api

COREFILE = ".:53 {\n    errors\n    forward . /etc/resolv.conf\n    reload\n}\n"


async def dns_of_the_cluster(stage: Stage, text: str = COREFILE) -> None:
    configmap = {"metadata": {"name": "coredns", "namespace": "kube-system"}, "data": {"Corefile": text, "other": "x"}}
    await stage.own.create(resources.CONFIGMAPS, configmap)


async def dns_service(stage: Stage) -> Any:
    service = {
        "metadata": {"name": names.DNS_SERVICE, "namespace": SYSTEM},
        "spec": {"selector": {"app": "dns"}, "ports": [{"name": "dns", "port": 53, "protocol": "UDP"}]},
    }
    return (await stage.own.create(resources.SERVICES, service))["spec"]["clusterIP"]


async def written(stage: Stage) -> Any:
    return (await stage.own.get(resources.CONFIGMAPS, "coredns", "kube-system"))["data"]["Corefile"]


def becomes(stage: Stage, wanted: str) -> Any:
    async def holds() -> bool:
        return bool(await written(stage) == wanted)

    return eventually(holds)


async def test_the_zone_is_forwarded_to_the_address_of_kubeslice_dns_and_put_back_when_taken_out(stage: Stage) -> None:
    await dns_of_the_cluster(stage)
    await stage.start()
    address = await dns_service(stage)
    text = await becomes(stage, f"{corefile.BEGIN}\nslice.local:53 {{\n    errors\n    forward . {address}\n}}\n"
                                f"{corefile.END}\n{COREFILE}") and await written(stage)  # fmt: skip
    await stage.own.patch(resources.CONFIGMAPS, "coredns", "kube-system", {"data": {"Corefile": COREFILE}})
    await becomes(stage, text)
    assert (await stage.own.get(resources.CONFIGMAPS, "coredns", "kube-system"))["data"]["other"] == "x"


async def test_a_zone_that_somebody_else_serves_is_left_alone_and_reported(stage: Stage) -> None:
    theirs = COREFILE + "slice.local {\n    forward . 10.0.0.1\n}\n"
    await dns_of_the_cluster(stage, theirs)
    await dns_service(stage)
    await stage.start()

    async def warned() -> Any:
        events = (await stage.own.list(resources.EVENTS, "kube-system")).items
        return any(event.get("reason") == "NotForwarded" for event in events)

    await eventually(warned)
    assert await written(stage) == theirs
