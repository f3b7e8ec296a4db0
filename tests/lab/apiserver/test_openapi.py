"""The OpenAPI documents: whole, named as in Kubernetes, readable by a protocol buffer parser."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from kubeslice.lab.apiserver.interfaces import GroupVersionKind, TypeSchema
from kubeslice.lab.apiserver.schema.builtin import BuiltinSchema
from kubeslice.lab.apiserver.schema.custom import compile_schema
from kubeslice.lab.apiserver.schema.openapi import Documents

ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
SLICE = {
    "type": "object",
    "description": "A slice.",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "description": "How large."},
                "port": {"x-kubernetes-int-or-string": True},
                "maybe": {"type": "string", "nullable": True},
            },
        }
    },
}


@dataclass(frozen=True)
class Part:
    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


@dataclass(frozen=True)
class Resource:
    group: str
    version: str
    plural: str
    kind: str
    schema: TypeSchema
    namespaced: bool = True
    verbs: tuple[str, ...] = ALL
    subresources: tuple[Part, ...] = (Part("status", "", ("get", "patch", "update")),)

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"


@dataclass
class Catalog:
    resources: list[Resource]
    version: int = 1

    def all(self) -> list[Resource]:
        return self.resources


def builtin(group: str, version: str, plural: str, kind: str) -> Resource:
    return Resource(group, version, plural, kind, BuiltinSchema(GroupVersionKind(group, version, kind)))


def served() -> Documents:
    return Documents(
        Catalog(
            [
                builtin("", "v1", "pods", "Pod"),
                builtin("apps", "v1", "deployments", "Deployment"),
                builtin("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"),
                Resource("net.example.com", "v1", "slices", "Slice", compile_schema(SLICE)),
            ]
        )
    )


def document(path: str) -> Any:
    found = served().document(path)
    assert found is not None
    return orjson.loads(found[0])


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "$ref" and isinstance(each, str):
                yield each.rpartition("/")[2]
            else:
                yield from references(each)
    elif isinstance(value, list):
        for each in value:
            yield from references(each)


def test_every_reference_has_its_definition() -> None:
    v2 = document("/openapi/v2")
    assert set(references(v2)) <= set(v2["definitions"])
    for path in ("api/v1", "apis/apps/v1", "apis/net.example.com/v1"):
        v3 = document(f"/openapi/v3/{path}")
        assert set(references(v3)) <= set(v3["components"]["schemas"]), path


def test_the_root_names_the_groups() -> None:
    paths = document("/openapi/v3")["paths"]
    assert sorted(paths) == ["api/v1", "apis/apiextensions.k8s.io/v1", "apis/apps/v1", "apis/net.example.com/v1"]
    assert paths["api/v1"]["serverRelativeURL"].startswith("/openapi/v3/api/v1?hash=")
    assert served().document("/openapi/v3/apis/nothing/v1") is None


def test_definitions_have_the_names_of_kubernetes() -> None:
    definitions = document("/openapi/v2")["definitions"]
    for name in (
        "io.k8s.api.core.v1.Pod",
        "io.k8s.api.core.v1.PodList",
        "io.k8s.api.apps.v1.Deployment",
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
        "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
        "com.example.net.v1.Slice",
        "com.example.net.v1.SliceList",
    ):
        assert name in definitions
    pod = definitions["io.k8s.api.core.v1.Pod"]
    assert pod["x-kubernetes-group-version-kind"] == [{"group": "", "kind": "Pod", "version": "v1"}]
    assert pod["description"].startswith("Pod is a collection of containers")
    containers = definitions["io.k8s.api.core.v1.PodSpec"]["properties"]["containers"]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-list-map-keys"] == ["name"]
    assert "List of containers" in containers["description"]


def test_custom_kinds_keep_their_schema() -> None:
    found = document("/openapi/v3/apis/net.example.com/v1")["components"]["schemas"]["com.example.net.v1.Slice"]
    assert found["properties"]["spec"] == SLICE["properties"]["spec"]  # type: ignore[index]
    assert set(found["properties"]) == {"apiVersion", "kind", "metadata", "spec"}
    v2 = document("/openapi/v2")["definitions"]["com.example.net.v1.Slice"]["properties"]["spec"]["properties"]
    assert v2["port"] == {"x-kubernetes-int-or-string": True}
    assert v2["maybe"] == {"type": "string"}


def test_patches_say_that_they_take_field_validation() -> None:
    paths = document("/openapi/v3/apis/apps/v1")["paths"]
    patch = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]["patch"]
    assert patch["x-kubernetes-group-version-kind"] == {"group": "apps", "kind": "Deployment", "version": "v1"}
    assert patch["x-kubernetes-action"] == "patch"
    assert {"dryRun", "fieldValidation", "force"} <= {each["name"] for each in patch["parameters"]}


def test_documents_are_kept_until_the_catalog_changes() -> None:
    catalog = Catalog([builtin("", "v1", "pods", "Pod")])
    documents = Documents(catalog)
    first = documents.document("/openapi/v3/api/v1")
    assert documents.document("/openapi/v3/api/v1") is first
    catalog.resources.append(builtin("", "v1", "services", "Service"))
    catalog.version += 1
    second = documents.document("/openapi/v3/api/v1")
    assert second is not None
    assert first is not None
    assert second[1] != first[1]


def test_the_protocol_buffer_says_the_same() -> None:
    found = served().document("/openapi/v2", is_protobuf=True)
    assert found is not None
    whole = fields(found[0])
    assert whole[1] == [b"2.0"]
    names = [fields(each)[1][0].decode() for each in fields(whole[9][0])[1]]
    assert names == list(document("/openapi/v2")["definitions"])
    paths = [fields(each)[1][0].decode() for each in fields(whole[8][0])[2]]
    assert paths == list(document("/openapi/v2")["paths"])
    pod = next(each for each in fields(whole[9][0])[1] if fields(each)[1] == [b"io.k8s.api.core.v1.Pod"])
    extensions = {fields(each)[1][0]: fields(fields(each)[2][0])[2][0] for each in fields(fields(pod)[2][0])[31]}
    assert orjson.loads(extensions[b"x-kubernetes-group-version-kind"])[0]["kind"] == "Pod"


def fields(message: bytes) -> dict[int, list[Any]]:
    """Read one level of a protocol buffer message."""
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        value, at = varint(message, at)
        if tag & 7 == 2:
            found.setdefault(tag >> 3, []).append(message[at : at + value])
            at += value
        else:
            assert tag & 7 == 0
            found.setdefault(tag >> 3, []).append(value)
    assert at == len(message)
    return found


def varint(message: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        number |= (message[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if message[at - 1] < 0x80:
            return number, at
