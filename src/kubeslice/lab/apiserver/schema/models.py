"""Schemas of the built-in types, made from the published models field by field and shared between kinds.

Types refer to themselves (a JSONSchemaProps has properties that are JSONSchemaProps), so a type's properties are filled
in after its node exists.
"""

import re
from dataclasses import replace
from typing import Any

from kubeslice.lab.apiserver.schema import mergekeys
from kubeslice.lab.apiserver.schema.node import ANYTHING, Node
from kubeslice.lab.apiserver.schema.reflection import Field, TypeName, exists, fields

_STRING = Node(type="string")
_QUANTITY = Node(int_or_string=True, format="quantity")
_BYTES = Node(type="string", format="byte")
_OPEN_MAP = Node(type="object", preserve=True)
_PLAIN = {
    "str": _STRING,
    "int": Node(type="integer"),
    "bool": Node(type="boolean"),
    "float": Node(type="number"),
    "datetime": Node(type="string", format="date-time", nullable=True),
    "meta_v1.Time": Node(type="string", format="date-time", nullable=True),
    "meta_v1.MicroTime": Node(type="string", format="date-time", nullable=True),
    "meta_v1.FieldsV1": Node(type="object", preserve=True, map_type="atomic"),
    "resource.Quantity": _QUANTITY,
    "runtime.RawExtension": _OPEN_MAP,
    "util_intstr.IntOrString": Node(int_or_string=True, format="int-or-string"),
    "apiextensions_v1.JSON": ANYTHING,
    "apiextensions_v1.JSONSchemaPropsOrBool": ANYTHING,
    "apiextensions_v1.JSONSchemaPropsOrStringArray": ANYTHING,
    "apiextensions_v1.CustomResourceSubresourceStatus": _OPEN_MAP,
    "meta_v1.Patch": _OPEN_MAP,
}
_SCHEMA_PROPS = "apiextensions_v1.JSONSchemaProps"
_ALIASES = {"apiextensions_v1.JSONSchemaPropsOrArray": _SCHEMA_PROPS}
_MAP_VALUES = {
    **dict.fromkeys(
        (
            "Secret.data", "ConfigMap.binaryData",
        ),
        _BYTES,
    ),
    **dict.fromkeys(
        (
            "ContainerStatus.allocatedResources", "LimitRangeItem.default", "LimitRangeItem.defaultRequest",
            "LimitRangeItem.max", "LimitRangeItem.maxLimitRequestRatio", "LimitRangeItem.min", "NodeStatus.allocatable",
            "NodeStatus.capacity", "Overhead.podFixed", "PersistentVolumeClaimStatus.allocatedResources",
            "PersistentVolumeClaimStatus.capacity", "PersistentVolumeSpec.capacity", "PodSpec.overhead",
            "PodStatus.allocatedResources", "ResourceQuotaSpec.hard", "ResourceQuotaStatus.hard",
            "ResourceQuotaStatus.used", "ResourceRequirements.limits", "ResourceRequirements.requests",
            "VolumeResourceRequirements.limits", "VolumeResourceRequirements.requests",
        ),
        _QUANTITY,
    ),
    **dict.fromkeys(
        (
            "SubjectAccessReviewSpec.extra", "UserInfo.extra", "CertificateSigningRequestSpec.extra",
        ),
        Node(type="array", items=_STRING),
    ),
}  # fmt: skip
_PROPS_MAPS = frozenset(f"JSONSchemaProps.{name}" for name in ("definitions", "patternProperties", "properties"))
_LONG_INTEGERS = re.compile(
    r"([gG]eneration|[sS]econds|runAs(User|Group)|fsGroup|supplementalGroups|m(ax|in)(imum)?(Length|Items|Properties))$"
)


class Models:
    """The built-in types parsed so far. One instance serves a whole process: the models never change."""

    def __init__(self) -> None:
        self._nodes: dict[TypeName, Node] = {}

    def node(self, type_name: TypeName) -> Node:
        """Return the schema of a type."""
        known = self._nodes.get(type_name)
        if known is not None:
            return known
        declared = fields(type_name)
        properties: dict[str, Node] = {}
        mark = mergekeys.marks().get(type_name.name)
        node = Node(
            type="object",
            model=type_name,
            properties=properties,
            required=tuple(each.name for each in declared if each.is_required),
            map_type=mark.topology if mark else "granular",
        )
        self._nodes[type_name] = node
        for each in declared:
            properties[each.name] = self._field(type_name, each)
        return node

    def _field(self, owner: TypeName, declared: Field) -> Node:
        where = f"{owner.name}.{declared.name}"
        node = self._annotated(owner, where, declared.annotation)
        if node.type == "integer":
            node = replace(node, format="int64" if _LONG_INTEGERS.search(declared.name) else "int32")
        mark = mergekeys.marks().get(where)
        return node if mark is None else _marked(node, mark)

    def _annotated(self, owner: TypeName, where: str, annotation: str) -> Node:
        if annotation.startswith("List["):
            return Node(type="array", items=self._annotated(owner, where, annotation[5:-1]))
        if annotation == "dict":
            return Node(type="object", additional=self._map_value(where))
        module, _, name = annotation.rpartition(".")
        target = f"{module or owner.module}.{name}"
        plain = _PLAIN.get(annotation) or _PLAIN.get(target)
        if plain is not None:
            return plain
        found = TypeName(*_ALIASES.get(target, target).split(".", 1))
        return self.node(found) if exists(found) else ANYTHING

    def _map_value(self, where: str) -> Node:
        if where in _PROPS_MAPS:
            return self.node(TypeName(*_SCHEMA_PROPS.split(".", 1)))
        return _MAP_VALUES.get(where, ANYTHING if where == "JSONSchemaProps.dependencies" else _STRING)


def _marked(node: Node, mark: mergekeys.Mark) -> Node:
    changes: dict[str, Any] = {
        "patch_key": mark.patch_key,
        "patch_merge": mark.patch_merge,
        "patch_retain_keys": mark.patch_retain_keys,
    }
    if node.type != "array":
        return replace(node, map_type=mark.topology, **changes)
    return replace(node, list_type=mark.topology, list_keys=mark.keys, list_defaults=mark.defaults, **changes)
