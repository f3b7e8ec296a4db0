"""Generations of keys only ever go forward, also when the hub is one restored from a backup."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeslice.plan.keys import generations
from kubeslice.plan.keys.generations import LONGEST_LEAP


def entries(*numbers: int, plane: int = 0) -> list[dict[str, object]]:
    return [{"plane": plane, "generations": list(numbers)}]


def gateways(*numbers: int, plane: int = 0) -> list[dict[str, object]]:
    return [{"plane": plane, "generation": number, "publicKey": "k"} for number in numbers]


def in_force(known: tuple[int, ...], *reported: int) -> tuple[int, ...]:
    return generations.in_force({"planes": entries(*known)}, [], 1, gateways(*reported))[0]


def test_what_members_report_changes_nothing_while_the_hub_knows_it() -> None:
    assert in_force((3,), 3) == (3,)
    assert in_force((3, 4), 3) == (3, 4)
    assert in_force((4,), 3, 4) == (4,)


def test_newer_keys_than_the_hub_knows_are_taken_over() -> None:
    assert in_force((3,), 5) == (3, 5)
    assert in_force((3,), 4, 5) == (4, 5)
    assert in_force((3, 4), 7) == (4, 7)


def test_nobody_makes_the_others_count_further_than_a_leap() -> None:
    assert in_force((3,), 3 + LONGEST_LEAP + 1) == (3,)
    assert in_force((3,), 3 + LONGEST_LEAP) == (3, 3 + LONGEST_LEAP)


def continued(held: tuple[int, ...], told: tuple[int, ...]) -> tuple[int, ...]:
    return generations.continued(entries(*held) if held else [], entries(*told))[0]


def test_a_member_follows_a_rotation_and_never_goes_back() -> None:
    assert continued((), (3,)) == (3,)
    assert continued((3,), (3, 4)) == (3, 4)
    assert continued((3, 4), (4,)) == (4,)
    assert continued((5,), (3,)) == (5,)
    assert continued((5,), (3, 5)) == (5,)
    assert continued((4, 5), (3, 4)) == (4, 5)
    assert continued((5,), (7,)) == (7,)


ONE_OR_TWO = st.lists(st.integers(1, 9), min_size=1, max_size=2, unique=True).map(lambda some: tuple(sorted(some)))


@settings(max_examples=60)
@given(held=ONE_OR_TWO, told=ONE_OR_TWO)
def test_the_newest_key_is_never_given_up_for_an_older_one(held: tuple[int, ...], told: tuple[int, ...]) -> None:
    after = continued(held, told)
    assert after[-1] == max(held[-1], told[-1])
    assert 1 <= len(after) <= 2
    assert continued(after, told) == after, "it stays so until the hub says something else"
