"""What the API server refuses by the schema and its CEL rules alone, with the sentence people read."""

import copy
from typing import Any

import pytest

from kubeslice.lab.apiserver.schema.custom import CustomSchema, compile_schema
from kubeslice.model.base import Kind
from kubeslice.model.cluster import Cluster
from kubeslice.model.crd import object_schema
from kubeslice.model.project import Project
from kubeslice.model.serviceexport import ServiceExport
from kubeslice.model.sliceconfig import SliceConfig
from kubeslice.model.sliceqosconfig import SliceQoSConfig
from kubeslice.model.vpnkeyrotation import VpnKeyRotation
from kubeslice.model.workersliceconfig import WorkerSliceConfig
from tests.model import samples

Obj = dict[str, Any]
Schemas = dict[type[Kind], CustomSchema]


@pytest.fixture(scope="module")
def schemas() -> Any:
    kinds = (Cluster, Project, ServiceExport, SliceConfig, SliceQoSConfig, VpnKeyRotation, WorkerSliceConfig)
    return {kind: compile_schema(object_schema(kind)) for kind in kinds}


def slice_config(name: str = "red", **spec: Any) -> Any:
    return {"metadata": {"name": name}, "spec": {"sliceSubnet": "10.1.0.0/16", **spec}}


def connected(**topology: Any) -> Any:
    return slice_config(clusters=["a", "b"], topology=topology)


def complaints(schema: Any, obj: Obj, old: Obj | None = None) -> Any:
    """Return what the server says, as `path: message`, after defaulting as it does."""
    full = schema.default(copy.deepcopy(obj))
    before = schema.default(copy.deepcopy(old)) if old else None
    return [f"{error.path}: {error.message}" for error in schema.validate(full, before)]


QOS = {"priority": 1, "bandwidthCeilingKbps": 10, "bandwidthGuaranteedKbps": 5, "dscpClass": "AF11"}


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        (SliceConfig, samples.LONG_SLICE),
        (SliceConfig, samples.SHORT_SLICE),
        (SliceConfig, slice_config()),
        (SliceConfig, slice_config(sliceSubnet="172.31.0.0/16")),
        (SliceConfig, connected()),
        (SliceConfig, connected(mode="HubAndSpoke", hubs=["b"], spokeToSpoke=False)),
        (SliceConfig, connected(mode="Restricted", pairs=[{"clusters": ["a", "b"]}])),
        (SliceConfig, slice_config(sliceSubnet="192.168.0.0/16")),
        (SliceConfig, {"metadata": {"name": "x"}, "spec": {"overlayNetworkDeploymentMode": "no-network"}}),
        (SliceConfig, slice_config(sliceSubnet="", overlayNetworkDeploymentMode="no-network")),
        (SliceConfig, {"metadata": {"name": "x" * 44}, "spec": {"overlayNetworkDeploymentMode": "no-network"}}),
        (Project, {"metadata": {"name": "x"}, "spec": {"policyBundles": ["storage"], "allowedStorageClasses": ["a"]}}),
        (SliceConfig, slice_config(standardQosProfileName="", qosProfileDetails=QOS)),
        (Cluster, samples.CLUSTER),
        (Cluster, {"metadata": {"name": "worker-1"}, "spec": {}}),
        (ServiceExport, samples.EXPORT),
        (SliceQoSConfig, {"metadata": {"name": "x"}, "spec": QOS}),
        (Project, {"metadata": {"name": "demo"}, "spec": {"serviceAccount": {"readOnly": ["ann"]}}}),
    ],
)
def test_good_objects_are_accepted_and_lose_nothing(schemas: Schemas, kind: type[Kind], obj: Obj) -> None:
    assert complaints(schemas[kind], obj) == []
    assert schemas[kind].unknown_fields(obj) == []


