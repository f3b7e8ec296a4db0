"""From a kind to its CustomResourceDefinition (apiextensions.k8s.io/v1). Used by `manifests` and by the generator."""

from collections.abc import Sequence
from typing import Any

from kubeslice.model.base import Column, Kind
from kubeslice.model.resources import CRDS
from kubeslice.model.schema import Schema, structural

CATEGORY = "kubeslice"


def crd(kind: type[Kind]) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind: one version, served and stored, with a status subresource."""
    resource = kind.resource
    names = {
        "kind": resource.kind,
        "listKind": f"{resource.kind}List",
        "plural": resource.plural,
        "singular": resource.kind.lower(),
        "categories": [CATEGORY],
    }
    if kind.short_names:
        names["shortNames"] = list(kind.short_names)
    version = {
        "name": resource.version,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": _columns(kind.columns),
        "schema": {"openAPIV3Schema": object_schema(kind)},
    }
    return {
        "apiVersion": CRDS.api_version,
        "kind": CRDS.kind,
        "metadata": {"name": resource.crd_name, "labels": {"app.kubernetes.io/part-of": "kubeslice"}},
        "spec": {
            "group": resource.group,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "names": names,
            "versions": [version],
        },
    }


def object_schema(kind: type[Kind]) -> Schema:
    """Return the structural schema of whole objects; of metadata it says only that it is there."""
    schema = structural(kind)
    spec_and_status = {name: value for name, value in schema["properties"].items() if name != "metadata"}
    schema["properties"] = {
        "apiVersion": {"type": "string", "description": "Version of the kind, with its group."},
        "kind": {"type": "string", "description": "Name of the kind."},
        "metadata": {"type": "object"},
        **spec_and_status,
    }
    return schema


def _columns(columns: Sequence[Column]) -> list[dict[str, Any]]:
    return [_column(column) for column in columns]


def _column(column: Column) -> dict[str, Any]:
    optional = {"priority": column.priority, "description": column.description}
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        **{key: value for key, value in optional.items() if value},
    }
