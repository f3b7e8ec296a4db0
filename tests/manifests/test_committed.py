"""Committed files are replaced when they are stale, and named when they are only checked."""

from pathlib import Path

import pytest

from kubeslice.manifests import committed

WANTED = {"one.yaml": "kind: one\n", "deep/two.md": "# Two\n"}


def test_stale_files_are_found_and_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed.write(tmp_path, WANTED)
    (tmp_path / "deep" / "old.md").write_text("")
    (tmp_path / "one.yaml").write_text("kind: other\n")
    assert committed.stale(tmp_path, WANTED) == ["deep/old.md", "one.yaml"]
    assert committed.run(["--check", str(tmp_path)], WANTED) == 1
    assert "make generate" in capsys.readouterr().err
    assert committed.run([str(tmp_path)], WANTED) == 0
    assert committed.run(["--check", str(tmp_path)], WANTED) == 0
    assert not (tmp_path / "deep" / "old.md").exists()


def test_a_missing_file_is_stale(tmp_path: Path) -> None:
    assert committed.stale(tmp_path, WANTED) == ["deep/two.md", "one.yaml"]