@pytest.mark.parametrize(
    ("kind", "obj", "sentence"),
    [
        (SliceConfig, slice_config(name="x" * 21), "more than 20 characters"),
        (
            SliceConfig,
            {"metadata": {"name": "x" * 45}, "spec": {"overlayNetworkDeploymentMode": "no-network"}},
            "more than 20 characters",
        ),
        (
            Project,
            {"metadata": {"name": "x"}, "spec": {"policyBundles": ["storage"]}},
            "allowedStorageClasses no class",
        ),
        (SliceConfig, slice_config(name="a.b"), "lower-case letters, digits and '-'"),
        (SliceConfig, slice_config(sliceSubnet="10.1.0.0/17"), "not a private IPv4 /16"),
        (SliceConfig, slice_config(sliceSubnet="10.1.2.0/16"), "not a private IPv4 /16"),
        (SliceConfig, slice_config(sliceSubnet="8.8.0.0/16"), "not a private IPv4 /16"),
        (SliceConfig, slice_config(sliceSubnet="172.32.0.0/16"), "not a private IPv4 /16"),
        (SliceConfig, slice_config(sliceSubnet="ten"), "not a private IPv4 /16"),
        (SliceConfig, {"metadata": {"name": "x"}, "spec": {}}, "sliceSubnet is missing"),
        (SliceConfig, slice_config(sliceSubnet=""), "sliceSubnet is missing"),
        (SliceConfig, slice_config(clusters=["a", "b", "a"]), "Duplicate value"),
        (SliceConfig, slice_config(clusters=["a", "b", "c"], maxClusters=2), "more members than maxClusters"),
        (SliceConfig, slice_config(maxClusters=33), "32"),
        (SliceConfig, slice_config(maxClusters=1), "2"),
        (SliceConfig, slice_config(rotationInterval=29), "30"),
        (SliceConfig, slice_config(standardQosProfileName="x", qosProfileDetails=QOS), "are both given"),
        (SliceConfig, slice_config(qosProfileDetails={**QOS, "bandwidthGuaranteedKbps": 11}), "is above"),
        (SliceConfig, connected(mode="HubAndSpoke"), "names no hub"),
        (SliceConfig, connected(mode="HubAndSpoke", hubs=["a", "a"]), "hubs names a cluster twice"),
        (SliceConfig, connected(mode="HubAndSpoke", hubs=["z"]), "hubs names a cluster that is not in clusters"),
        (SliceConfig, connected(hubs=["a"]), "hubs belongs to mode HubAndSpoke"),
        (SliceConfig, connected(mode="Restricted", spokeToSpoke=False), "spokeToSpoke belongs to mode HubAndSpoke"),
        (SliceConfig, connected(pairs=[{"clusters": ["a", "b"]}]), "pairs belongs to mode Restricted"),
        (SliceConfig, connected(mode="Restricted", pairs=[{"clusters": ["a", "a"]}]), "a cluster with itself"),
        (SliceConfig, connected(mode="Restricted", pairs=[{"clusters": ["a", "z"]}]), "pairs names a cluster that is"),
        (SliceConfig, connected(mode="Restricted", pairs=[{"clusters": ["a"]}]), "2"),
        (SliceConfig, connected(mode="Ring"), "Ring"),
        (SliceConfig, slice_config(gatewayReplicas=0), "1"),
        (SliceConfig, slice_config(gatewayReplicas=5), "4"),
        (SliceConfig, slice_config(sliceGatewayProvider={"sliceGatewayType": "IPsec"}), "IPsec"),
        (Cluster, {"metadata": {"name": "x" * 21}, "spec": {}}, "more than 20 characters"),
        (VpnKeyRotation, {"metadata": {"name": "red"}, "spec": {"sliceName": "blue"}}, "the same name twice"),
        (Project, {"metadata": {"name": "x" * 31}, "spec": {}}, "more than 30 characters"),
        (
            Project,
            {"metadata": {"name": "demo"}, "spec": {"groups": {"readOnly": ["system:authenticated"]}}},
            "names that begin with system: belong to Kubernetes",
        ),
        (SliceQoSConfig, {"metadata": {"name": "x"}, "spec": {**QOS, "dscpClass": "AF99"}}, "AF99"),
        (ServiceExport, {"metadata": {"name": "w"}, "spec": {"slice": "red", "selector": {}, "ports": []}}, "ports"),
        (ServiceExport, {"metadata": {"name": "a.b"}, "spec": samples.EXPORT["spec"]}, "service's name in DNS"),
    ],
)
def test_bad_objects_are_refused_with_a_sentence(schemas: Schemas, kind: type[Kind], obj: Obj, sentence: str) -> None:
    found = complaints(schemas[kind], obj)
    assert [text for text in found if sentence in text], found


