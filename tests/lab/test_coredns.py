"""Cluster DNS: real queries over UDP and TCP to a running server, and its pure parts with examples and laws."""

import asyncio
import contextlib
import socket
import time
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from dnslib import EDNS0, QTYPE, RCODE, DNSRecord
from hypothesis import given
from hypothesis import strategies as st

from kubeslice.lab.addons import COREFILE
from kubeslice.lab.coredns import cache, configuration, listeners, messages, upstream
from kubeslice.lab.coredns.cluster import Record
from kubeslice.lab.coredns.configuration import Cache, configure
from kubeslice.lab.coredns.corefile import CorefileError, parse
from kubeslice.lab.coredns.server import Server, follow, mark, read
from kubeslice.plan.services.corefile import with_forward, without_forward


class Snapshot:
    """A cluster that does not change: what `view.ApiView` offers, from lists."""

    def __init__(self, services: Any = (), slices: Any = (), namespaces: Any = ("default", "shop")) -> None:
        self._services, self._slices, self._namespaces = services, slices, namespaces

    def service(self, name: str, namespace: str) -> Any:
        return next((each for each in self._services if _is(each, name, namespace)), None)

    def slices(self, name: str, namespace: str) -> Any:
        known = (each for each in self._slices if each["metadata"]["namespace"] == namespace)
        return [each for each in known if each["metadata"]["labels"]["kubernetes.io/service-name"] == name]

    def has_namespace(self, name: str) -> Any:
        return name in self._namespaces

    def services_at(self, address: Any) -> Any:
        return [each for each in self._services if each["spec"].get("clusterIP") == address]

    def slices_at(self, address: Any) -> Any:
        return [each for each in self._slices if any(address in entry["addresses"] for entry in each["endpoints"])]


def _is(each: Any, name: str, namespace: str) -> Any:
    return (each["metadata"]["name"], each["metadata"]["namespace"]) == (name, namespace)


def service(name: str, **spec: Any) -> Any:
    ports = [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    return {"metadata": {"name": name, "namespace": "shop"}, "spec": {"ports": ports, **spec}}


def slice_of(name: str, *endpoints: Any) -> Any:
    labels = {"kubernetes.io/service-name": name}
    ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
    metadata = {"name": f"{name}-1", "namespace": "shop", "labels": labels}
    return {"metadata": metadata, "addressType": "IPv4", "endpoints": list(endpoints), "ports": ports}


SNAPSHOT = Snapshot(
    [
        service("web", clusterIP="10.96.0.20"),
        service("db", clusterIP="None"),
        service("docs", type="ExternalName", externalName="web.shop.svc.cluster.local"),
    ],
    [
        slice_of("web", {"addresses": ["10.244.1.9"], "conditions": {"ready": True}}),
        slice_of(
            "db",
            {"addresses": ["10.244.1.5"], "hostname": "db-0", "conditions": {"ready": True}},
            {"addresses": ["10.244.1.6"], "conditions": {"ready": True}},
            {"addresses": ["10.244.1.7"], "conditions": {"ready": False}},
        ),
    ],
)
KUBERNETES = "kubernetes cluster.local in-addr.arpa {\n pods insecure\n fallthrough in-addr.arpa\n ttl 30\n }\n"


def free_port() -> Any:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.asynccontextmanager
async def running(text: Any, view: Any = SNAPSHOT) -> Any:
    """A server for a Corefile in which PORT stands for a free port; yields an asking function."""
    port = free_port()
    server = Server(view, "127.0.0.1")
    await server.use(configure(parse(text.replace("PORT", str(port)))))
    try:
        yield partial(ask, port)
    finally:
        server.close()


async def ask(port: Any, name: str, kind: Any = "A", *, tcp: Any = False, size: Any = None) -> Any:
    query = DNSRecord.question(name, kind)
    if size:
        query.add_ar(EDNS0(udp_len=size))
    data = await asyncio.to_thread(query.send, "127.0.0.1", port, tcp=tcp, timeout=3)
    return DNSRecord.parse(data)


def data_of(reply: Any) -> Any:
    return sorted(str(each.rdata) for each in reply.rr)


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("web.shop.svc.cluster.local", "A", ["10.96.0.20"]),
        ("WEB.Shop.svc.Cluster.local", "A", ["10.96.0.20"]),
        ("web.shop.svc.cluster.local", "AAAA", []),
        ("db.shop.svc.cluster.local", "A", ["10.244.1.5", "10.244.1.6"]),
        ("db-0.db.shop.svc.cluster.local", "A", ["10.244.1.5"]),
        ("10-244-1-6.db.shop.svc.cluster.local", "A", ["10.244.1.6"]),
        ("_http._tcp.web.shop.svc.cluster.local", "SRV", ["0 100 80 web.shop.svc.cluster.local."]),
        (
            "_http._tcp.db.shop.svc.cluster.local",
            "SRV",
            ["0 50 8080 10-244-1-6.db.shop.svc.cluster.local.", "0 50 8080 db-0.db.shop.svc.cluster.local."],
        ),
        ("20.0.96.10.in-addr.arpa", "PTR", ["web.shop.svc.cluster.local."]),
        ("5.1.244.10.in-addr.arpa", "PTR", ["db-0.db.shop.svc.cluster.local."]),
        ("docs.shop.svc.cluster.local", "A", ["10.96.0.20", "web.shop.svc.cluster.local."]),
        ("10-1-2-3.shop.pod.cluster.local", "A", ["10.1.2.3"]),
        ("shop.svc.cluster.local", "A", []),
        ("cluster.local", "NS", ["ns.dns.cluster.local."]),
        ("dns-version.cluster.local", "TXT", ['"1.1.0"']),
    ],
)
async def test_names_of_a_cluster(name: str, kind: Any, expected: Any) -> None:
    async with running(".:PORT {\n" + KUBERNETES + "}") as asked:
        for tcp in (False, True):
            reply = await asked(name, kind, tcp=tcp)
            assert reply.header.rcode == RCODE.NOERROR
            assert data_of(reply) == expected
            assert reply.header.aa == 1
            if not expected:
                assert [each.rtype for each in reply.auth] == [QTYPE.SOA], "an empty answer says how long it holds"


