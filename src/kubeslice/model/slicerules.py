"""CEL rules of SliceConfig: what the API server refuses by itself, also while the webhook is down.

The same sentences come from `plan.checks.validation`, which sees the other objects too. Source of the rules: section
1.2 of the facts about the Go implementation.
"""

from typing import Any

from kubeslice.model.base import Rule, rules
from kubeslice.model.names import MAX_BARE_SLICE_LENGTH, MAX_SLICE_LENGTH

_BYTE = "(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
PRIVATE_SUBNET = (
    rf"^(10\\.{_BYTE}\\.{_BYTE}\\.{_BYTE}/([89]|1[0-9]|2[0-6])|"
    rf"172\\.(1[6-9]|2[0-9]|3[01])\\.{_BYTE}\\.{_BYTE}/(1[2-9]|2[0-6])|"
    rf"192\\.168\\.{_BYTE}\\.{_BYTE}/(1[6-9]|2[0-6]))$"
)
# Three groups are a /48; up to /56 the first half of the fourth may be used.
ULA_SUBNET = r"^fd[0-9a-fA-F]{2}(:[0-9a-fA-F]{1,4}){0,3}::/(4[89]|5[0-6])$"
PRIVATE_SLASH_16 = r"^(10\\.(0|[1-9][0-9]{0,2})|172\\.(1[6-9]|2[0-9]|3[01])|192\\.168)\\.0\\.0/16$"


def kept(field: str, why: str) -> dict[str, Any]:
    """Return the rule that a field of a slice cannot change."""
    return rules(Rule("self == oldSelf", f"{field} cannot change, because {why}: make a new slice instead"))


NAME_RULES = rules(
    Rule(
        f"self.metadata.name.size() <= {MAX_SLICE_LENGTH} || (self.metadata.name.size() <= {MAX_BARE_SLICE_LENGTH} && "
        "has(self.spec) && self.spec.overlayNetworkDeploymentMode == 'no-network')",
        f"the name has more than {MAX_SLICE_LENGTH} characters: choose a shorter name for the slice, "
        "names of gateways are made of it",
    ),
    Rule(
        "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
        "the name has other characters than lower-case letters, digits and '-': choose another name for the slice",
    ),
)

# The address as a number, which in a network divides by the network's size.
_ADDRESS = " + ".join(f"int(self.split('/')[0].split('.')[{place}]) * {256 ** (3 - place)}" for place in range(4))
_SIZES = ", ".join(str(1 << (32 - prefix)) for prefix in range(8, 27))

SUBNET_RULES = rules(
    Rule(
        f"!self.matches('{PRIVATE_SUBNET}') || ({_ADDRESS}) % [{_SIZES}][int(self.split('/')[1]) - 8] == 0",
        "sliceSubnet is not a network: after its prefix the address must be zero, as in 10.8.0.0/13",
    ),
)

SUBNET_V6_RULES = rules(
    Rule(
        f"self == '' || self.matches('{ULA_SUBNET}')",
        "sliceSubnetV6 is not a unique local IPv6 network of /48 to /56: write one such as fd12:3456:789a::/48",
    ),
    Rule(
        "self == oldSelf || oldSelf == ''",
        "sliceSubnetV6 cannot change, because pods have addresses in it: make a new slice instead",
    ),
)

PART_RULES = rules(
    Rule(
        "self <= 26",
        "the part of a cluster would be too small: its routers, gateways and nodes need a /26 at least, write 16 to 26",
    )
)

_SIZE = "({0}.sliceIpamType == 'Dynamic' ? (has({0}.ipam) ? {0}.ipam.clusterSubnetSize : 24) : 26)"
_PARTS = (
    "({0}.maxClusters <= 2 ? 2 : {0}.maxClusters <= 4 ? 4 : {0}.maxClusters <= 8 ? 8 : {0}.maxClusters <= 16 ? 16 : 32)"
)
_GROWS = (
    "self.sliceSubnet.split('/')[0] == oldSelf.sliceSubnet.split('/')[0] && "
    "int(self.sliceSubnet.split('/')[1]) <= int(oldSelf.sliceSubnet.split('/')[1])"
)
_HAS_SUBNET = "has({0}.sliceSubnet) && {0}.sliceSubnet != ''"

