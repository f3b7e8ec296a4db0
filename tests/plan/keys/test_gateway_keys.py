import base64
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.keys import gateway_keys
from kubeslice.plan.keys.gateway_keys import Credential, Identity, KeyPair, Makers, Wanted

IDENTITY = Identity("acme", "red", "worker-1", 0)
MADE = Makers(
    pair=lambda private: KeyPair(private or "fresh", f"public of {private or 'fresh'}"),
    credential=lambda key, who: Credential(key or "fresh", f"request of {key or 'fresh'} for {who.common_name}"),
    belongs=lambda certificate, key: certificate.endswith(key),
)


def content(seen: Any, **wanted: Any) -> dict[str, str]:
    return gateway_keys.content(seen, Wanted(**wanted), IDENTITY, MADE)


def test_a_new_secret_has_a_pair_of_the_first_generation() -> None:
    assert content({}) == {"privateKey-1": "fresh", "publicKey-1": "public of fresh"}


def test_the_old_form_is_taken_over_as_the_first_generation() -> None:
    assert content({"privateKey": "a", "publicKey": "b"}) == {"privateKey-1": "a", "publicKey-1": "b"}


def test_a_public_half_that_is_lost_is_made_of_the_private_one() -> None:
    assert content({"privateKey-1": "a"}) == {"privateKey-1": "a", "publicKey-1": "public of a"}


def test_a_rotation_adds_a_generation_and_then_takes_the_old_one_away() -> None:
    before = {"privateKey-1": "a", "publicKey-1": "b"}
    during = content(before, generations=(1, 2))
    assert during == before | {"privateKey-2": "fresh", "publicKey-2": "public of fresh"}
    assert content(during, generations=(2,)) == {"privateKey-2": "fresh", "publicKey-2": "public of fresh"}


generations = st.sampled_from([(1,), (1, 2), (2,), (2, 3), (3,)])


@given(st.lists(generations, min_size=2, max_size=6), st.sampled_from(["Wireguard", "OpenVPN"]))
def test_a_key_in_force_is_never_replaced_and_nothing_changes_twice(history: Any, engine: Any) -> None:
    seen: dict[str, str] = {}
    for in_force in history:
        after = content(seen, generations=in_force, engine=engine)
        assert {key: seen[key] for key in after if key in seen} == {key: after[key] for key in after if key in seen}
        assert content(after, generations=in_force, engine=engine) == after
        seen = after


def test_a_certificate_is_taken_when_it_is_for_the_key_and_kept_while_the_hub_is_silent() -> None:
    asked = content({}, engine="OpenVPN")
    assert asked["tls-1.csr"] == "request of fresh for red.worker-1.0"
    assert "tls-1.crt" not in content(asked, engine="OpenVPN", certificates={1: "for another"})
    signed = content(asked, engine="OpenVPN", certificates={1: "for fresh"}, authority="ca", revoked="crl")
    assert (signed["tls-1.crt"], signed["ca.crt"], signed["crl.pem"]) == ("for fresh", "ca", "crl")
    assert content(signed, engine="OpenVPN") == signed
    assert set(content(signed)) == {"privateKey-1", "publicKey-1"}


def test_a_certificate_asks_for_who_the_gateway_is() -> None:
    assert IDENTITY.uri == "kubeslice://acme/red/worker-1/0"


def pair(remote: Any, secret: Any = "") -> Any:
    spec = {"sliceName": "red", "remoteGatewayConfig": {"clusterName": remote}}
    return {"spec": spec | ({"gatewayCredentials": {"secretName": secret}} if secret else {})}


def secret(**entries: Any) -> Any:
    return {"data": {key.replace("_", "-"): base64.b64encode(text.encode()).decode() for key, text in entries.items()}}


def test_pre_shared_keys_are_the_hubs_of_this_plane_and_the_generations_in_force() -> None:
    shown = {"red-a-b": secret(psk_0_1="x", psk_0_2="y", psk_1_1="z")}
    found = gateway_keys.pre_shared([pair("b", "red-a-b"), pair("c")], shown, 0, (1, 3), {})
    assert found == {("b", 1): "x"}
    assert content({}, shared=found)["psk-b-1"] == "x"


def test_a_pre_shared_key_that_the_hub_does_not_show_stays_while_it_names_one() -> None:
    seen = {"psk-b-1": "x", "psk-c-1": "y", "psk-b-2": "z"}
    assert gateway_keys.pre_shared([pair("b", "red-a-b"), pair("c")], {}, 0, (1,), seen) == {("b", 1): "x"}
    assert gateway_keys.kept(seen, (1,)) == {("b", 1): "x", ("c", 1): "y"}


def test_generations_are_the_slices_or_the_first() -> None:
    spec = {"gatewayKeys": [{"plane": 1, "generations": [3, 2]}]}
    assert gateway_keys.generations(spec, 1) == (2, 3)
    assert gateway_keys.generations(spec, 0) == (1,)


def test_only_what_differs_is_patched() -> None:
    seen = secret(a="1", b="2", c="3")["data"]
    assert gateway_keys.changes(seen, {"a": "1", "b": "9"}) == {"c": None, "b": secret(b="9")["data"]["b"]}
    assert gateway_keys.texts({"data": {"a": "MQ==", "bad": "%%"}}) == {"a": "1"}


def test_private_halves_are_not_shown() -> None:
    assert "secret" not in f"{KeyPair('secret', 'p')!r} {Credential('secret', 'r')!r}"
    assert "secret" not in repr(Wanted(shared={("b", 1): "secret"}))
