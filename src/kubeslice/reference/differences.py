"""Where our schemas differ from those of the Go implementation, each with its reason. A page, and a table for a test.

`tests/model` compares every field of every kind with theirs: a difference that is not in this table fails there, and so
does an entry that no field needs any more. What we have beyond them is on the pages of the kinds.
"""

import re
from dataclasses import dataclass
from typing import Literal

from kubeslice.reference import markdown

Aspect = Literal["type", "required", "values", "default", "limits"]


@dataclass(frozen=True)
class Difference:
    """One aspect in which fields differ; `*` stands for any part of a kind's or a field's name."""

    kind: str
    field: str
    aspect: Aspect
    here: str
    reason: str

    def covers(self, kind: str, field: str, aspect: str) -> bool:
        """Tell whether this is the entry of a difference."""
        return aspect == self.aspect and _matches(self.kind, kind) and _matches(self.field, field)


_BOUNDED = "a text or list without an end could fill the store of the API server; no real object comes near"
_NOT_KNOWN = "a slice without a network has none, and an object without it must not be refused while it is built"

TABLE: tuple[Difference, ...] = (
    Difference(
        "SliceConfig",
        "spec.sliceGatewayProvider.sliceGatewayType",
        "default",
        "Wireguard",
        "several times as fast; whoever writes OpenVPN gets OpenVPN (decision 0011)",
    ),
    Difference("WorkerSliceConfig", "spec.sliceGatewayProvider.sliceGatewayType", "default", "Wireguard", "as above"),
    Difference("WorkerSliceGateway", "spec.gatewayType", "default", "Wireguard", "as above"),
    Difference(
        "SliceConfig",
        "spec.vpnConfig.cipher",
        "values",
        "also AES-256-GCM, AES-128-GCM and CHACHA20-POLY1305",
        "authenticated ciphers; the CBC ones are still taken",
    ),
    Difference(
        "SliceConfig", "spec.vpnConfig.cipher", "default", "AES-256-GCM", "OpenVPN 2.6 prefers it, and it is faster"
    ),
    Difference(
        "SliceConfig",
        "spec.qosProfileDetails.*Type",
        "values",
        "HTB, BANDWIDTH_CONTROL",
        "the same values as SliceQoSConfig has there; there are no others",
    ),
    Difference(
        "SliceQoSConfig", "spec.*Type", "required", "optional", "there is one value only, so it need not be written"
    ),
    Difference("SliceQoSConfig", "spec.*Type", "default", "HTB, BANDWIDTH_CONTROL", "as above"),
    Difference(
        "SliceConfig",
        "spec.namespaceIsolationProfile.*.namespace",
        "required",
        "required",
        "an entry without a namespace means nothing; there the webhook refuses it",
    ),
    Difference(
        "VpnKeyRotation",
        "status.*.status",
        "values",
        "the five states that there are",
        "programs can rely on them; there any text is taken",
    ),
    Difference("VpnKeyRotation", "status.*.status", "default", "IN_PROGRESS", "a state is always there to be read"),
    Difference(
        "ServiceExport",
        "spec.selector.matchExpressions[].operator",
        "values",
        "In, NotIn, Exists, DoesNotExist",
        "Kubernetes knows no others; there an unknown one selects nothing in silence",
    ),
    Difference(
        "ServiceExport",
        "status.exportStatus",
        "values",
        "READY, PENDING, ERROR",
        "the three that are ever written there",
    ),
    Difference(
        "ServiceExport", "status.pods[].podIp", "required", "optional", "a pod is listed before it has got its address"
    ),
    Difference("Slice", "status.sliceConfig.*", "required", "optional", _NOT_KNOWN),
    Difference(
        "Slice",
        "status.sliceConfig.*Type",
        "default",
        "Application, Local, HTB",
        "what SliceConfig has when nothing is said",
    ),
    Difference(
        "Slice",
        "status.sliceConfig.qosProfileDetails.dscpClass",
        "values",
        "the classes of SliceConfig",
        "it is copied from there",
    ),
    Difference(
        "Service*",
        "spec.ports[].serviceProtocol",
        "limits",
        "none beside HTTP and HTTPS",
        "the pattern and the lengths there cannot refuse what the two values let through",
    ),
    Difference(
        "*",
        "*ort",
        "limits",
        "0 or 1 to 65535",
        "no other number is a port; 0 stands for a service's own port",
    ),
    Difference("*", "spec.*Kbps", "limits", "≥ 0", "there is no negative bandwidth"),
    Difference("*", "spec.*priority", "limits", "≥ 0", "a class of the kernel's queues has no negative priority"),
    Difference(
        "WorkerSliceConfig", "spec.octet", "limits", "0 to the last part of the subnet", "there is no other part"
    ),
    Difference(
        "SliceConfig",
        "spec.maxClusters",
        "limits",
        "up to 512",
        "more than 32 with sliceIpamType Dynamic; other types still have at most 32",
    ),
    Difference("*", "spec.*", "limits", "a length at most", _BOUNDED),
    Difference("Service*", "spec.*", "limits", "not empty", "an export of no port or on no slice means nothing"),
)


def page() -> str:
    """Return the page of differences."""
    rows = [(one.kind, markdown.code(one.field), one.aspect, one.here, one.reason) for one in TABLE]
    return markdown.page(
        "Differences from the Go implementation",
        "Objects written for the Go implementation are accepted as they are. Every field of its kinds exists here, "
        "with the same name and type. This is the whole list of what else differs, checked by a test; `*` stands for "
        "any part of a name. Defaults count where nothing is written: what was stored with another default keeps it. "
        "What our kinds have beyond is on their [own pages](README.md#kinds); every kind has `status.conditions` and "
        "`status.observedGeneration` besides.",
        markdown.table(("kind", "field", "aspect", "here", "why"), rows),
    )


def _matches(pattern: str, text: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None
