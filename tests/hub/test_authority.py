"""The authority of a slice with OpenVPN, over a real API server: it signs by its own plan, and revokes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509

from kubeslice.kube import objects
from kubeslice.kube.errors import Forbidden
from kubeslice.model import names
from kubeslice.model import resources as r
from kubeslice.runtime import certificates
from tests import keys as made_up
from tests.hub.stage import Stage, Worker

pytestmark = pytest.mark.api

Object = dict[str, Any]
OPENVPN = {"sliceGatewayProvider": {"sliceGatewayType": "OpenVPN", "sliceCaType": "Local"}, "gatewayReplicas": 1}


def request(cluster: str) -> str:
    name = f"red.{cluster}.0"
    return certificates.request(certificates.new_key(), name, f"kubeslice://demo/red/{cluster}/0").decode()


async def ask(worker: Worker, asked: str) -> None:
    """Report a gateway with this certificate request."""
    gateway = {"plane": 0, "generation": 1, "publicKey": made_up.key(worker.cluster), "certificateRequest": asked}
    await worker.report(r.WORKERSLICECONFIGS, names.worker_slice_config("red", worker.cluster), gateways=[gateway])


async def signed(worker: Worker) -> bytes:
    """Wait for the certificate of a worker's gateway."""

    async def told() -> Object | None:
        spec = (await worker.config("red"))["spec"]
        return spec if spec.get("gatewayCertificates") else None

    spec = await worker.stage.until(told)
    return spec["gatewayCertificates"][0]["certificate"].encode()  # type: ignore[no-any-return]


async def started(stage: Stage) -> dict[str, Worker]:
    await stage.make_project()
    workers = await stage.register("a", "b")
    await stage.make_slice("red", "a", "b", **OPENVPN)
    return workers


async def revoked(worker: Worker) -> set[int]:
    spec = (await worker.config("red"))["spec"]
    return {entry.serial_number for entry in x509.load_pem_x509_crl(spec["revocationList"].encode())}


async def test_gateways_get_what_they_are_and_not_what_they_ask_for(stage: Stage) -> None:
    workers = await started(stage)
    await ask(workers["a"], request("b"))
    certificate = certificates.load(await signed(workers["a"]))
    alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert alternatives.get_values_for_type(x509.UniformResourceIdentifier) == [f"kubeslice://{stage.project}/red/a/0"]
    spec = (await workers["b"].config("red"))["spec"]
    certificate.verify_directly_issued_by(certificates.load(spec["certificateAuthority"].encode()))
    secret = names.slice_authority(stage.project, "red")
    with pytest.raises(Forbidden):
        await workers["a"].api.get(r.SECRETS, secret, names.HUB_NAMESPACE)
    assert "PRIVATE KEY" not in str(spec)
    await stage.admin.delete(r.SLICECONFIGS, "red", stage.home)
    await stage.gone(r.SECRETS, secret, names.HUB_NAMESPACE)
    await stage.gone(r.VPNKEYROTATIONS, "red", stage.home)


async def test_a_wrong_request_is_named_and_harms_nobody_else(stage: Stage) -> None:
    workers = await started(stage)
    await ask(workers["a"], "-----BEGIN CERTIFICATE REQUEST-----\nnonsense\n-----END CERTIFICATE REQUEST-----\n")
    await ask(workers["b"], request("b"))
    await signed(workers["b"])
    text = "the certificate request of a for plane 0, generation 1"
    await stage.condition(r.VPNKEYROTATIONS, "red", stage.home, "KeysAccepted", "False", text)
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "KeysAccepted", "False", text)
    await ask(workers["a"], request("a"))
    await signed(workers["a"])
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "KeysAccepted", "True")


async def test_what_is_replaced_or_evicted_is_revoked_and_a_restart_forgets_nothing(stage: Stage) -> None:
    workers = await started(stage)
    await ask(workers["a"], request("a"))
    await ask(workers["b"], request("b"))
    first, other = await signed(workers["a"]), await signed(workers["b"])
    await ask(workers["a"], request("a"))

    async def replaced() -> bool:
        return await signed(workers["a"]) != first

    await stage.until(replaced)
    await stage.stop_hub()
    await stage.start_hub()
    await stage.admin.patch(r.CLUSTERS, "b", stage.home, {"spec": {"evicted": True}})
    expected = {certificates.serial(first), certificates.serial(other)}

    async def both_are_revoked() -> bool:
        return await revoked(Worker(stage, "a", workers["a"].api)) == expected

    await stage.until(both_are_revoked)
    assert certificates.serial(await signed(workers["a"])) not in expected


async def test_what_was_signed_while_the_hubs_clock_was_ahead_is_signed_anew_when_it_is_right(stage: Stage) -> None:
    year = 400 * 86400
    stage.clock.leap(year)
    workers = await started(stage)
    await ask(workers["a"], request("a"))
    ahead = certificates.load(await signed(workers["a"]))
    assert ahead.not_valid_before_utc > datetime.now(UTC)
    await stage.stop_hub()
    stage.clock.leap(-year)
    await stage.start_hub()

    async def is_right() -> bool:
        spec, now = (await workers["a"].config("red"))["spec"], datetime.now(UTC)
        made = [certificates.load(spec["gatewayCertificates"][0]["certificate"].encode())]
        made.append(certificates.load(spec["certificateAuthority"].encode()))
        ended = x509.load_pem_x509_crl(spec["revocationList"].encode())
        return ended.last_update_utc < now and all(each.not_valid_before_utc < now for each in made)

    await stage.until(is_right, 30)
    spec = (await workers["a"].config("red"))["spec"]
    now = certificates.load(await signed(workers["a"]))
    now.verify_directly_issued_by(certificates.load(spec["certificateAuthority"].encode()))
    assert now.public_key() == ahead.public_key()


async def test_a_key_of_another_gateway_gets_no_certificate(stage: Stage) -> None:
    workers = await started(stage)
    own = request("a")
    await ask(workers["a"], own)
    await signed(workers["a"])

    async def is_known() -> bool:
        rotation = await stage.admin.get(r.VPNKEYROTATIONS, "red", stage.home)
        return len(objects.status(rotation).get("keys") or []) == 2

    await stage.until(is_known)
    await ask(workers["b"], own)
    await stage.condition(r.SLICECONFIGS, "red", stage.home, "KeysAccepted", "False", "b reports for plane 0")
    assert not (await workers["b"].config("red"))["spec"].get("gatewayCertificates")
