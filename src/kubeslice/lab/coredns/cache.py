"""Answers kept for a while, as CoreDNS' cache plugin keeps them. No I/O; the time comes in."""

from collections import OrderedDict
from dataclasses import dataclass

from dnslib import QTYPE, RCODE, RR, DNSRecord

from kubeslice.lab.coredns import configuration, messages
from kubeslice.lab.coredns.configuration import is_below

CAPACITY = 9984
SHORTEST = 5
FAILURE = 5

Question = tuple[str, str, bool]


@dataclass(frozen=True)
class _Entry:
    reply: DNSRecord
    stored: float
    expires: float


class Cache:
    """The answers of one site, the oldest dropped when there are too many."""

    def __init__(self, config: configuration.Cache) -> None:
        self._config = config
        self._entries: OrderedDict[Question, _Entry] = OrderedDict()

    def get(self, query: DNSRecord, now: float) -> DNSRecord | None:
        """Return a kept answer as a reply to `query`, its times to live counted down."""
        entry = self._entries.get(_question(query))
        if entry is None or entry.expires <= now:
            return None
        age, kept = int(now - entry.stored), entry.reply
        sections = [[_aged(each, age) for each in section if each.rtype != QTYPE.OPT] for section in _sections(kept)]
        made = messages.reply(
            query, RCODE.get(kept.header.rcode), sections[0], authorities=sections[1], extra=sections[2]
        )
        made.header.aa = kept.header.aa
        return made

    def put(self, query: DNSRecord, reply: DNSRecord, now: float) -> None:
        """Keep an answer for as long as it and the configuration allow."""
        seconds = self._lifetime(messages.name_of(query), reply)
        if seconds <= 0 or reply.header.tc:
            return
        question = _question(query)
        self._entries.pop(question, None)
        self._entries[question] = _Entry(reply, now, now + seconds)
        if len(self._entries) > CAPACITY:
            self._entries.popitem(last=False)

    def _lifetime(self, name: str, reply: DNSRecord) -> int:
        config, code = self._config, reply.header.rcode
        if code == RCODE.SERVFAIL:
            return FAILURE
        if code not in (RCODE.NOERROR, RCODE.NXDOMAIN):
            return 0
        is_success = code == RCODE.NOERROR and bool(reply.rr)
        off = config.no_success if is_success else config.no_denial
        if any(is_below(name, zone) for zone in off):
            return 0
        limit = config.success if is_success else config.denial
        given = [int(each.ttl) for section in _sections(reply) for each in section if each.rtype != QTYPE.OPT]
        return min(limit, max(SHORTEST, min(given, default=0)))


def _sections(reply: DNSRecord) -> tuple[list[RR], list[RR], list[RR]]:
    return reply.rr, reply.auth, reply.ar


def _aged(record: RR, age: int) -> RR:
    return RR(record.rname, record.rtype, record.rclass, max(0, int(record.ttl) - age), record.rdata)


def _question(query: DNSRecord) -> Question:
    return messages.name_of(query), messages.kind_of(query), messages.wants_dnssec(query)
