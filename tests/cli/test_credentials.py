"""The list of keys: one row for each gateway and generation, whatever the engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

from kubeslice.cli import credentials
from kubeslice.model import names
from kubeslice.plan.keys import keyrecords
from kubeslice.runtime import certificates

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def slice_config(engine: str) -> dict[str, Any]:
    provider = {"sliceGatewayType": engine}
    return {
        "metadata": {"name": "red", "namespace": "kubeslice-demo"},
        "spec": {
            "clusters": ["a", "b"],
            "gatewayReplicas": 1,
            "sliceGatewayProvider": provider,
            "rotationPeriod": "1h",
        },
    }


def member(cluster: str, spec: dict[str, Any], gateways: list[dict[str, Any]]) -> dict[str, Any]:
    labels = {names.CLUSTER_LABEL: cluster}
    return {"metadata": {"name": f"red-{cluster}", "labels": labels}, "spec": spec, "status": {"gateways": gateways}}


ROTATION = {"status": {"planes": [{"plane": 0, "generations": [3, 4], "since": "2026-06-01T00:00:00Z"}]}}


def test_wireguard_keys_are_shown_by_their_fingerprints() -> None:
    gateways = [{"plane": 0, "generation": number, "publicKey": f"key{number}"} for number in (3, 4)]
    rows = credentials.rows(slice_config("Wireguard"), ROTATION, [member("a", {}, gateways)], NOW)
    assert [row.wire() for row in rows] == [
        {
            "subject": "red.a.0",
            "plane": 0,
            "generation": number,
            "key": keyrecords.fingerprint(f"key{number}"),
            "validUntil": until,
            "nextRotation": "2026-06-01T01:00:00Z",
        }
        for number, until in ((3, ""), (4, "2026-06-01T01:20:00Z"))
    ]
    assert rows[0].cells()[4] == "-"


def test_certificates_are_shown_by_their_serial_numbers_and_those_to_come_are_shown_too() -> None:
    authority = certificates.authority("KubeSlice demo red", NOW, timedelta(days=9))
    request = certificates.request(certificates.new_key(), "red.a.0", "kubeslice://demo/red/a/0").decode()
    pem = certificates.signed(authority, request, "red.a.0", "kubeslice://demo/red/a/0", NOW, timedelta(hours=2))
    spec = {"gatewayCertificates": [{"plane": 0, "generation": 3, "certificate": pem.decode()}]}
    old, new = credentials.rows(slice_config("OpenVPN"), ROTATION, [member("a", spec, [])], NOW)
    assert (old.key, old.validUntil) == (f"{certificates.serial(pem):x}", "2026-06-01T02:00:00Z")
    assert (new.generation, new.key, new.validUntil) == (4, "", "")


def test_a_slice_that_nobody_has_reported_on_has_no_rows() -> None:
    assert credentials.rows(slice_config("Wireguard"), None, [], NOW) == []
