"""CEL rules of SliceConfig: what the API server refuses by itself, also while the webhook is down.

The same sentences come from `plan.validation`, which sees the other objects too. Source of the rules: section 1.2 of
the facts about the Go implementation.
"""

from typing import Any

from kubeslice.model.base import Rule, rules
from kubeslice.model.names import MAX_SLICE_LENGTH

PRIVATE_SLASH_16 = r"^(10\\.(0|[1-9][0-9]{0,2})|172\\.(1[6-9]|2[0-9]|3[01])|192\\.168)\\.0\\.0/16$"


def kept(field: str, why: str) -> dict[str, Any]:
    """Return the rule that a field of a slice cannot change."""
    return rules(Rule("self == oldSelf", f"{field} cannot change, because {why}: make a new slice instead"))


NAME_RULES = rules(
    Rule(
        f"self.metadata.name.size() <= {MAX_SLICE_LENGTH}",
        f"the name has more than {MAX_SLICE_LENGTH} characters: choose a shorter name for the slice, "
        "names of gateways are made of it",
    ),
    Rule(
        "self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
        "the name has other characters than lower-case letters, digits and '-': choose another name for the slice",
    ),
)

SUBNET_RULES = rules(
    Rule(
        f"self == '' || self.matches('{PRIVATE_SLASH_16}')",
        "sliceSubnet is not a private IPv4 /16: write one of 10.0.0.0/16 to 10.255.0.0/16, 172.16.0.0/16 to "
        "172.31.0.0/16, or 192.168.0.0/16",
    ),
    Rule(
        "self == oldSelf || oldSelf == ''",
        "sliceSubnet cannot change, because pods have addresses in it: make a new slice instead",
    ),
)

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

PAIR_RULES = rules(
    Rule("self.clusters[0] != self.clusters[1]", "topology.pairs pairs a cluster with itself: name two clusters")
)

SPEC_RULES = rules(
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
        "!has(self.clusters) || self.clusters.all(c, self.clusters.exists_one(d, c == d))",
        "clusters names a cluster twice: name each member once",
    ),
    Rule(
        "!has(self.clusters) || self.clusters.size() <= self.maxClusters",
        "clusters has more members than maxClusters: take some out, or make a new slice with a larger maxClusters",
    ),
    Rule(
        "!has(self.standardQosProfileName) || self.standardQosProfileName == '' || !has(self.qosProfileDetails)",
        "standardQosProfileName and qosProfileDetails are both given: keep one of them",
    ),
)
