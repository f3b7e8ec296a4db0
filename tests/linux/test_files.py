import shutil
from pathlib import Path

import pytest

from kubeslice.linux import files
from kubeslice.linux.files import NoRoom
from tests.disks import a_disk, fill


def test_a_file_is_written_whole_or_stays_as_it_was() -> None:
    with a_disk() as disk:
        path = disk / "bird.conf"
        files.write(path, "first")
        waste = fill(disk)
        with pytest.raises(NoRoom, match=r"bird.conf cannot be written to .*: No space left on device: make room"):
            files.write(path, "second" * 1000)
        assert path.read_text() == "first"
        assert sorted(disk.iterdir()) == [path, waste]
        shutil.rmtree(waste)
        files.write(path, "second")
        assert path.read_text() == "second"


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoRoom, match=f"x cannot be written to {tmp_path}/gone: No such file"):
        files.write(tmp_path / "gone" / "x", "")


def test_a_secret_is_readable_for_nobody_else_even_where_a_writer_died(tmp_path: Path) -> None:
    path = tmp_path / "admin.kubeconfig"
    path.with_name("admin.kubeconfig.new").write_text("half of an earl")
    files.write(path, b"secret", 0o600)
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"secret", 0o600)
    assert list(tmp_path.iterdir()) == [path]
