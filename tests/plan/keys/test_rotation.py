"""Rotation: every order of reports, restarts and members that come and go ends well, and nobody is cut off."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from kubeslice.plan.keys import rotation, rotation_report
from kubeslice.plan.keys.rotation import DOWN, SETTLED, UP, Plane, Schedule, Seen, Tunnel

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = Schedule(timedelta(seconds=60))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def tunnels(generation: int, plane: int = 0, state: str = UP, members: Iterable[str] = "ab") -> list[Tunnel]:
    names = list(members)
    return [Tunnel(x, y, plane, state, generation, at(-999)) for x in names for y in names if x != y]


def seen(made: int, used: int, live: str = "ab", state: str = UP, planes: int = 1) -> Seen:
    """Return what two members report that made keys up to a generation and use one."""
    keys = frozenset((x, p, g) for x in "ab" for p in range(planes) for g in range(1, made + 1))
    return Seen(frozenset(live), keys, [some for p in range(planes) for some in tunnels(used, p, state)])


ROTATING = Plane(0, (1, 2), START)


@pytest.mark.parametrize(
    ("interval", "text", "expected"),
    [
        (30, "", timedelta(days=30)),
        (30, "90s", timedelta(seconds=90)),
        (30, "15m", timedelta(minutes=15)),
        (90, "12h", timedelta(hours=12)),
        (30, "5s", timedelta(seconds=60)),
    ],
)
def test_a_period_overrides_the_days_and_is_never_shorter_than_a_minute(
    interval: int, text: str, expected: timedelta
) -> None:
    assert rotation.period(interval, text) == expected


def test_keys_that_are_not_due_stay() -> None:
    plane = Plane(0, (1,), START)
    assert rotation.step([plane], MINUTE, seen(1, 1), at(59)) == [plane]
    assert rotation.step([plane], MINUTE, seen(1, 1), at(60)) == [Plane(0, (1, 2), at(60))]


def test_keys_that_were_dated_by_a_clock_that_was_ahead_are_renewed_now_and_hold_nothing_up() -> None:
    ahead = at(1e7)
    assert rotation.step([Plane(0, (1,), ahead)], MINUTE, seen(1, 1), at(0)) == [Plane(0, (1, 2), at(0))]
    assert rotation.step([Plane(0, (1,), at(9))], MINUTE, seen(1, 1), at(0)) == [Plane(0, (1,), at(9))]
    begun = rotation.step([Plane(0, (1, 2), ahead)], MINUTE, seen(2, 2), at(0))
    assert begun == [Plane(0, (1, 2), at(0))]
    assert rotation.step(begun, MINUTE, seen(2, 2), at(6)) == [Plane(0, (2,), at(0))]


def test_keys_are_renewed_before_their_time_once_when_that_is_asked_for() -> None:
    month, plane = Schedule(timedelta(days=30), at(10)), Plane(0, (1,), START)
    assert rotation.step([plane], month, seen(1, 1), at(9)) == [plane]
    began = rotation.step([plane], month, seen(1, 1), at(11))
    assert began == [Plane(0, (1, 2), at(11))]
    assert rotation.step(began, month, seen(2, 2), at(12)) == began
    assert rotation.step(began, month, seen(2, 2), at(16)) == [Plane(0, (2,), at(11))]
    assert rotation.step([Plane(0, (2,), at(11))], month, seen(2, 2), at(99)) == [Plane(0, (2,), at(11))]


def test_a_shorter_period_counts_at_once() -> None:
    plane = Plane(0, (1,), START)
    assert rotation.step([plane], Schedule(timedelta(days=30)), seen(1, 1), at(3600)) == [plane]
    assert rotation.step([plane], Schedule(timedelta(hours=1)), seen(1, 1), at(3600))[0].is_rotating


@pytest.mark.parametrize(
    ("reports", "sentence"),
    [
        (seen(1, 1), "a has not made the keys of generation 2 yet"),
        (seen(2, 1), "a does not reach b with generation 2 yet"),
        (seen(2, 2, state=""), "a does not reach b with generation 2 yet"),
        (Seen(frozenset("ab"), seen(2, 2).made, [*tunnels(2)[:1], *tunnels(1)[1:]]), "b does not reach a with"),
        (seen(2, 1, live="b"), "b does not reach a with generation 2 yet"),
        (seen(2, 1, live=""), "a does not reach b with generation 2 yet"),
    ],
)
def test_the_old_generation_stays_while_a_pair_may_use_it(reports: Seen, sentence: str) -> None:
    later = at(5000)
    assert rotation.obstacles(ROTATING, reports, later)[0].startswith(sentence)
    assert rotation.step([ROTATING], MINUTE, reports, later) == [ROTATING]


def test_it_goes_when_every_pair_has_moved() -> None:
    assert rotation.step([ROTATING], MINUTE, seen(2, 2), at(5)) == [Plane(0, (2,), START)]


def test_a_member_that_is_lost_holds_nobody_up_once_its_tunnels_are_down_for_good() -> None:
    made = frozenset({("a", 0, 2)})
    down_since = Tunnel("a", "b", 0, DOWN, 1, at(0))
    lost = Seen(frozenset("a"), made, [down_since, Tunnel("b", "a", 0, UP, 1)])
    assert rotation.obstacles(ROTATING, lost, at(SETTLED.total_seconds() - 1))
    assert not rotation.obstacles(ROTATING, lost, at(SETTLED.total_seconds()))
    fresh = Seen(frozenset("a"), made, [replace(down_since, since=at(95))])
    assert rotation.obstacles(ROTATING, fresh, at(100))
    wrong_clock = Seen(frozenset("a"), made, [replace(down_since, since=at(99999))])
    assert not rotation.obstacles(ROTATING, wrong_clock, at(100))


def test_planes_take_turns_and_one_that_is_late_holds_up_no_other() -> None:
    two = [Plane(0, (1,), START), Plane(1, (1,), START)]
    first = rotation.step(two, MINUTE, seen(1, 1, planes=2), at(60))
    assert [plane.generations for plane in first] == [(1, 2), (1,)]
    waiting = rotation.step(first, MINUTE, seen(1, 1, planes=2), at(61))
    assert waiting == first
    late = at(60) + MINUTE.patience
    assert [plane.generations for plane in rotation.step(first, MINUTE, seen(1, 1, planes=2), late)] == [(1, 2), (1, 2)]
    through = rotation.step(first, MINUTE, seen(2, 2, planes=2), at(65))
    assert [plane.generations for plane in through] == [(2,), (1, 2)]


def test_the_alarm_names_who_is_late_and_comes_before_the_end() -> None:
    stuck = Seen(frozenset("ab"), frozenset({("a", 0, 2)}), tunnels(1))
    on_time = rotation_report.judge([ROTATING], MINUTE, stuck, [], at(1))
    assert {finding.type: finding.status for finding in on_time}["KeysFresh"] == "True"
    for moment, reason in ((at(31), "RotationLate"), (at(61), "CertificateExpiring")):
        ready, fresh, _ = rotation_report.judge([ROTATING], MINUTE, stuck, [], moment)
        assert (ready.status, fresh.status, fresh.reason) == ("False", "False", reason)
        assert "b has not made the keys of generation 2 yet" in fresh.message
        assert "the gateways of b," in fresh.message
        assert moment < MINUTE.expiry(ROTATING)


class World(RuleBasedStateMachine):
    """Members with gateways that follow when they get round to it, and a hub that may forget all but its objects."""

    @initialize(planes=st.integers(1, 2), members=st.integers(2, 3))
    def begin(self, planes: int, members: int) -> None:
        self.now = START
        self.planes = [Plane(number, (1,), START) for number in range(planes)]
        self.live: set[str] = set()
        self.told: dict[str, dict[int, tuple[int, ...]]] = {}
        self.keys: dict[str, set[tuple[int, int]]] = {}
        self.uses: dict[tuple[str, str, int], int] = {}
        self.reports: dict[str, tuple[set[tuple[int, int]], dict[tuple[str, int], int]]] = {}
        for number in range(members):
            self.join(f"m{number}")

    def join(self, member: str) -> None:
        self.live.add(member)
        self.keys[member] = set()
        for act in (self.tell, self.make, self.move, self.report):
            act(member)

    def tell(self, member: str) -> None:
        """Let a member hear which generations are in force."""
        self.told[member] = {plane.number: plane.generations for plane in self.planes}

    def make(self, member: str) -> None:
        """Let a member make the keys it was told of, and drop all others with the tunnels that use them."""
        self.keys[member] = {(number, some) for number, every in self.told[member].items() for some in every}
        for (one, other, number), some in self.uses.items():
            if member in (one, other) and (number, some) not in self.keys[member]:
                self.uses[one, other, number] = 0

    def move(self, member: str) -> None:
        """Let the tunnels of a member move to the newest generation that both ends have."""
        for other in self.live - {member}:
            for number in range(len(self.planes)):
                both = [some for plane, some in self.keys[member] & self.keys[other] if plane == number]
                self.uses[(*sorted((member, other)), number)] = max(both, default=0)  # type: ignore[index]

    def report(self, member: str) -> None:
        """Let a member say what it has and uses at this moment."""
        uses = {
            (one if other == member else other, number): some
            for (one, other, number), some in self.uses.items()
            if member in (one, other)
        }
        self.reports[member] = set(self.keys[member]), uses

    def seen(self) -> Seen:
        made = frozenset((member, *key) for member, (keys, _) in self.reports.items() for key in keys)
        members = sorted(self.keys)
        ends = [
            self.tunnel(one, other, plane.number)
            for one in members
            for other in members
            if one != other
            for plane in self.planes
        ]
        return Seen(frozenset(self.live), made, ends)

    def tunnel(self, one: str, other: str, number: int) -> Tunnel:
        generation = self.reports.get(one, (set(), {}))[1].get((other, number), 0)
        if one in self.live and other not in self.live:
            return Tunnel(one, other, number, DOWN, generation, START)
        return Tunnel(one, other, number, UP if generation else DOWN, generation, self.now)

    @rule()
    def hub_looks(self) -> None:
        self.planes = rotation.step(self.planes, MINUTE, self.seen(), self.now)

    @rule()
    def hub_restarts(self) -> None:
        status = {"planes": rotation_report.plane_fields(self.planes, MINUTE)}
        in_force = {plane.number: plane.generations for plane in self.planes}
        self.planes = rotation_report.planes(status, in_force, self.now)

    @rule(data=st.data(), act=st.sampled_from(["tell", "make", "move", "report"]))
    def member_gets_on(self, data: st.DataObject, act: str) -> None:
        if self.live:
            getattr(self, act)(data.draw(st.sampled_from(sorted(self.live))))

    @rule(acts=st.sampled_from([("tell", "make", "report"), ("make", "report"), ("move", "report"), ("report",)]))
    def members_get_on(self, acts: tuple[str, ...]) -> None:
        for act in acts:
            for member in sorted(self.live):
                getattr(self, act)(member)
        self.hub_looks()

    @rule(seconds=st.sampled_from([5, 25, 61]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.hub_looks()

    @precondition(lambda self: len(self.keys) < 4)
    @rule(number=st.integers(3, 5))
    def member_joins(self, number: int) -> None:
        if f"m{number}" not in self.keys:
            self.join(f"m{number}")

    @precondition(lambda self: len(self.keys) > 1)
    @rule(data=st.data(), is_taken_out=st.booleans())
    def member_goes(self, data: st.DataObject, *, is_taken_out: bool) -> None:
        member = data.draw(st.sampled_from(sorted(self.keys)))
        self.live.discard(member)
        self.uses = {place: some for place, some in self.uses.items() if member not in place[:2]}
        if is_taken_out:
            for known in (self.keys, self.told, self.reports):
                known.pop(member, None)

    @rule()
    def members_come_back(self) -> None:
        for member in sorted(set(self.keys) - self.live):
            self.live.add(member)
            self.tell(member)
            self.make(member)
            self.report(member)

    @invariant()
    def one_or_two_generations_are_in_force(self) -> None:
        for plane in getattr(self, "planes", []):
            assert plane.generations in {(plane.newest,), (plane.newest - 1, plane.newest)}

    @invariant()
    def what_a_live_pair_uses_is_in_force(self) -> None:
        for (one, other, number), some in getattr(self, "uses", {}).items():
            if some and {one, other} <= self.live:
                assert some in self.planes[number].generations, (one, other, number)

    def teardown(self) -> None:
        """Once everybody gets on with it, every plane ends with one generation, the newest."""
        if not hasattr(self, "planes"):
            return
        wanted = {plane.number: (plane.newest,) for plane in self.planes}
        self.members_come_back()
        self.now += rotation.OVERLAP
        for _ in range(6):
            for act in (self.tell, self.make, self.move, self.report):
                for member in sorted(self.live):
                    act(member)
            self.planes = rotation.step(self.planes, Schedule(timedelta(days=30)), self.seen(), self.now)
        assert {plane.number: plane.generations for plane in self.planes} == wanted


TestWorld = World.TestCase
TestWorld.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
