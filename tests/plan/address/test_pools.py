"""Laws of the pool: no address moves, none is given twice, released parts rest; whatever gets lost or restarts."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from kubeslice.model.errors import Terminal
from kubeslice.model.sliceconfig import SliceConfig, SliceConfigSpec
from kubeslice.plan.address import parts, pools
from kubeslice.plan.address.pools import Part, Pool

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLUSTERS = [f"c{number}" for number in range(6)]


def config(subnet: str = "10.8.0.0/22", **spec: Any) -> SliceConfig:
    wire = {"sliceSubnet": subnet, "sliceIpamType": "Dynamic", **spec}
    return SliceConfig.parse({"metadata": {"name": "red", "namespace": "kubeslice-shop"}, "spec": wire})


CUT = parts.cut(config().spec)


def entry(cluster: str, subnet: str, released: datetime | None = None, at: datetime = NOON) -> dict[str, str]:
    state = {"status": "Released", "releasedAt": released.isoformat()} if released else {"status": "InUse"}
    return {"clusterName": cluster, "subnet": subnet, "allocatedAt": at.isoformat(), **state}


def read(*entries: dict[str, str], now: datetime = NOON, **present: int) -> Pool:
    return pools.pool(CUT, {"allocatedSubnets": entries}, present, now)


@dataclass
class World:
    """A hub that is restarted after every step, so that it knows only what is written in its objects."""

    random: Random
    now: datetime = NOON
    prefix: int = 22
    members: set[str] = field(default_factory=set)
    status: dict[str, Any] = field(default_factory=dict)
    present: dict[str, int] = field(default_factory=dict)  # octets of WorkerSliceConfigs, also of those being deleted

    def step(self) -> None:
        change = self.random.choice([self.join, self.leave, self.leave, self.wait, self.clean, self.clean, self.grow])
        change()
        self.reconcile()

    def join(self) -> None:
        self.members.add(self.random.choice(CLUSTERS))

    def leave(self) -> None:
        self.members.discard(self.random.choice(CLUSTERS))

    def wait(self) -> None:
        self.now += self.random.choice([HOUR, 5 * HOUR, 25 * HOUR])

    def grow(self) -> None:
        self.prefix = max(20, self.prefix - self.random.choice([0, 0, 1]))

    def clean(self) -> None:
        """Let the worker of a cluster that is no member any more have cleaned up."""
        for cluster in [cluster for cluster in self.present if cluster not in self.members][:1]:
            del self.present[cluster]

    def lose(self) -> None:
        self.status = {}

    def reconcile(self) -> None:
        cut = parts.cut(config(f"10.8.0.0/{self.prefix}").spec)
        before = pools.pool(cut, self.status, self.present, self.now)
        try:
            seats = pools.octets(before, self.members)
        except Terminal:
            self.refuse(before)
            return
        after = pools.settled(before, seats, self.present, CLUSTERS[:3], self.now)
        self.status = pools.status_fields(after)
        self._check(seats, after, cut.count)
        self.present |= seats

    def refuse(self, pool: Pool) -> None:
        assert pool.available < len(self.members - pool.octets.keys())
        self.members &= self.present.keys()

    def _check(self, seats: dict[str, int], after: Pool, count: int) -> None:
        assert seats.keys() == self.members
        assert {cluster: seats.get(cluster, octet) for cluster, octet in self.present.items()} == self.present
        held = {**self.present, **seats}
        assert len(set(held.values())) == len(held)
        assert len(set(after.octets.values())) == len(after.octets)
        assert all(0 <= octet < count for octet in held.values())
        again = pools.pool(after.cut, pools.status_fields(after), held, self.now)
        assert pools.status_fields(again) == pools.status_fields(after)
        assert pools.octets(again, self.members) == seats


@pytest.mark.parametrize("seed", range(15))
def test_no_part_moves_or_is_given_twice_whatever_happens(seed: int) -> None:
    world = World(Random(seed))
    for _ in range(60):
        world.step()
        if world.random.random() < 0.1:
            world.lose()


@pytest.mark.parametrize("seed", range(15))
def test_a_part_rests_for_a_day_before_another_cluster_gets_it(seed: int) -> None:
    world = World(Random(seed))
    released: dict[int, tuple[str, datetime]] = {}
    for _ in range(60):
        had = dict(world.present)
        world.step()
        for cluster, octet in world.present.items():
            owner, since = released.pop(octet, (cluster, NOON))
            assert owner == cluster or world.now >= since + pools.REST
        released |= {octet: (cluster, world.now) for cluster, octet in had.items() if cluster not in world.present}


def test_who_comes_back_gets_its_own_part_again() -> None:
    resting = read(entry("a", "10.8.0.0/24"), entry("b", "10.8.1.0/24", NOON - 23 * HOUR))
    assert pools.octets(resting, ["a", "c"]) == {"a": 0, "c": 2}
    assert pools.octets(resting, ["a", "b", "c"]) == {"a": 0, "b": 1, "c": 2}
    rested = read(entry("a", "10.8.0.0/24"), entry("b", "10.8.1.0/24", NOON - 24 * HOUR))
    assert pools.octets(rested, ["a", "c"]) == {"a": 0, "c": 1}


def test_what_the_slices_own_objects_say_counts_before_the_status() -> None:
    found = read(entry("a", "10.8.0.0/24"), entry("b", "10.8.1.0/24"), c=1, a=3)
    assert found.octets == {"a": 3, "c": 1}


@pytest.mark.parametrize(
    "nonsense",
    [
        {},
        {"clusterName": "x", "subnet": "ten", "allocatedAt": NOON.isoformat()},
        {"clusterName": "x", "subnet": "10.9.0.0/24", "allocatedAt": NOON.isoformat()},
        {"clusterName": "x", "subnet": "10.8.1.0/25", "allocatedAt": NOON.isoformat()},
        {"clusterName": "x", "subnet": "10.8.1.0/24", "allocatedAt": "yesterday"},
        entry("x", "10.8.0.0/24", at=NOON + HOUR),
        entry("x", "10.8.0.0/24", released=NOON),
    ],
)
def test_nonsense_in_the_status_is_nobodys_part(nonsense: dict[str, str]) -> None:
    assert read(nonsense, entry("a", "10.8.0.0/24")).octets == {"a": 0}


def test_the_state_follows_what_the_worker_says() -> None:
    empty = read()
    first = pools.settled(empty, {"a": 0, "b": 1}, {}, [], NOON)
    assert [part.state for part in first.parts.values()] == ["Allocated", "Allocated"]
    later = pools.settled(first, {"a": 0}, {"a": 0, "b": 1}, ["a"], NOON + HOUR)
    assert later.parts == {"a": Part("a", 0, NOON, "InUse"), "b": Part("b", 1, NOON)}
    gone = pools.settled(later, {"a": 0}, {"a": 0}, ["a"], NOON + 2 * HOUR)
    assert gone.parts["b"] == Part("b", 1, NOON, "Released", NOON + 2 * HOUR)
    assert (gone.allocated, gone.available) == (1, 2)
    assert (pools.moves(empty, first), pools.moves(first, later), pools.moves(later, gone)) == ((2, 0), (0, 0), (0, 1))
    back = pools.settled(gone, {"a": 0, "b": 1}, {"a": 0}, ["a"], NOON + 3 * HOUR)
    assert back.parts["b"] == Part("b", 1, NOON + 3 * HOUR)


def test_the_status_says_what_is_free_and_when_it_changed() -> None:
    pool = read(entry("b", "10.8.2.0/24", NOON - HOUR), entry("a", "10.8.0.0/24", at=NOON - 2 * HOUR))
    assert pools.status_fields(pool) == {
        "allocatedSubnets": [
            {
                "clusterName": "a",
                "subnet": "10.8.0.0/24",
                "allocatedAt": "2026-03-01T10:00:00Z",
                "status": "InUse",
            },
            {
                "clusterName": "b",
                "subnet": "10.8.2.0/24",
                "allocatedAt": "2026-03-01T12:00:00Z",
                "status": "Released",
                "releasedAt": "2026-03-01T11:00:00Z",
            },
        ],
        "availableSubnets": 2,
        "totalSubnets": 4,
        "lastUpdated": "2026-03-01T12:00:00Z",
    }
    assert pools.next_look(pool, NOON) == 23 * 3600 + 1
    assert pools.next_look(read(entry("a", "10.8.0.0/24")), NOON) is None


def test_a_pool_that_is_used_up_says_what_to_do() -> None:
    full = read(*(entry(f"c{number}", f"10.8.{number}.0/24") for number in range(3)), entry("z", "10.8.3.0/24", NOON))
    with pytest.raises(Terminal, match=r"there are 4, which c0, c1, c2, z have or had; let sliceSubnet 10\.8\.0\.0/22"):
        pools.octets(full, ["new"])
    finding = pools.judge(full)
    assert (finding.status, finding.reason) == ("False", "PoolExhausted")
    assert "3 of 4 parts of /24 are given out, 0 are free" in finding.message
    assert "wait until 2026-03-02T12:00:00Z" in finding.message
    assert pools.judge(read()).message == "0 of 4 parts of /24 are given out, 4 are free"


def test_only_dynamic_slices_with_a_network_have_a_pool() -> None:
    assert pools.is_pooled(config())
    assert not pools.is_pooled(config(sliceIpamType="Local"))
    assert not pools.is_pooled(config("", overlayNetworkDeploymentMode="no-network"))
    wanted = pools.wanted("shop", config(ipam={"clusterSubnetSize": 26}), replace(CUT, prefix=26))
    assert wanted["spec"] == {"sliceName": "red", "sliceSubnet": "10.8.0.0/22", "subnetSize": 26}


def test_five_hundred_clusters_get_their_parts_and_keep_them() -> None:
    many = [f"cluster-{number}" for number in range(512)]
    spec = SliceConfigSpec.model_validate(
        {"sliceSubnet": "10.0.0.0/8", "sliceIpamType": "Dynamic", "maxClusters": 512, "clusters": many}
    )
    pool = pools.pool(parts.cut(spec), {}, {}, NOON)
    octets = pools.octets(pool, many)
    after = pools.settled(pool, octets, {}, [], NOON)
    assert sorted(octets.values()) == list(range(512))
    assert pools.octets(pools.pool(pool.cut, pools.status_fields(after), {}, NOON), reversed(many)) == octets
