"""What a VpnKeyRotation holds of a slice's gateways: all of them, as long as one object has room for them."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kubeslice.model import names
from kubeslice.plan.keys import rotation_report

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ETCD = 1024 * 1024  # of the 1.5 MiB of a request, the rest is for managedFields


def mesh(members: int) -> list[tuple[str, str]]:
    clusters = [f"cluster-{number:03}-as-long" for number in range(members)]
    return [(one, other) for one in clusters for other in clusters if one != other]


def written(sides: list[tuple[str, str]]) -> tuple[Any, Any]:
    """Return spec and status after more changes of state than are remembered."""
    wanted = rotation_report.wanted("shop", "name-of-twenty-chars", sorted({one for one, _ in sides}), sides, {})
    status: dict[str, Any] = {}
    for turn in range(6):
        states = dict.fromkeys((names.slice_gateway("name-of-twenty-chars", *side) for side in sides), f"STATE_{turn}")
        status = rotation_report.history(status, states, NOON + timedelta(minutes=turn))
    return wanted["spec"], status


def test_the_gateways_of_a_full_mesh_of_32_are_listed_with_their_history() -> None:
    spec, status = written(mesh(32))
    assert sum(map(len, spec["clusterGatewayMapping"].values())) == len(status["currentRotationState"]) == 992
    assert {len(kept) for kept in status["statusHistory"].values()} == {rotation_report.HISTORY}


@pytest.mark.parametrize("members", [32, 33, 100])
def test_whatever_the_mesh_the_object_stays_within_what_etcd_takes(members: int) -> None:
    assert len(json.dumps(written(mesh(members)))) < ETCD
