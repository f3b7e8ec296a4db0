from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.cluster import onboarding
from kubeslice.plan.cluster.onboarding import Claim

claims = st.lists(
    st.builds(
        Claim,
        slice=st.sampled_from(["red", "blue", "green"]),
        since=st.sampled_from(["", "2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"]),
        namespaces=st.frozensets(st.sampled_from(["shop", "bank", "kube-system"])),
        held=st.frozensets(st.sampled_from(["shop", "bank"])),
    ),
    unique_by=lambda claim: claim.slice,
    max_size=3,
)

RED = Claim("red", "2030-01-01T00:00:00Z", frozenset({"shop"}))
BLUE = Claim("blue", "2031-01-01T00:00:00Z", frozenset({"shop", "bank"}))


def test_the_older_slice_keeps_a_namespace_that_two_ask_for() -> None:
    assert onboarding.grant(RED, [RED, BLUE]).namespaces == ("shop",)
    granted = onboarding.grant(BLUE, [RED, BLUE])
    assert granted.namespaces == ("bank",)
    assert granted.refusals == ("namespace shop is on slice red already: take it off there first",)


def test_a_new_slice_never_takes_from_one_that_exists() -> None:
    newcomer = Claim("azure", "", frozenset({"shop"}))
    assert onboarding.grant(newcomer, [RED]).namespaces == ()
    assert onboarding.grant(RED, [newcomer]).namespaces == ("shop",)


def test_who_holds_a_namespace_keeps_it_from_one_that_came_in_the_same_second() -> None:
    holder = Claim("red", "2030-01-01T00:00:00Z", frozenset({"shop"}), held=frozenset({"shop"}))
    twin = Claim("blue", "2030-01-01T00:00:00Z", frozenset({"shop"}))
    assert onboarding.grant(holder, [twin]).namespaces == ("shop",)
    assert onboarding.grant(twin, [holder]).namespaces == ()


def test_namespaces_of_the_cluster_itself_are_refused() -> None:
    granted = onboarding.grant(Claim("red", "", frozenset({"kube-system"})), [])
    assert granted.namespaces == ()
    assert "kube-system belongs to the cluster itself" in granted.refusals[0]


@given(claims)
def test_every_namespace_asked_for_is_granted_once_or_refused_with_a_sentence(known: Any) -> None:
    granted = {claim.slice: onboarding.grant(claim, known) for claim in known}
    given_out = [namespace for result in granted.values() for namespace in result.namespaces]
    assert len(given_out) == len(set(given_out))
    for claim in known:
        result = granted[claim.slice]
        assert len(result.namespaces) + len(result.refusals) == len(claim.namespaces)
    wanted = {namespace for claim in known for namespace in claim.namespaces} - onboarding.RESERVED
    assert set(given_out) == wanted


def test_a_namespace_is_on_the_slice_whose_spec_names_it_unless_that_is_going() -> None:
    red = {"metadata": {"name": "red"}, "spec": {"namespaces": ["shop"]}}
    going = {"metadata": {"name": "red", "deletionTimestamp": "x"}, "spec": {"namespaces": ["shop"]}}
    assert onboarding.slice_of("shop", [red]) == "red"
    assert onboarding.slice_of("bank", [red]) == ""
    assert onboarding.slice_of("shop", [going]) == ""


def test_offboarding_keeps_only_the_mark_of_who_made_a_namespace() -> None:
    made = {"metadata": {"name": "shop", "annotations": {"kubeslice.io/created-by": "kubeslice-worker"}}}
    found = {"metadata": {"name": "bank", "labels": {"kubeslice.io/slice": "red"}}}
    assert onboarding.offboarded(made) == {
        "metadata": {"name": "shop", "annotations": {"kubeslice.io/created-by": "kubeslice-worker"}}
    }
    assert onboarding.offboarded(found) == {"metadata": {"name": "bank"}}
    assert onboarding.onboarded("bank", "red", made_by_us=False)["metadata"].get("annotations") is None


def test_a_namespace_that_is_kept_for_a_project_is_on_no_slice_of_another() -> None:
    mine = Claim("red", "2030-01-01T00:00:00Z", frozenset({"shop", "cart"}), frozenset({"shop"}), "acme")
    theirs = Claim("red-1a2b3c", "2030-01-02T00:00:00Z", frozenset({"shop", "cart"}), project="beta")
    owners = {"shop": "beta"}
    assert onboarding.grant(mine, [theirs], owners).namespaces == ("cart",)
    granted = onboarding.grant(theirs, [mine], owners)
    assert granted.namespaces == ("shop",)
    assert granted.refusals == ("namespace cart is used by another project in this cluster: name another",)
    (refusal,) = onboarding.grant(mine, [theirs], owners).refusals
    assert refusal == "namespace shop is kept for another project in this cluster: name another"
