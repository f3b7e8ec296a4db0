"""Files of plan and apply: what is read, in which order, and what a bad one is told."""

import io
from pathlib import Path

import pytest
import typer

from kubeslice.cli import objectfile
from kubeslice.cli.rehearsal import merged

SLICE = (
    "{apiVersion: controller.kubeslice.io/v1alpha1, kind: SliceConfig, metadata: {name: red}, spec: {clusters: [a]}}"
)
CLUSTER = SLICE.replace("SliceConfig", "Cluster").replace("red", "a, namespace: kubeslice-other")


def test_what_slices_name_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.yaml").write_text(f"---\n{SLICE}\n---\n{{kind: List, items: [{CLUSTER}]}}\n---\n")
    monkeypatch.setattr("sys.stdin", io.StringIO(SLICE.replace("red", "blue")))
    found = objectfile.read([tmp_path / "x.yaml", objectfile.STANDARD_INPUT], "shop")
    assert [(wish.name, wish.namespace, wish.project) for wish in found] == [
        ("a", "kubeslice-other", "other"),
        ("red", "kubeslice-shop", "shop"),
        ("blue", "kubeslice-shop", "shop"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no object"),
        ("{a: [}", "is not YAML"),
        ("- 1", "no metadata.name"),
        ("{kind: SliceConfig, metadata: red}", "no metadata.name"),
        (SLICE.replace("controller.kubeslice.io/v1alpha1", "v1"), "v1 SliceConfig is not for plan and apply"),
        (SLICE, "has no namespace: write it, or name the project with --project"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str) -> None:
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(typer.Exit):
        objectfile.read([tmp_path / "x.yaml"], None)
    assert words in capsys.readouterr().err


def test_a_merge_patch_keeps_what_it_does_not_name() -> None:
    old = {"evicted": True, "nodeIPs": ["1"], "place": {"city": "x", "floor": 2}}
    change = {"nodeIPs": ["2"], "place": {"floor": None}}
    assert merged(old, change) == {"evicted": True, "nodeIPs": ["2"], "place": {"city": "x"}}


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, words in (("missing", "No such file or directory"), ("binary", "it is not text in UTF-8")):
        with pytest.raises(typer.Exit):
            objectfile.read([tmp_path / name], None)
        assert capsys.readouterr().err == f"error: {tmp_path / name} cannot be read: {words}\n"