def with_provider(**provider: Any) -> Any:
    return slice_config(sliceGatewayProvider=provider)


def exposed(**entry: Any) -> Any:
    return with_provider(sliceGatewayServiceType=[{"cluster": "a", **entry}])


def ciphered(cipher: str) -> Any:
    return slice_config(sliceGatewayProvider={"sliceGatewayType": "OpenVPN"}, vpnConfig={"cipher": cipher})


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (slice_config(), slice_config(sliceSubnet="10.2.0.0/16"), "sliceSubnet cannot change"),
        (slice_config(), {"metadata": {"name": "red"}, "spec": {}}, "sliceSubnet cannot be taken away"),
        (slice_config(), slice_config(sliceType="Other"), "sliceType cannot change"),
        (slice_config(), slice_config(sliceIpamType="Dynamic"), "sliceIpamType cannot change"),
        (slice_config(), slice_config(maxClusters=8), "maxClusters cannot change"),
        (slice_config(), with_provider(sliceGatewayType="OpenVPN"), "sliceGatewayType cannot change"),
        (slice_config(), with_provider(sliceCaType="Vault"), "sliceCaType cannot change"),
        (
            slice_config(vpnConfig={"cipher": "AES-256-CBC"}),
            slice_config(vpnConfig={"cipher": "AES-128-CBC"}),
            "cipher cannot change",
        ),
        (slice_config(), slice_config(overlayNetworkDeploymentMode="no-network"), "only from no-network"),
        (exposed(type="LoadBalancer"), exposed(), "cannot go back from LoadBalancer to NodePort"),
        (exposed(), exposed(protocol="TCP"), "protocol of sliceGatewayServiceType cannot change"),
        (with_provider(sliceGatewayType="OpenVPN"), ciphered("AES-128-GCM"), "vpnConfig.cipher cannot change"),
        (ciphered("AES-128-GCM"), with_provider(sliceGatewayType="OpenVPN"), "vpnConfig.cipher cannot change"),
    ],
)
def test_what_cannot_change_says_so(schemas: Schemas, old: Obj, new: Obj, sentence: str) -> None:
    found = complaints(schemas[SliceConfig], new, old)
    assert [text for text in found if sentence in text], found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (slice_config(), slice_config(clusters=["a", "b"])),
        (slice_config(clusters=["a", "b"]), slice_config(clusters=["b"])),
        (slice_config(rotationInterval=30), slice_config(rotationInterval=60)),
        (exposed(), exposed(type="LoadBalancer")),
        (with_provider(sliceGatewayType="OpenVPN"), ciphered("AES-256-GCM")),
        (slice_config(overlayNetworkDeploymentMode="no-network", sliceSubnet=""), slice_config()),
        (slice_config(), with_provider(sliceGatewayServiceType=[{"cluster": "*", "type": "LoadBalancer"}])),
    ],
)
def test_what_may_change_does(schemas: Schemas, old: Obj, new: Obj) -> None:
    assert complaints(schemas[SliceConfig], new, old) == []


def test_a_clusters_octet_stays(schemas: Schemas) -> None:
    old, new = ({"metadata": {"name": "x"}, "spec": {"octet": octet}} for octet in (0, 1))
    assert "octet cannot change" in complaints(schemas[WorkerSliceConfig], new, old)[0]
