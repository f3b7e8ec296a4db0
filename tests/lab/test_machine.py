"""What of the machine's file systems a lab shows."""

from kubeslice.lab.machine import disk_mounts, extra_binds, is_hidden

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
28 27 254:1 / /usr rw,relatime shared:1 - ext4 /dev/vdb rw
29 27 0:25 / /tmp rw - tmpfs tmpfs rw
30 27 254:2 / /home rw - xfs /dev/vdc rw
31 27 254:3 / /mnt/my\\040disk rw - xfs /dev/vdd rw
32 27 0:9 / /srv/share ro - virtiofs share rw
33 27 7:1 / /snap/core ro - squashfs /dev/loop1 ro
"""


def test_other_disks_are_found() -> None:
    assert disk_mounts(MOUNTS) == ["/usr", "/home", "/mnt/my disk", "/srv/share"]


def test_hidden_directories_show_only_the_code_in_them() -> None:
    assert is_hidden("/home/ada/kubeslice")
    assert is_hidden("/tmp")
    assert not is_hidden("/templates")
    needed = ["/home/ada/kubeslice/.venv", "/opt/python"]
    assert extra_binds(disk_mounts(MOUNTS), needed) == ["/home/ada/kubeslice/.venv", "/usr"]
