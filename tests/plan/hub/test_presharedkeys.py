"""Both ends agree, and nothing in force is ever changed."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.hub import presharedkeys
from kubeslice.plan.keys import generations
from kubeslice.plan.tenants.tenancy import Member

SOME = st.dictionaries(st.sampled_from(["psk-0-1", "psk-0-2", "psk-1-1"]), st.sampled_from(["x", "y", "z"]))


@given(SOME, SOME, st.sets(st.sampled_from(["psk-0-1", "psk-0-2", "psk-1-1"])))
def test_what_an_end_has_and_is_wanted_stays(first: dict[str, str], second: dict[str, str], wanted: set[str]) -> None:
    made = (f"new{number}" for number in itertools.count())
    agreed = presharedkeys.agreed(sorted(wanted), first, second, lambda: next(made))
    assert agreed.keys() == wanted
    assert all(agreed[name] == (first.get(name) or second.get(name) or agreed[name]) for name in wanted)
    assert presharedkeys.agreed(sorted(wanted), agreed, second, lambda: "never") == agreed
    assert presharedkeys.agreed(sorted(wanted), {}, agreed, lambda: "never") == agreed


def test_a_change_names_what_differs_and_the_version_it_is_for() -> None:
    secret = presharedkeys.secret("red", Member("demo", "a"), "b", {"psk-0-1": "x"})
    secret["metadata"]["resourceVersion"] = "9"
    assert presharedkeys.change(secret, {"psk-0-1": "x"}) == {}
    assert presharedkeys.change(secret, {"psk-0-2": "y"}) == {
        "metadata": {"resourceVersion": "9"},
        "data": {"psk-0-2": "y", "psk-0-1": None},
    }


def test_keys_of_a_generation_go_when_no_member_is_told_of_it() -> None:
    told = [{"gatewayKeys": [{"plane": 0, "generations": [1, 2]}]}, {}]
    kept = generations.everything({0: (2,), 1: (1,)}, told)
    assert presharedkeys.entries(kept) == ["psk-0-1", "psk-0-2", "psk-1-1"]
    assert presharedkeys.entries(generations.everything({0: (2,)}, [])) == ["psk-0-2"]


def test_generations_go_on_when_their_record_is_lost_and_planes_that_are_new_count_with_the_others() -> None:
    told = [{"gatewayKeys": [{"plane": 0, "generations": [4]}]}, {"gatewayKeys": [{"plane": 0, "generations": [4, 5]}]}]
    assert generations.in_force({}, told, 2) == {0: (4, 5), 1: (5,)}
    assert generations.in_force({}, [], 2) == {0: (1,), 1: (1,)}
    known = {"planes": [{"plane": 0, "generations": [7]}]}
    assert generations.in_force(known, told, 1) == {0: (7,)}
