from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubeslice.plan.services import zone
from kubeslice.plan.services.zone import Endpoint, Record, Service

names = st.sampled_from(["a", "b", "web", "x-1"])
addresses = st.sampled_from(["10.1.0.20", "10.1.0.21", "10.1.128.20", "not an address", ""])
endpoints = st.builds(Endpoint, pod=st.sampled_from(["p-0", "p-1", "Bad_", "v1.p"]), cluster=names, address=addresses)
aliases = st.sampled_from(
    ["db.slice.local", "a.b.svc.slice.local", "DB.slice.local.", "example.org", "not ok", "x.slice.local"]
)
services = st.builds(
    Service,
    namespace=names,
    name=names,
    endpoints=st.frozensets(endpoints, max_size=4),
    aliases=st.lists(aliases, max_size=3).map(tuple),
    since=st.sampled_from(["", "2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"]),
)
zones = st.lists(services, max_size=6, unique_by=lambda service: (service.namespace, service.name))
record_sets = zones.map(zone.render)

WEB = Service(
    "shop",
    "web",
    frozenset({Endpoint("web-0", "worker-2", "10.1.64.20"), Endpoint("web-1", "worker-1", "10.1.0.20")}),
    aliases=("web.slice.local", "www.example.org"),
)


def test_a_service_answers_with_every_pod_each_pod_with_itself_and_an_alias_like_the_service() -> None:
    assert zone.render([WEB]) == {
        Record("web.shop.svc.slice.local", "10.1.64.20"),
        Record("web.shop.svc.slice.local", "10.1.0.20"),
        Record("web-0.worker-2.web.shop.svc.slice.local", "10.1.64.20"),
        Record("web-1.worker-1.web.shop.svc.slice.local", "10.1.0.20"),
        Record("web.slice.local", "10.1.64.20"),
        Record("web.slice.local", "10.1.0.20"),
    }


def test_a_service_without_pods_has_no_name() -> None:
    assert zone.render([Service("shop", "web", frozenset())]) == frozenset()


def test_an_alias_outside_the_zone_is_reported_and_not_served() -> None:
    assert zone.alias_complaints(WEB, []) == [
        "alias www.example.org lies outside the zone slice.local and is not served: end it with .slice.local"
    ]


def test_the_oldest_claim_keeps_an_alias() -> None:
    older = Service("a", "a", frozenset(), aliases=("db.slice.local",), since="2030-01-01T00:00:00Z")
    newer = Service("b", "b", frozenset(), aliases=("db.slice.local",), since="2031-01-01T00:00:00Z")
    assert zone.alias_complaints(newer, [older]) == ["alias db.slice.local already belongs to a/a: choose another"]
    assert zone.alias_complaints(older, [newer]) == []


def test_an_alias_cannot_take_the_own_name_of_a_service() -> None:
    thief = Service("a", "a", frozenset(), aliases=("web.shop.svc.slice.local",))
    assert zone.alias_owners([thief, WEB]).get("web.shop.svc.slice.local") is None
    assert zone.alias_complaints(thief, [WEB]) == [
        "alias web.shop.svc.slice.local is the own name of a service: choose another"
    ]


def test_names_that_are_too_long_are_left_out() -> None:
    long = Service("n", "s", frozenset({Endpoint("p" * 64, "c", "10.1.0.20")}))
    assert zone.render([long]) == {Record("s.n.svc.slice.local", "10.1.0.20")}


@given(zones, st.randoms())
def test_the_order_of_services_does_not_matter(known: Any, random: Any) -> None:
    shuffled = list(known)
    random.shuffle(shuffled)
    assert zone.render(shuffled) == zone.render(known)


@given(zones)
def test_every_record_is_a_valid_name_in_the_zone_with_a_short_life(known: Any) -> None:
    for record in zone.render(known):
        assert record.owner.endswith(".slice.local")
        assert zone.is_host_name(record.owner)
        assert record.owner == record.owner.lower()
        assert record.ttl <= 5


@given(record_sets, record_sets)
def test_a_difference_applied_gives_the_other_zone_and_then_nothing(before: Any, after: Any) -> None:
    change = zone.difference(before, after)
    assert zone.apply(before, change) == after
    assert not zone.difference(zone.apply(before, change), after)
    assert not change.removed & change.added


@given(zones)
def test_every_alias_is_served_or_complained_about(known: Any) -> None:
    owners = zone.alias_owners(known)
    for service in known:
        served = sum(owners.get(alias.rstrip(".").lower()) == service for alias in service.aliases)
        assert served + len(zone.alias_complaints(service, known)) == len(service.aliases)
