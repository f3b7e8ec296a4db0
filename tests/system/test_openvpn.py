"""Slices on OpenVPN beside those on WireGuard: by UDP and TCP, with the cipher asked for, gone without a trace."""

from typing import Any

import pytest

from kubeslice.kube import objects
from kubeslice.model import names
from kubeslice.model.resources import SLICEGATEWAYS
from kubeslice.stage import application, slices
from kubeslice.stage.scenario import Tenant
from tests.system.world import World, eventually

GREEN = Tenant("green", "vault", ("worker-1", "worker-2"), "worker-2")
OPENVPN = {"sliceGatewayType": "OpenVPN", "sliceCaType": "Local"}
BY_TCP = {**OPENVPN, "sliceGatewayServiceType": [{"cluster": "*", "type": "NodePort", "protocol": "TCP"}]}
ENDS = {"worker-1": "Server", "worker-2": "Client"}


@pytest.mark.parametrize(
    ("spec", "cipher"),
    [
        ({"sliceGatewayProvider": OPENVPN}, "AES-256-GCM"),
        ({"sliceGatewayProvider": BY_TCP, "vpnConfig": {"cipher": "AES-256-CBC"}}, "AES-256-CBC"),
    ],
    ids=["udp", "tcp"],
)
async def test_a_slice_on_openvpn(world: World, spec: dict[str, Any], cipher: str) -> None:
    try:
        await slices.apply(world.stage, GREEN, spec)
        await application.deploy(world.stage.apis, GREEN)
        await slices.export(world.stage, GREEN)
        await slices.ready(world.stage, GREEN)
        for cluster, host_type in ENDS.items():
            await world.answers(GREEN, cluster)
            await _says(world, cluster, host_type, cipher)
    finally:
        await slices.delete(world.stage, GREEN)


async def _says(world: World, cluster: str, host_type: str, cipher: str) -> None:
    """Read what a cluster says of its tunnels, once both planes told of theirs."""
    (gateway,) = await eventually(lambda: _told(world, cluster), f"both planes told of in {cluster}")
    assert objects.spec(gateway)["hostType"] == host_type
    for plane in objects.status(gateway)["planes"]:
        assert plane["state"] == "UP"
        assert plane["engine"].startswith("OpenVPN 2.")
        assert plane["cipher"] == cipher
        assert plane["lastHandshakeTime"]
        assert plane["endpoint"]


async def _told(world: World, cluster: str) -> list[dict[str, Any]]:
    """Return the slice's gateway, once both planes told of their tunnel."""
    selector = f"{names.SLICE_LABEL}={GREEN.slice_name}"
    found = (await world.api(cluster).list(SLICEGATEWAYS, names.WORKER_NAMESPACE, labels=selector)).items
    return [gateway for gateway in found if len(objects.status(gateway).get("planes") or []) == 2]
