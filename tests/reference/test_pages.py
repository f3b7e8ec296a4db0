"""The reference is up to date, its examples are valid, and it knows every name, metric and condition there is."""

import copy
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeslice.lab.apiserver.schema.custom import compile_schema
from kubeslice.manifests import committed
from kubeslice.model import names
from kubeslice.model.base import Kind
from kubeslice.model.crd import object_schema
from kubeslice.model.kinds import HUB_KINDS, WORKER_KINDS
from kubeslice.reference import kinds, pages, sentences, vocabulary

ROOT = Path(__file__).parents[2]
EXAMPLES, REFERENCE = ROOT / "docs" / "examples", ROOT / "docs" / "reference"
KINDS = (*HUB_KINDS, *WORKER_KINDS)


def unknown_fields(value: Any, schema: dict[str, Any], path: str = "") -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in unknown_fields(item, schema["items"], f"{path}[]")]
    if not isinstance(value, dict) or "additionalProperties" in schema or path == ".metadata":
        return []
    known = schema.get("properties", {})
    inside = [unknown_fields(part, known[name], f"{path}.{name}") for name, part in value.items() if name in known]
    return [f"{path}.{name}" for name in value if name not in known] + [found for part in inside for found in part]


def test_committed_pages_are_up_to_date() -> None:
    assert committed.stale(REFERENCE, pages.files(EXAMPLES)) == []


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_the_example_of_a_kind_is_accepted_by_the_model_and_by_the_api_server(kind: type[Kind]) -> None:
    example = yaml.safe_load(pages.example(EXAMPLES, kind.__name__))
    schema = object_schema(kind)
    compiled = compile_schema(schema)
    assert (example["apiVersion"], example["kind"]) == (kind.resource.api_version, kind.resource.kind)
    assert compiled.validate(compiled.default(copy.deepcopy(example)), None) == []
    assert unknown_fields(example, schema) == []
    assert kind.parse(example).metadata.name == example["metadata"]["name"]


def test_a_wrong_example_would_be_noticed() -> None:
    kind = next(kind for kind in KINDS if kind.__name__ == "SliceConfig")
    example = yaml.safe_load(pages.example(EXAMPLES, "SliceConfig"))
    example["spec"] |= {"maxClusters": 1, "colour": "red"}
    compiled = compile_schema(object_schema(kind))
    assert compiled.validate(compiled.default(copy.deepcopy(example)), None) != []
    assert unknown_fields(example, object_schema(kind)) == [".spec.colour"]


def test_every_name_is_on_the_page_and_used_by_somebody() -> None:
    defined = {one.constant for one in vocabulary.definitions((sentences.ROOT / "model" / "names.py").read_text())}
    assert defined == {name for name in vars(names) if re.fullmatch(r"[A-Z][A-Z0-9_]+", name)}
    words = Counter(re.findall(r"\w+", "\n".join(path.read_text() for path in sentences.ROOT.rglob("*.py"))))
    assert [name for name in sorted(defined) if words[name] < 2] == []


def test_metrics_that_are_not_on_the_page_would_be_noticed() -> None:
    source = "\n".join(path.read_text() for path in sentences.ROOT.rglob("*.py") if "lab" not in path.parts)
    page = (REFERENCE / "metrics.md").read_text()
    assert [name for name in re.findall(r'"(kubeslice_[a-z_]+)"', source) if name not in page] == []


def test_sentences_are_read_off_the_source_as_they_are_written() -> None:
    found = list(sentences.conditions(("plan",), {}))
    ready = [one for one in found if (one.module, one.reason) == ("plan.cluster.worker_parts", "TunnelDown")]
    assert [(one.type, one.status, one.message) for one in ready] == [("Ready", "False", "no tunnel is up to …")]


def test_links_between_pages_lead_somewhere() -> None:
    for page in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_a_page_says_of_each_field_whether_it_can_change() -> None:
    page = kinds.page(next(kind for kind in KINDS if kind.__name__ == "SliceConfig"), "")
    rows = [re.split(r" (?<!\\)\| ", line) for line in page.splitlines() if line.startswith("| `")]
    changes = {row[0].removeprefix("| "): row[4] for row in rows if len(row) == 6}
    assert changes["`clusters`"] == changes["`gatewayReplicas`"] == "yes"
    assert changes["`sliceType`"] == changes["`vpnConfig.cipher`"] == "no"
    assert changes["`sliceSubnet`"] == changes["`vpnConfig`"] == "limited, see below"
