"""What goes wrong with an OpenVPN tunnel, read off what OpenVPN prints, as sentences that say what to do. Pure."""

import re
from dataclasses import dataclass
from typing import NamedTuple

_NAME = re.compile(r"depth=0,.*CN=([A-Za-z0-9.-]+)")
_CLOCK = "compare the clocks of both clusters"
_OTHER = "the other end's certificate is of another authority than this slice's: is it a member of this slice?"


class Problem(NamedTuple):
    """A sentence, and the name in the certificate of the peer that it is about, "" when that is not known."""

    sentence: str
    name: str = ""


@dataclass(frozen=True)
class _Sign:
    """What is printed, and what it means."""

    words: str
    meaning: str


_SIGNS = (
    _Sign("certificate has expired", f"the other end's certificate has expired: {_CLOCK}, and see whether keys rotate"),
    _Sign("certificate is not yet valid", f"the other end's certificate is not valid yet: {_CLOCK}"),
    _Sign("certificate revoked", "the other end's certificate is revoked: its cluster was evicted or left the slice"),
    _Sign("unable to get local issuer certificate", _OTHER),
    _Sign("self-signed certificate", _OTHER),
    _Sign("self signed certificate", _OTHER),
    _Sign("certificate signature failure", _OTHER),
    _Sign("CRL has expired", f"the list of revoked certificates is out of date: is the hub reachable? Else {_CLOCK}"),
    _Sign("CRL is not yet valid", f"the list of revoked certificates is not valid yet: {_CLOCK}"),
    _Sign("unable to get certificate CRL", "the list of revoked certificates is of another slice's authority"),
    _Sign("VERIFY X509NAME ERROR", "another gateway than the one that was called answers there: see the endpoints"),
    _Sign("VERIFY EKU ERROR", "the other end's certificate is not meant for this use"),
    _Sign("alert certificate expired", f"the other end takes our certificate for expired: {_CLOCK}"),
    _Sign("alert certificate revoked", "the other end takes our certificate for revoked"),
    _Sign("alert unknown ca", "the other end does not know the authority of our certificate: is it of this slice?"),
    _Sign("alert bad certificate", "the other end refuses our certificate; its own status says why"),
    _Sign("alert certificate unknown", "the other end refuses our certificate; its own status says why"),
    _Sign("failed to negotiate cipher", "the ends have no cipher in common: see vpnConfig.cipher of the slice"),
    _Sign("no shared cipher", "the ends have no TLS cipher in common"),
    _Sign("Address already in use", "port {port} is taken by another program in the gateway's pod"),
    _Sign("Cannot open TUN/TAP dev", "/dev/net/tun cannot be opened: the node has to offer it to gateways"),
    _Sign("key values mismatch", "certificate and key of this gateway do not belong together"),
    _Sign("Cannot load inline certificate", "the certificate of this gateway cannot be read"),
    _Sign("Cannot load CA certificate", "the certificate of the slice's authority cannot be read"),
    _Sign("No space left on device", "the disk of this node is full"),
    _Sign("AUTH_FAILED", "the other end does not admit this cluster; its own status says why"),
)


def find(line: str) -> Problem | None:
    """Return what a line of OpenVPN's log says about a problem, if anything."""
    for sign in _SIGNS:
        if sign.words in line:
            named = _NAME.search(line)
            return Problem(sign.meaning, named[1] if named else "")
    return None