@pytest.mark.parametrize(
    "name",
    [
        "nothing.shop.svc.cluster.local",
        "web.nowhere.svc.cluster.local",
        "nowhere.svc.cluster.local",
        "x.web.shop.svc.cluster.local",
        "_smtp._tcp.web.shop.svc.cluster.local",
        "a.b.c.web.shop.svc.cluster.local",
        "web.shop.svc.cluster.local.shop.svc.cluster.local",
        "not-an-ip.shop.pod.cluster.local",
        "random.cluster.local",
    ],
)
async def test_names_that_do_not_exist(name: str) -> None:
    async with running(".:PORT {\n" + KUBERNETES + "}") as asked:
        reply = await asked(name)
        assert reply.header.rcode == RCODE.NXDOMAIN
        assert [each.rtype for each in reply.auth] == [QTYPE.SOA]


async def test_the_longest_zone_answers_and_other_names_are_refused() -> None:
    other = "hosts {\n192.0.2.7 web.slice.local\n}"
    async with running(f"cluster.local:PORT {{\n{KUBERNETES}}}\nslice.local:PORT {{\n{other}\n}}") as asked:
        assert data_of(await asked("web.slice.local")) == ["192.0.2.7"]
        assert (await asked("no.slice.local")).header.rcode == RCODE.NXDOMAIN
        assert (await asked("example.org")).header.rcode == RCODE.REFUSED


async def test_a_zone_is_forwarded_over_both_transports_and_nothing_else_is() -> None:
    async with running("slice.local:PORT {\nhosts {\n192.0.2.7 web.slice.local\n}\n}") as behind:
        port = behind.args[0]
        text = f".:PORT {{\n{KUBERNETES}}}\nslice.local:PORT {{\nerrors\nforward . 127.0.0.1:{port}\n}}"
        async with running(text) as asked:
            for tcp in (False, True):
                assert data_of(await asked("web.slice.local", tcp=tcp)) == ["192.0.2.7"]
                assert (await asked("no.slice.local", tcp=tcp)).header.rcode == RCODE.NXDOMAIN
            assert (await asked("example.org")).header.rcode == RCODE.SERVFAIL