# What of a slice's addresses takes more than one field to see: Static and Dynamic slices differ.
ADDRESS_RULES = (
    Rule(
        f"self.sliceIpamType == 'Dynamic' || !({_HAS_SUBNET.format('self')}) || "
        f"self.sliceSubnet.matches('{PRIVATE_SLASH_16}')",
        "sliceSubnet is not a private IPv4 /16: write one of 10.0.0.0/16 to 10.255.0.0/16, 172.16.0.0/16 to "
        "172.31.0.0/16, or 192.168.0.0/16; other lengths take sliceIpamType Dynamic",
    ),
    Rule(
        f"self.sliceIpamType != 'Dynamic' || !({_HAS_SUBNET.format('self')}) || "
        f"self.sliceSubnet.matches('{PRIVATE_SUBNET}')",
        "sliceSubnet is not a private IPv4 network of /8 to /26: write one in 10.0.0.0/8, 172.16.0.0/12 or "
        "192.168.0.0/16, such as 10.8.0.0/14",
    ),
    Rule(
        f"!({_HAS_SUBNET.format('self')}) || !self.sliceSubnet.matches('{PRIVATE_SUBNET}') || "
        f"int(self.sliceSubnet.split('/')[1]) <= {_SIZE.format('self')}",
        "sliceSubnet is smaller than the part of one cluster: shorten it, or lengthen ipam.clusterSubnetSize",
    ),
    Rule(
        f"!({_HAS_SUBNET.format('oldSelf')}) || !({_HAS_SUBNET.format('self')}) || "
        "self.sliceSubnet == oldSelf.sliceSubnet || "
        f"(self.sliceIpamType == 'Dynamic' && self.sliceSubnet.matches('{PRIVATE_SUBNET}') && {_GROWS})",
        "sliceSubnet cannot change, because pods have addresses in it, except that the subnet of a Dynamic slice may "
        "grow to a shorter prefix that starts at the same address: make a new slice instead",
    ),
    Rule(
        "!has(oldSelf.sliceSubnetV6) || oldSelf.sliceSubnetV6 == '' || has(self.sliceSubnetV6)",
        "sliceSubnetV6 cannot be taken away, because pods have addresses in it: make a new slice instead",
    ),
    Rule(
        "!has(self.sliceSubnetV6) || self.sliceSubnetV6 == '' || "
        f"({_HAS_SUBNET.format('self')} && self.overlayNetworkDeploymentMode != 'no-network')",
        "sliceSubnetV6 stands alone: a slice has IPv6 addresses beside IPv4 ones, give it a sliceSubnet too",
    ),
    Rule(
        "self.sliceIpamType == 'Dynamic' || !has(self.ipam)",
        "ipam belongs to sliceIpamType Dynamic: take it out, or make a new slice of that type",
    ),
    Rule(
        f"!({_HAS_SUBNET.format('oldSelf')}) || {_SIZE.format('self')} == {_SIZE.format('oldSelf')}",
        "ipam.clusterSubnetSize cannot change, because every part of the subnet would move: make a new slice instead",
    ),
    Rule(
        f"self.sliceIpamType == 'Dynamic' || !({_HAS_SUBNET.format('self')}) || self.maxClusters <= 32",
        "maxClusters is above 32, into which an equal cut of a /16 goes: lower it, or make the slice with "
        "sliceIpamType Dynamic",
    ),
    Rule(
        f"self.sliceIpamType == 'Dynamic' || !({_HAS_SUBNET.format('oldSelf')}) || "
        f"{_PARTS.format('self')} == {_PARTS.format('oldSelf')}",
        "maxClusters cannot change beyond its power of two, because every part of the subnet would move: make a new "
        "slice instead",
    ),
)

