"""How lists and objects of the built-in kinds merge: what the Go types say in tags and the published models leave out.

One line a field: `Type.field` (or `Type` for an object), its topology for server-side apply, the keys of a map list
(`key=default`), and after `|` what strategic merge patches use: a merge key, `merge` for a set of scalars, or
`retainKeys`.
Fields that are not named here are atomic lists or granular objects, and patches replace their lists.
Source: the listType, listMapKey, structType, mapType, patchStrategy and patchMergeKey markers of k8s.io/api.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

_MARKS = """
ObjectMeta.finalizers set | merge
ObjectMeta.ownerReferences map uid | uid
OwnerReference atomic
LabelSelector atomic
PodSpec.containers map name | name
PodSpec.initContainers map name | name
PodSpec.ephemeralContainers map name | name
PodSpec.volumes map name | name retainKeys
PodSpec.imagePullSecrets map name= | name
PodSpec.hostAliases map ip | ip
PodSpec.topologySpreadConstraints map topologyKey whenUnsatisfiable | topologyKey
PodSpec.schedulingGates map name | name
PodSpec.resourceClaims map name | name retainKeys
PodSpec.nodeSelector atomic
PodStatus.conditions map type | type
PodStatus.podIPs map ip | ip
PodStatus.hostIPs atomic | ip
PodStatus.resourceClaimStatuses map name | name retainKeys
Container.ports map containerPort protocol=TCP | containerPort
Container.env map name | name
Container.volumeMounts map mountPath | mountPath
Container.volumeDevices map devicePath | devicePath
EphemeralContainer.ports map containerPort protocol=TCP | containerPort
EphemeralContainer.env map name | name
EphemeralContainer.volumeMounts map mountPath | mountPath
EphemeralContainer.volumeDevices map devicePath | devicePath
ContainerStatus.volumeMounts map mountPath | mountPath
ResourceRequirements.claims map name
NodeSelector atomic
NodeSelectorTerm atomic
SecretKeySelector atomic
ConfigMapKeySelector atomic
ObjectFieldSelector atomic
ResourceFieldSelector atomic
LocalObjectReference atomic
ObjectReference atomic
TypedLocalObjectReference atomic
SecretReference atomic
ScopeSelector atomic
TopologySelectorTerm atomic
ServiceSpec.ports map port protocol=TCP | port
ServiceSpec.selector atomic
ServiceStatus.conditions map type | type
ReplicationControllerSpec.selector atomic
ReplicationControllerStatus.conditions map type | type
ServiceAccount.secrets map name | name
NamespaceStatus.conditions map type | type
NodeSpec.podCIDRs set | merge
NodeStatus.conditions map type | type
NodeStatus.addresses map type | type
PersistentVolumeClaimStatus.conditions map type | type
DeploymentSpec.strategy granular | retainKeys
DeploymentStatus.conditions map type | type
DaemonSetStatus.conditions map type | type
StatefulSetStatus.conditions map type | type
ReplicaSetStatus.conditions map type | type
JobStatus.conditions atomic | type
PodDisruptionBudgetStatus.conditions map type | type
HorizontalPodAutoscalerStatus.conditions map type | type
CertificateSigningRequestStatus.conditions map type
APIServiceStatus.conditions map type | type
FlowSchemaStatus.conditions map type | type
CustomResourceDefinitionStatus.conditions map type
ValidationRule atomic
JSONSchemaProps.x-kubernetes-validations map rule | rule
RoleRef atomic
Subject atomic
EndpointAddress atomic
EndpointPort atomic
ServiceBackendPort atomic
MutatingWebhookConfiguration.webhooks map name | name
ValidatingWebhookConfiguration.webhooks map name | name
MutatingWebhook.matchConditions map name | name
ValidatingWebhook.matchConditions map name | name
CSINodeDriver.topologyKeys atomic
CSINodeSpec.drivers map name | name
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """How one field or object merges."""

    topology: str
    keys: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    patch_key: str = ""
    patch_merge: bool = False
    patch_retain_keys: bool = False


@cache
def marks() -> Mapping[str, Mark]:
    """Return the marks by `Type.field` or `Type`."""
    return dict(_read(line) for line in _MARKS.strip().splitlines())


def _read(line: str) -> tuple[str, Mark]:
    applied, _, patched = line.partition("|")
    where, topology, *keys = applied.split()
    words = patched.split()
    named = [word for word in words if word not in ("merge", "retainKeys")]
    pairs = [key.partition("=") for key in keys]
    return where, Mark(
        topology,
        keys=tuple(name for name, _, _ in pairs),
        defaults={name: default for name, equals, default in pairs if equals},
        patch_key=named[0] if named else "",
        patch_merge="merge" in words,
        patch_retain_keys="retainKeys" in words,
    )