async def test_many_forwarded_queries_at_once_are_not_mixed_up() -> None:
    names = [f"h{number}.slice.local" for number in range(100)]
    entries = "\n".join(f"192.0.2.{number} {name}" for number, name in enumerate(names))
    async with (
        running(f"slice.local:PORT {{\nhosts {{\n{entries}\n}}\n}}") as behind,
        running(f".:PORT {{\nforward . 127.0.0.1:{behind.args[0]}\n}}") as asked,
    ):
        replies = await asyncio.gather(*(asked(name) for name in names))
    assert [data_of(reply) for reply in replies] == [[f"192.0.2.{number}"] for number in range(100)]


async def test_a_dead_upstream_fails_fast_and_a_silent_one_after_two_seconds() -> None:
    async with running(f".:PORT {{\nforward . 127.0.0.1:{free_port()}\n}}") as asked:
        started = time.monotonic()
        assert (await asked("example.org")).header.rcode == RCODE.SERVFAIL
        assert time.monotonic() - started < 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        async with running(f".:PORT {{\nforward . 127.0.0.1:{silent.getsockname()[1]}\n}}") as asked:
            started = time.monotonic()
            assert (await asked("example.org")).header.rcode == RCODE.SERVFAIL
            assert 1.5 < time.monotonic() - started < 3


async def test_a_large_answer_is_cut_for_udp_and_whole_over_tcp() -> None:
    endpoints = [{"addresses": [f"10.244.3.{number}"], "conditions": {}} for number in range(60)]
    view = Snapshot([service("db", clusterIP="None")], [slice_of("db", *endpoints)])
    async with running(".:PORT {\n" + KUBERNETES + "}", view) as asked:
        cut = await asked("db.shop.svc.cluster.local")
        assert (cut.header.tc, cut.rr) == (1, [])
        assert len((await asked("db.shop.svc.cluster.local", size=4096)).rr) == 60
        assert len((await asked("db.shop.svc.cluster.local", tcp=True)).rr) == 60


async def test_garbage_is_ignored_and_the_server_goes_on() -> None:
    async with running(".:PORT {\n" + KUBERNETES + "}") as asked:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rude:
            for data in (b"", b"x", b"\0" * 11, b"\xff" * 600):
                rude.sendto(data, ("127.0.0.1", asked.args[0]))
        assert data_of(await asked("web.shop.svc.cluster.local")) == ["10.96.0.20"]


async def test_a_changed_corefile_is_taken_over_and_a_broken_one_is_not(tmp_path: Path) -> Any:
    port, file = free_port(), tmp_path / "Corefile"
    text = f".:{port} {{\nreload\nhosts {{\n192.0.2.1 web.test\n}}\n}}\n"
    file.write_text(text)
    server, looked = Server(SNAPSHOT, "127.0.0.1"), asyncio.Event()
    await server.use(read(file))
    following = asyncio.create_task(follow(file, server, mark(file), 0.01, looked.set))

    async def change(new: Any) -> Any:
        looked.clear()
        fresh = tmp_path / "fresh"
        fresh.write_text(new)
        fresh.rename(file)
        async with asyncio.timeout(2):
            await looked.wait()
        return await ask(port, "web.test")

    try:
        assert data_of(await change(text.replace("192.0.2.1", "192.0.2.22"))) == ["192.0.2.22"]
        assert data_of(await change(text.replace("hosts", "hoosts"))) == ["192.0.2.22"]
        assert data_of(await change(text.replace("192.0.2.1", "192.0.2.3"))) == ["192.0.2.3"]
    finally:
        following.cancel()
        server.close()


async def test_health_and_readiness_are_http() -> None:
    port, states = free_port(), [False]
    async with await listeners.check(port, lambda: states[-1], "127.0.0.1"):
        assert await _status(port) == "503"
        states.append(True)
        assert await _status(port) == "200"


async def _status(port: Any) -> Any:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
    line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return line.split()[1].decode()


