"""Discovery documents: which groups, versions and resources there are, in the old form and aggregated (v2)."""

from collections.abc import Mapping

from kubeslice.lab.apiserver import refusals
from kubeslice.lab.apiserver.interfaces import Object
from kubeslice.lab.apiserver.rest.paths import DiscoveryPath
from kubeslice.lab.apiserver.types.catalog import Catalog
from kubeslice.lab.apiserver.types.resource import ResourceType, Subresource

VERSION: Mapping[str, str] = {
    "major": "1",
    "minor": "33",
    "gitVersion": "v1.33.0+kubeslice-lab",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2025-04-23T13:00:00Z",
    "goVersion": "none",
    "compiler": "python",
    "platform": "linux/amd64",
}
_AGGREGATED_VERSIONS = ("v2", "v2beta1")


def aggregated_version(accept: str) -> str:
    """Return the version of aggregated discovery that a client prefers; empty where it wants the old form."""
    for clause in accept.split(","):
        parameters = dict(part.strip().partition("=")[::2] for part in clause.split(";")[1:])
        wanted = (parameters.get("g"), parameters.get("as"))
        if wanted == ("apidiscovery.k8s.io", "APIGroupDiscoveryList") and parameters.get("v") in _AGGREGATED_VERSIONS:
            return parameters["v"]
    return ""


def document(catalog: Catalog, path: DiscoveryPath, accept: str, address: str) -> tuple[Object, str]:
    """Return the document at a path and its media type. Raises 404 where there is none."""
    aggregated = aggregated_version(accept)
    if not path.group and not path.version and aggregated:
        media = f"application/json;g=apidiscovery.k8s.io;v={aggregated};as=APIGroupDiscoveryList"
        return aggregated_list(catalog, aggregated, core=path.root == "api"), media
    return _plain(catalog, path, address), "application/json"


def _plain(catalog: Catalog, path: DiscoveryPath, address: str) -> Object:
    if path.version:
        return resource_list(catalog, path.group, path.version)
    if path.root == "api":
        client = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
        return {"kind": "APIVersions", "versions": catalog.versions(""), "serverAddressByClientCIDRs": client}
    groups = [group for group in catalog.groups() if group]
    if path.group:
        if path.group not in groups:
            raise refusals.no_such_path()
        return {"kind": "APIGroup", "apiVersion": "v1"} | _group(catalog, path.group)
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(catalog, group) for group in groups]}


def _group(catalog: Catalog, group: str) -> Object:
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in catalog.versions(group)]
    return {"name": group, "versions": versions, "preferredVersion": versions[0]}


def resource_list(catalog: Catalog, group: str, version: str) -> Object:
    """Return the resources of a version of a group. Raises 404 where it is not served."""
    found = catalog.resources(group, version)
    if not found:
        raise refusals.no_such_path()
    name = f"{group}/{version}" if group else version
    resources = [entry for type_ in found for entry in _entries(type_)]
    head = {"kind": "APIResourceList", "apiVersion": "v1"} if group else {"kind": "APIResourceList"}
    return head | {"groupVersion": name, "resources": resources}


def _entries(type_: ResourceType) -> list[Object]:
    main: Object = {
        "name": type_.plural,
        "singularName": type_.singular,
        "namespaced": type_.namespaced,
        "kind": type_.kind,
        "verbs": sorted(type_.verbs),
    }
    if type_.short_names:
        main["shortNames"] = list(type_.short_names)
    if type_.categories:
        main["categories"] = list(type_.categories)
    return [main] if type_.plural == "bindings" else [main, *(_part(type_, part) for part in type_.subresources)]


def _part(type_: ResourceType, part: Subresource) -> Object:
    entry: Object = {"name": f"{type_.plural}/{part.name}", "singularName": "", "namespaced": type_.namespaced}
    if part.group:
        entry |= {"group": part.group, "version": part.version}
    return entry | {"kind": part.kind or type_.kind, "verbs": sorted(part.verbs)}


def aggregated_list(catalog: Catalog, version: str, *, core: bool) -> Object:
    """Return all groups with all their resources in one document (KEP-3352)."""
    groups = [group for group in catalog.groups() if (group == "") == core]
    items = [
        {
            "metadata": {"name": group, "creationTimestamp": None} if group else {"creationTimestamp": None},
            "versions": [_aggregated(catalog, group, one) for one in catalog.versions(group)],
        }
        for group in groups
    ]
    head = {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{version}", "metadata": {}}
    return head | {"items": items}


def _aggregated(catalog: Catalog, group: str, version: str) -> Object:
    resources = [_aggregated_resource(type_) for type_ in catalog.resources(group, version)]
    return {"version": version, "resources": resources, "freshness": "Current"}


def _aggregated_resource(type_: ResourceType) -> Object:
    entry: Object = {
        "resource": type_.plural,
        "responseKind": _kind(type_.group, type_.version, type_.kind),
        "scope": "Namespaced" if type_.namespaced else "Cluster",
        "singularResource": type_.singular,
        "verbs": sorted(type_.verbs),
    }
    if type_.short_names:
        entry["shortNames"] = list(type_.short_names)
    if type_.categories:
        entry["categories"] = list(type_.categories)
    if type_.subresources:
        entry["subresources"] = [_aggregated_part(type_, part) for part in type_.subresources]
    return entry


def _aggregated_part(type_: ResourceType, part: Subresource) -> Object:
    group, version = (part.group, part.version) if part.version else (type_.group, type_.version)
    return {
        "subresource": part.name,
        "responseKind": _kind(group, version, part.kind or type_.kind),
        "verbs": sorted(part.verbs),
    }


def _kind(group: str, version: str, kind: str) -> Object:
    return {"group": group, "version": version, "kind": kind}
