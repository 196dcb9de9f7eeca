from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_workflows.store.filesystems import file_system, is_network

MOUNTS = """\
/dev/vda / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/local xfs rw 0 0
host:/ /mnt/my\\040share fuse.sshfs rw 0 0
//nas/data /mnt/nas cifs rw 0 0
tmpfs /mnt/nas tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/var/lib/x", "ext4"),
        ("/home/ada/.local/share/jupyter", "nfs4"),
        ("/home/local/ada", "xfs"),
        ("/homestead", "ext4"),
        ("/mnt/my share/x", "fuse.sshfs"),
        ("/mnt/nas/x", "tmpfs"),
    ],
)
def test_the_longest_mount_point_counts_and_later_mounts_cover_earlier(path: str, expected: str) -> None:
    assert file_system(Path(path), MOUNTS) == expected


def test_network_file_systems_are_named() -> None:
    assert is_network(Path("/home/ada"), MOUNTS) == "nfs4"
    assert is_network(Path("/home/local/ada"), MOUNTS) is None


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/home/ada")
    assert is_network(tmp_path / "link" / "state", MOUNTS) == "nfs4"


def test_nothing_is_known_without_mounts() -> None:
    assert file_system(Path("/x"), "") is None