_CIPHER = "(has({0}.vpnConfig) ? {0}.vpnConfig.cipher : 'AES-256-GCM')"

_IS_MEMBER = "has(self.clusters) && {} in self.clusters"

TOPOLOGY_RULES = rules(
    Rule(
        "self.mode != 'HubAndSpoke' || (has(self.hubs) && self.hubs.size() > 0)",
        "topology.hubs names no hub: name at least one member cluster that all others connect to",
    ),
    Rule(
        "self.mode == 'HubAndSpoke' || !has(self.hubs) || self.hubs.size() == 0",
        "topology.hubs belongs to mode HubAndSpoke: take it out, or change the mode",
    ),
    Rule(
        "self.mode == 'HubAndSpoke' || self.spokeToSpoke",
        "topology.spokeToSpoke belongs to mode HubAndSpoke: take it out, or change the mode",
    ),
    Rule(
        "self.mode == 'Restricted' || !has(self.pairs) || self.pairs.size() == 0",
        "topology.pairs belongs to mode Restricted: take it out, or change the mode",
    ),
    Rule(
        "!has(self.hubs) || self.hubs.all(h, self.hubs.exists_one(other, h == other))",
        "topology.hubs names a cluster twice: name each hub once",
    ),
)

EXPOSURE_RULES = rules(
    Rule(
        "self.type == oldSelf.type || oldSelf.type == 'NodePort'",
        "type of sliceGatewayServiceType cannot go back from LoadBalancer to NodePort, because the other clusters call "
        "the load balancer: leave it",
    ),
    Rule(
        "self.protocol == oldSelf.protocol",
        "protocol of sliceGatewayServiceType cannot change, because both ends of a tunnel speak it: leave it",
    ),
)

PAIR_RULES = rules(
    Rule("self.clusters[0] != self.clusters[1]", "topology.pairs pairs a cluster with itself: name two clusters")
)

SPEC_RULES = rules(
    *ADDRESS_RULES,
    Rule(
        f"!has(self.topology) || !has(self.topology.hubs) || self.topology.hubs.all(hub, {_IS_MEMBER.format('hub')})",
        "topology.hubs names a cluster that is not in clusters: add it there, or take it out of the hubs",
    ),
    Rule(
        "!has(self.topology) || !has(self.topology.pairs) || "
        f"self.topology.pairs.all(pair, pair.clusters.all(end, {_IS_MEMBER.format('end')}))",
        "topology.pairs names a cluster that is not in clusters: add it there, or take the pair out",
    ),
    Rule(
        "self.overlayNetworkDeploymentMode == 'no-network' || (has(self.sliceSubnet) && self.sliceSubnet != '')",
        "sliceSubnet is missing: write a private IPv4 /16 such as 10.1.0.0/16",
    ),
    Rule(
        "!has(oldSelf.sliceSubnet) || oldSelf.sliceSubnet == '' || has(self.sliceSubnet)",
        "sliceSubnet cannot be taken away, because pods have addresses in it: make a new slice instead",
    ),
    Rule(
        "self.overlayNetworkDeploymentMode == oldSelf.overlayNetworkDeploymentMode || "
        "oldSelf.overlayNetworkDeploymentMode == 'no-network'",
        "overlayNetworkDeploymentMode can change only from no-network: make a new slice instead",
    ),
    Rule(
        "!has(self.clusters) || self.clusters.size() <= self.maxClusters",
        "clusters has more members than maxClusters: take some out, or raise maxClusters as far as it goes",
    ),
    Rule(
        "self.sliceGatewayProvider.sliceGatewayType != 'OpenVPN' || "
        f"{_CIPHER.format('self')} == {_CIPHER.format('oldSelf')}",
        "vpnConfig.cipher cannot change, because the ends of a tunnel would not understand each other: "
        "make a new slice instead",
    ),
    Rule(
        "!has(self.standardQosProfileName) || self.standardQosProfileName == '' || !has(self.qosProfileDetails)",
        "standardQosProfileName and qosProfileDetails are both given: keep one of them",
    ),
)
