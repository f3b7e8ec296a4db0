"""CRDs are structural, complete and up to date."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeslice.manifests import committed, generate
from kubeslice.model.base import Kind
from kubeslice.model.crd import crd, object_schema
from kubeslice.model.kinds import HUB_KINDS, WORKER_KINDS

KINDS = (*HUB_KINDS, *WORKER_KINDS)
NOT_STRUCTURAL = {"$ref", "$defs", "anyOf", "allOf", "oneOf", "not", "title", "const", "exclusiveMaximum"}
CRDS = Path(__file__).parents[2] / "crds"


def walk(schema: Any, path: str = "") -> Any:
    yield path, schema
    for name, value in schema.get("properties", {}).items():
        yield from walk(value, f"{path}.{name}")
    if "items" in schema:
        yield from walk(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from walk(schema["additionalProperties"], f"{path}{{}}")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_schemas_are_structural(kind: type[Kind]) -> None:
    for path, schema in walk(object_schema(kind)):
        assert isinstance(schema.get("type"), str) or schema["x-kubernetes-int-or-string"], path
        assert not NOT_STRUCTURAL & schema.keys(), path
        assert ("items" in schema) == (schema.get("type") == "array"), path


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_field_is_described_for_kubectl_explain(kind: type[Kind]) -> None:
    undescribed = [
        path
        for path, schema in walk(object_schema(kind))
        if not schema.get("description") and path != ".metadata" and not path.endswith(("[]", "{}"))
    ]
    assert undescribed == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_reports_conditions_and_the_generation_they_are_about(kind: type[Kind]) -> None:
    status = object_schema(kind)["properties"]["status"]["properties"]
    assert status["observedGeneration"]["type"] == "integer"
    assert status["conditions"]["x-kubernetes-list-map-keys"] == ["type"]
    assert "observedGeneration" in status["conditions"]["items"]["properties"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_columns_name_fields_that_exist(kind: type[Kind]) -> None:
    known = {path.replace("[]", "").replace("{}", "") for path, _ in walk(object_schema(kind))}
    for column in kind.columns:
        if column.path.startswith((".spec", ".status")):
            assert column.path.split("[")[0] in known, column


def test_keys_of_lists_are_required_or_have_a_default() -> None:
    for kind in KINDS:
        for path, schema in walk(object_schema(kind)):
            item = schema.get("items", {})
            for key in schema.get("x-kubernetes-list-map-keys", []):
                assert key in item["required"] or "default" in item["properties"][key], path


def test_everything_with_a_rule_has_a_sentence_that_says_what_to_do() -> None:
    for kind in KINDS:
        for path, schema in walk(object_schema(kind)):
            for rule in schema.get("x-kubernetes-validations", []):
                assert ":" in rule["message"], path


def test_committed_files_are_up_to_date() -> None:
    assert committed.stale(CRDS, generate.files()) == []


def test_yaml_says_what_the_kind_says() -> None:
    for kind in KINDS:
        assert yaml.safe_load(generate.text(kind)) == crd(kind)
