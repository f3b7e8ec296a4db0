"""Answering one query: the site of its name, then that site's plugins in CoreDNS' order."""

import logging
import time
from collections.abc import Iterable, Mapping

from dnslib import QTYPE, DNSError, DNSRecord

from kubeslice.lab.coredns import cluster, messages
from kubeslice.lab.coredns.cache import Cache
from kubeslice.lab.coredns.cluster import Record, View
from kubeslice.lab.coredns.configuration import Forward, Hosts, Kubernetes, Site, is_below
from kubeslice.lab.coredns.upstream import NoAnswer, Upstreams

log = logging.getLogger(__name__)


class SiteServer:
    """One site with what it needs to answer: the view of the cluster, its cache, its upstream servers."""

    def __init__(self, site: Site, view: View) -> None:
        self.site = site
        self._view = view
        self._cache = Cache(site.cache) if site.cache else None
        self._forwards = [
            (each, Upstreams(each.targets, each.policy, force_tcp=each.force_tcp)) for each in site.forwards
        ]

    def close(self) -> None:
        """Let go of the upstream sockets."""
        for _, upstreams in self._forwards:
            upstreams.close()

    async def answer(self, query: DNSRecord, raw: bytes, *, over_tcp: bool) -> bytes:
        """Return the reply as bytes, cut to size for UDP."""
        if self._cache is None:
            return await self._uncached(query, raw, over_tcp=over_tcp)
        now = time.monotonic()
        kept = self._cache.get(query, now)
        if kept is not None:
            return self._packed(kept, query, over_tcp=over_tcp)
        data = await self._uncached(query, raw, over_tcp=over_tcp)
        try:
            self._cache.put(query, DNSRecord.parse(data), now)
        except DNSError:
            log.debug("an answer for %s cannot be read and is not kept", messages.name_of(query))
        return data

    async def _uncached(self, query: DNSRecord, raw: bytes, *, over_tcp: bool) -> bytes:
        name = messages.name_of(query)
        made = self._from_hosts(query, name) or await self._from_cluster(query, name)
        if made is not None:
            return self._packed(made, query, over_tcp=over_tcp)
        for forward, upstreams in self._forwards:
            if covers(forward, name):
                try:
                    return await upstreams.ask(raw, over_tcp=over_tcp)
                except NoAnswer:
                    break
        return self._packed(messages.reply(query, "SERVFAIL"), query, over_tcp=over_tcp)

    def _packed(self, made: DNSRecord, query: DNSRecord, *, over_tcp: bool) -> bytes:
        if self.site.is_shuffled:
            made.rr = messages.shuffled(made.rr)
        return bytes(made.pack()) if over_tcp else messages.packed_for_udp(made, messages.size_limit(query))

    def _from_hosts(self, query: DNSRecord, name: str) -> DNSRecord | None:
        hosts = self.site.hosts
        if hosts is None:
            return None
        found = in_hosts(hosts, name, messages.kind_of(query))
        if found is not None:
            answers = [messages.rr(record, hosts.ttl) for record in found]
            return messages.reply(query, answers=answers, is_own=True)
        if any(is_below(name, zone) for zone in hosts.fallthrough):
            return None
        return messages.reply(query, "NXDOMAIN", is_own=True)

    async def _from_cluster(self, query: DNSRecord, name: str) -> DNSRecord | None:
        config = self.site.kubernetes
        zone = cluster.zone_of(name, config) if config else None
        if config is None or zone is None:
            return None
        kind = messages.kind_of(query)
        found = cluster.find(self._view, config, zone, name, kind)
        if not found.exists and any(is_below(name, each) for each in config.fallthrough):
            return None
        if kind == "SOA" and name == zone:
            return messages.reply(query, answers=[messages.authority(zone, config.ttl)], is_own=True)
        return await self._own(query, config, zone, found)

    async def _own(self, query: DNSRecord, config: Kubernetes, zone: str, found: cluster.Finding) -> DNSRecord:
        code = "NOERROR" if found.exists else "NXDOMAIN"
        if not found.records:
            return messages.reply(query, code, authorities=[messages.authority(zone, config.ttl)], is_own=True)
        answers = [messages.rr(record, config.ttl) for record in found.records]
        extra = [messages.rr(record, config.ttl) for record in found.extra]
        if found.records[0].type == "CNAME" and messages.kind_of(query) in {"A", "AAAA"}:
            answers += await self._follow(found.records[0].data, query.q.qtype)
        return messages.reply(query, code, answers, extra=extra, is_own=True)

    async def _follow(self, name: str, kind: int) -> list[object]:
        asked = DNSRecord.question(name, QTYPE.get(kind))
        reply = DNSRecord.parse(await self._uncached(asked, bytes(asked.pack()), over_tcp=True))
        return list(reply.rr)


class Sites:
    """All sites of a configuration, by port."""

    def __init__(self, sites: Iterable[Site], view: View) -> None:
        self._by_port: dict[int, list[SiteServer]] = {}
        for site in sites:
            self._by_port.setdefault(site.port, []).append(SiteServer(site, view))

    @property
    def ports(self) -> set[int]:
        """Return the ports to listen on."""
        return set(self._by_port)

    def close(self) -> None:
        """Let go of all sockets."""
        for servers in self._by_port.values():
            for server in servers:
                server.close()

    async def answer(self, port: int, raw: bytes, *, over_tcp: bool) -> bytes | None:
        """Return the reply to one message, None for what is no DNS message at all."""
        try:
            query = DNSRecord.parse(raw)
        except DNSError:
            return None
        if not messages.is_bare(query):
            return None if query.header.qr else bytes(messages.reply(query, "NOTIMP").pack())
        server = self._responsible(port, messages.name_of(query))
        if server is None:
            return bytes(messages.reply(query, "REFUSED").pack())
        reply = await server.answer(query, raw, over_tcp=over_tcp)
        if server.site.is_logged:
            log.info("%s %s", messages.kind_of(query), messages.name_of(query))
        return reply

    def _responsible(self, port: int, name: str) -> SiteServer | None:
        fitting = [server for server in self._by_port.get(port, ()) if is_below(name, server.site.zone)]
        return max(fitting, key=lambda server: len(server.site.zone), default=None)


def covers(forward: Forward, name: str) -> bool:
    """Tell whether a forward is for this name."""
    return is_below(name, forward.zone) and not any(is_below(name, zone) for zone in forward.excepted)


def in_hosts(hosts: Hosts, name: str, kind: str) -> list[Record] | None:
    """Return the records of a name in the hosts plugin, None when it does not know the name."""
    known = [address for host, address in hosts.entries if host == name]
    if not known:
        return None
    return [Record(name, kind, address) for address in known if kind == ("AAAA" if ":" in address else "A")]


def describe(without_effect: Mapping[str, Iterable[str]]) -> list[str]:
    """Say which plugins are in the Corefile and do nothing here, one sentence for each zone."""
    return [
        f"{zone or '.'}: the plugins {', '.join(sorted(names))} have no effect in the lab"
        for zone, names in without_effect.items()
        if names
    ]
