"""DNS messages: records of ours as dnslib has them, and replies in the shape CoreDNS gives them. Pure."""

import random
from collections.abc import Iterable, Sequence

from dnslib import AAAA, CNAME, EDNS0, NS, PTR, QTYPE, RCODE, RR, SOA, SRV, TXT, A, DNSHeader, DNSRecord

from kubeslice.lab.coredns.cluster import Record

SERIAL = 1
PLAIN_SIZE = 512
LARGEST = 4096


def kind_of(query: DNSRecord) -> str:
    """Return the asked type as text: `A`, `SRV`, `TYPE65`."""
    known = QTYPE.forward.get(query.q.qtype)
    return str(known or f"TYPE{query.q.qtype}")


def name_of(query: DNSRecord) -> str:
    """Return the asked name in lower case without its last dot."""
    return str(query.q.qname).lower().rstrip(".")


def is_bare(query: DNSRecord) -> bool:
    """Tell whether the message is one plain question."""
    header = query.header
    return header.qr == 0 and header.opcode == 0 and len(query.questions) == 1


def rr(record: Record, ttl: int) -> RR:
    """Return a record as dnslib has it."""
    data = record.data
    match record.type:
        case "A":
            made = A(data)
        case "AAAA":
            made = AAAA(data)
        case "CNAME":
            made = CNAME(data)
        case "PTR":
            made = PTR(data)
        case "NS":
            made = NS(data)
        case "TXT":
            made = TXT(data)
        case _:
            made = SRV(*data)
    return RR(record.name, getattr(QTYPE, record.type), ttl=ttl, rdata=made)


def authority(zone: str, ttl: int) -> RR:
    """Return the SOA record that says for how long a name may be taken for absent."""
    times = (SERIAL, 7200, 1800, 86400, ttl)
    return RR(zone or ".", QTYPE.SOA, ttl=ttl, rdata=SOA(f"ns.dns.{zone}", f"hostmaster.{zone}", times))


def reply(
    query: DNSRecord,
    code: str = "NOERROR",
    answers: Sequence[RR] = (),
    *,
    authorities: Iterable[RR] = (),
    extra: Iterable[RR] = (),
    is_own: bool = False,
) -> DNSRecord:
    """Return a reply to `query`; `is_own` says that the zone is ours to answer for."""
    header = DNSHeader(id=query.header.id, qr=1, aa=int(is_own), rd=query.header.rd, ra=1, rcode=getattr(RCODE, code))
    made = DNSRecord(header, q=query.q)
    made.add_answer(*answers)
    made.add_auth(*authorities)
    made.add_ar(*extra)
    if has_edns(query):
        made.add_ar(EDNS0(udp_len=size_limit(query)))
    return made


def shuffled(answers: Sequence[RR]) -> list[RR]:
    """Return addresses in random order, everything else first as it was (the loadbalance plugin)."""
    addresses = [each for each in answers if each.rtype in (QTYPE.A, QTYPE.AAAA)]
    random.shuffle(addresses)
    return [each for each in answers if each.rtype not in (QTYPE.A, QTYPE.AAAA)] + addresses


def has_edns(query: DNSRecord) -> bool:
    """Tell whether the query has an OPT record (RFC 6891)."""
    return any(each.rtype == QTYPE.OPT for each in query.ar)


def wants_dnssec(query: DNSRecord) -> bool:
    """Tell whether the DO bit is set."""
    return any(each.rtype == QTYPE.OPT and int(each.ttl) & 0x8000 for each in query.ar)


def size_limit(query: DNSRecord) -> int:
    """Return how large a UDP reply may be."""
    offered = [int(each.rclass) for each in query.ar if each.rtype == QTYPE.OPT]
    return max(PLAIN_SIZE, min(offered[0], LARGEST)) if offered else PLAIN_SIZE


def packed_for_udp(made: DNSRecord, limit: int) -> bytes:
    """Return the reply as bytes, without its answers and marked so when it is too large."""
    data = bytes(made.pack())
    return data if len(data) <= limit else bytes(made.truncate().pack())
