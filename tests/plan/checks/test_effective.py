"""Every field that is accepted and not acted on is named; what works is not."""

from typing import Any

import pytest

from kubeslice.model.cluster import ClusterSpec
from kubeslice.model.project import ProjectSpec
from kubeslice.model.serviceexport import ServiceExportSpec
from kubeslice.model.sliceconfig import SliceConfigSpec
from kubeslice.model.sliceresourcequota import SliceResourceQuotaSpec
from kubeslice.plan.checks import effective
from tests.model import samples

Obj = dict[str, Any]


def test_a_slice_of_what_works_is_fully_effective() -> None:
    spec = SliceConfigSpec.model_validate(
        {
            "sliceSubnet": "10.1.0.0/16",
            "clusters": ["a"],
            "sliceGatewayProvider": {"sliceGatewayServiceType": [{"cluster": "*"}]},
            "namespaceIsolationProfile": {"applicationNamespaces": [{"namespace": "shop", "clusters": ["*"]}]},
            "externalGatewayConfig": [{"clusters": ["*"], "ingress": {"enabled": False}, "gatewayType": "none"}],
        }
    )
    assert effective.not_effective(spec) == []
    assert effective.impossible(spec) == []


def test_every_wish_of_the_long_sample_is_named() -> None:
    spec = SliceConfigSpec.model_validate(samples.LONG_SLICE["spec"])
    sentences = effective.not_effective(spec)
    for field in (
        "qosProfileDetails", "externalGatewayConfig",
    ):  # fmt: skip
        assert [text for text in sentences if field in text.split(": ")[0]], field
    assert len(sentences) == 2
    assert effective.impossible(spec) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"standardQosProfileName": "default"}, "spec.standardQosProfileName"),
        ({"vpnConfig": {"cipher": "AES-256-GCM"}}, "spec.vpnConfig.cipher"),
        (
            {"namespaceIsolationProfile": {"allowedNamespaces": [{"namespace": "ops", "clusters": ["*"]}]}},
            "spec.namespaceIsolationProfile.allowedNamespaces",
        ),
        ({"sliceType": "Other"}, "spec.sliceType"),
        ({"sliceIpamType": "Random"}, "spec.sliceIpamType"),
        ({"sliceSubnetV6": "fd12:3456:789a::/48"}, "spec.sliceSubnetV6"),
        ({"sliceGatewayProvider": {"sliceCaType": "Vault"}}, "spec.sliceGatewayProvider.sliceCaType"),
        (
            {"sliceGatewayProvider": {"sliceCaType": "Vault", "sliceGatewayType": "OpenVPN"}},
            "spec.sliceGatewayProvider.sliceCaType",
        ),
        (
            {"sliceGatewayProvider": {"sliceGatewayServiceType": [{"cluster": "a", "protocol": "TCP"}]}},
            "spec.sliceGatewayProvider.sliceGatewayServiceType[cluster=a].protocol",
        ),
        (
            {"externalGatewayConfig": [{"vpcServiceAccess": {"egress": {"enabled": True}}}]},
            "spec.externalGatewayConfig",
        ),
    ],
)
def test_single_wishes(fields: Obj, field: str) -> None:
    (sentence,) = effective.not_effective(SliceConfigSpec.model_validate(fields))
    assert sentence.startswith(f"{field}: ")


def test_networks_that_are_not_there_yet() -> None:
    mode = "multi-network"
    assert effective.impossible(SliceConfigSpec.model_validate({"overlayNetworkDeploymentMode": "no-network"})) == []
    (problem,) = effective.impossible(SliceConfigSpec.model_validate({"overlayNetworkDeploymentMode": mode}))
    assert problem.reason == "NetworkModeNotYetEffective"
    assert mode in problem.sentence


def test_other_kinds() -> None:
    assert len(effective.cluster_not_effective(ClusterSpec.model_validate(samples.CLUSTER["spec"]))) == 1
    assert effective.project_not_effective(ProjectSpec(default_slice_creation=True), "shop") == []
    (sentence,) = effective.project_not_effective(ProjectSpec(policy_bundles=["network"]), "shop")
    assert "kubeslice policies render shop" in sentence
    quiet = ServiceExportSpec.model_validate(samples.EXPORT["spec"])
    assert effective.export_not_effective(quiet) == []
    assert len(effective.export_not_effective(quiet.model_copy(update={"ingress_enabled": True}))) == 1


def test_a_limit_of_bandwidth_is_named_wherever_it_stands_and_others_are_not() -> None:
    kept = {"sliceQuota": {"pods": 3}, "clusterQuota": [{"cluster": "a", "pods": 1}]}
    assert effective.quota_not_effective(SliceResourceQuotaSpec.model_validate(kept)) == []
    idle = {"sliceQuota": {"bandwidthCeilingKbps": 9}, "clusterQuota": [{"cluster": "a", "bandwidthCeilingKbps": 8}]}
    told = effective.quota_not_effective(SliceResourceQuotaSpec.model_validate(idle))
    assert [text.split(": ")[0] for text in told] == [
        "spec.sliceQuota.bandwidthCeilingKbps",
        "spec.clusterQuota[cluster=a].bandwidthCeilingKbps",
    ]
