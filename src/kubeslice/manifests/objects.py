"""The head of every manifest: version, kind, name and the labels that tell whose it is. Used by all modules here."""

from typing import Any

from kubeslice.model import names
from kubeslice.model.resources import NAMESPACES, Resource

Object = dict[str, Any]

INSTALLER = "kubeslice-install"


def obj(resource: Resource, name: str, namespace: str, component: str) -> Object:
    """Return an object without content. `namespace` is empty for objects of the whole cluster."""
    metadata: Object = {"name": name, "labels": labels(component)}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata}


def labels(component: str) -> dict[str, str]:
    """Return the labels of everything that is installed for a component."""
    return {
        names.PART_OF_LABEL: "kubeslice",
        names.COMPONENT_LABEL: component,
        names.MANAGED_BY_LABEL: INSTALLER,
    }


def selector(component: str) -> dict[str, str]:
    """Return the labels that find a component's pods; never changed, because selectors cannot."""
    return {names.PART_OF_LABEL: "kubeslice", names.COMPONENT_LABEL: component}


def namespace(name: str) -> Object:
    """Return a namespace of our own."""
    return obj(NAMESPACES, name, "", "namespace")