def test_the_corefile_of_a_cluster_with_our_block_and_without() -> None:
    ours = configure(parse(with_forward(COREFILE, "slice.local", ip_address("10.96.0.77"))))
    plain = configure(parse(without_forward(with_forward(COREFILE, "slice.local", ip_address("10.96.0.77")))))
    assert plain == configure(parse(COREFILE))
    added = [site for site in ours.sites if site not in plain.sites]
    assert [(site.zone, site.port, site.forwards[0].targets) for site in added] == [
        ("slice.local", 53, ("10.96.0.77",))
    ]
    kubernetes = plain.sites[0].kubernetes
    assert kubernetes is not None
    assert (kubernetes.zones[0], kubernetes.ttl, kubernetes.pods) == ("cluster.local", 30, "insecure")
    assert plain.sites[0].without_effect == ("prometheus",)
    assert plain.sites[0].cache == Cache(30, 30, ("cluster.local",), ("cluster.local",))
    assert (plain.health_port, plain.ready_port, plain.reloads) == (8080, 8181, True)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no server block"),
        (".:53 {\n forwrad . 1.1.1.1\n}", "Unknown directive 'forwrad'"),
        (".:53 {\n errors\n", "never closed"),
        ("{\n errors\n}", "needs a zone"),
        (".:53", "needs braces"),
        (". {\nerrors\n}\n.:53 {\nerrors\n}", "served already"),
        (". {\nforward .\n}", "at least one server"),
        (". {\nforward . tls://9.9.9.9\n}", "only plain DNS"),
        (".:http {\nerrors\n}", "no usable port"),
        ("tls://. {\nerrors\n}", "not plain DNS"),
        (". {\nkubernetes cluster.local {\npods maybe\n}\n}", "pods must be"),
    ],
)
def test_a_bad_corefile_is_refused_with_its_reason(text: Any, sentence: Any) -> None:
    with pytest.raises(CorefileError, match=sentence):
        configure(parse(text))


def test_a_server_block_with_several_zones_and_comments() -> None:
    text = 'a.test, b.test:5353 { # two\n  hosts { # none\n }\n}\nc.test {$NAME} {\n log "quoted words"\n}'
    found = configure(parse(text, {"NAME": "d.test"}))
    assert [(site.zone, site.port) for site in found.sites] == [
        ("a.test", 53), ("b.test", 5353), ("c.test", 53), ("d.test", 53),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("10.96.0.5", [("10.96.0.5", 53)]),
        ("10.96.0.5:5353", [("10.96.0.5", 5353)]),
        ("[fd00::5]:54", [("fd00::5", 54)]),
        ("[fd00::5]", [("fd00::5", 53)]),
        ("/nonexistent/resolv.conf", []),
    ],
)
def test_where_a_forward_goes(target: Any, expected: Any) -> None:
    assert upstream.addresses(target) == expected


zones = st.lists(st.sampled_from(["a", "b", "svc"]), max_size=3).map(".".join)


@given(zones, zones)
def test_below_is_a_partial_order(one: Any, other: Any) -> None:
    below = configuration.is_below
    assert below(one, one)
    assert below(one, "")
    if below(one, other) and below(other, one):
        assert one == other


words = st.sampled_from(["a.test", "{", "}", "#x", "\n", "errors", '"q"', "forward", ".", ","])


@given(st.lists(words, max_size=14).map(" ".join))
def test_any_text_is_a_configuration_or_a_refusal(text: Any) -> None:
    try:
        made = configure(parse(text))
    except CorefileError:
        return
    assert made.sites


@given(st.integers(1, 100), st.integers(1, 100), st.integers(0, 120))
def test_a_kept_answer_never_lives_longer_than_allowed(ttl: Any, limit: Any, age: Any) -> None:
    query = DNSRecord.question("web.test")
    kept = cache.Cache(Cache(limit, limit))
    answer = messages.rr(configuration_record("web.test"), ttl)
    kept.put(query, messages.reply(query, answers=[answer]), 1000.0)
    found = kept.get(query, 1000.0 + age)
    if age >= min(limit, max(ttl, cache.SHORTEST)):
        assert found is None
    else:
        assert found is not None
        assert found.rr[0].ttl == max(0, ttl - age)


def configuration_record(name: str) -> Any:
    return Record(name, "A", "192.0.2.1")


def test_the_cache_keeps_neither_switched_off_zones_nor_cut_answers() -> None:
    kept = cache.Cache(Cache(30, 30, ("cluster.local",), ("cluster.local",)))
    query = DNSRecord.question("web.shop.svc.cluster.local")
    kept.put(query, messages.reply(query, answers=[messages.rr(configuration_record("x"), 30)]), 0.0)
    assert kept.get(query, 1.0) is None
    other = DNSRecord.question("web.test")
    cut = messages.reply(other, answers=[messages.rr(configuration_record("web.test"), 30)])
    cut.header.tc = 1
    kept.put(other, cut, 0.0)
    assert kept.get(other, 1.0) is None
