"""Kinds read what is written and write what they read."""

import copy
from typing import Any

import pytest

from kubeslice.model.base import Kind
from kubeslice.model.cluster import Cluster, ClusterSpec
from kubeslice.model.errors import Retry, Terminal
from kubeslice.model.ids import HUB, Key
from kubeslice.model.serviceexport import ServiceExport
from kubeslice.model.sliceconfig import SliceConfig
from tests.model import samples

Obj = dict[str, Any]


def covers(wanted: object, seen: object) -> bool:
    if isinstance(wanted, dict) and isinstance(seen, dict):
        return all(key in seen and covers(value, seen[key]) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(seen, list):
        return len(wanted) == len(seen) and all(covers(one, other) for one, other in zip(wanted, seen, strict=True))
    return wanted == seen


@pytest.mark.parametrize(
    ("kind", "sample"),
    [
        (SliceConfig, samples.LONG_SLICE),
        (SliceConfig, samples.SHORT_SLICE),
        (Cluster, samples.CLUSTER),
        (ServiceExport, samples.EXPORT),
    ],
)
def test_nothing_of_a_written_object_is_lost(kind: type[Kind], sample: Obj) -> None:
    before = copy.deepcopy(sample)
    assert covers(sample, kind.parse(sample).wire())
    assert sample == before


def test_defaults_are_those_of_the_facts() -> None:
    spec = SliceConfig.parse({"metadata": {"name": "x"}, "spec": {}}).spec
    assert (spec.max_clusters, spec.rotation_interval, spec.slice_type) == (16, 30, "Application")
    assert spec.slice_gateway_provider.slice_gateway_type == "Wireguard"


def test_a_wrong_value_is_named_with_its_field() -> None:
    with pytest.raises(Terminal, match=r"SliceConfig spec\.maxClusters: .*512.*found 513") as caught:
        SliceConfig.parse({"metadata": {"name": "x"}, "spec": {"maxClusters": 513}})
    assert caught.value.reason == "InvalidSpec"


def test_fields_nobody_set_stay_off_the_wire() -> None:
    wire = Cluster.parse({"metadata": {"name": "x"}}).wire()
    assert wire["metadata"] == {"name": "x"}
    assert "nodeIP" not in wire["spec"]
    assert "registrationStatus" not in wire["status"]


def test_fields_can_be_given_by_either_name() -> None:
    assert ClusterSpec(node_ips=["a"]) == ClusterSpec.model_validate({"nodeIPs": ["a"]})


def test_unknown_fields_are_ignored() -> None:
    assert SliceConfig.parse({"metadata": {"name": "x"}, "spec": {"later": 1}}).spec.max_clusters == 16


def test_keys_and_errors_read_well() -> None:
    assert str(Key(HUB, "kubeslice-demo", "red")) == "hub/kubeslice-demo/red"
    assert Retry("later", after=2).after == 2
    assert str(Terminal("no", "Why")) == "no"
