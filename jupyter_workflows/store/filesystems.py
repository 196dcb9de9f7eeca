"""Whether a folder lies on a network file system, where SQLite's locks cannot be trusted."""

from __future__ import annotations

from pathlib import Path

# fmt: off
NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph", "fuse.curlftpfs",
        "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.rclone", "fuse.s3fs",
        "fuse.sshfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2",
        "orangefs", "panfs", "pvfs2", "smb", "smb2", "smb3", "smbfs", "wekafs",
    }
)
# fmt: on

_MOUNTS = Path("/proc/self/mounts")


def _unescape(field: str) -> str:
    """Undo the octal escapes of spaces, tabs, newlines and backslashes in a mount point."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        field = field.replace(code, character)
    return field


def file_system(path: Path, mounts: str | None = None) -> str | None:
    """Return the type of the file system that holds `path`; `None` where it cannot be known.

    Parameters
    ----------
    path
        Need not exist yet.
    mounts
        The text of ``/proc/mounts``; read from there by default.
    """
    if mounts is None:
        try:
            mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return None
    wanted = path.expanduser().resolve()
    best: tuple[int, str] | None = None
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        mount_point = Path(_unescape(fields[1]))
        # A later mount covers an earlier one at the same point, hence `>=`.
        depth = len(mount_point.parts)
        if wanted.is_relative_to(mount_point) and (best is None or depth >= best[0]):
            best = (depth, fields[2])
    return best[1] if best else None


def is_network(path: Path, mounts: str | None = None) -> str | None:
    """Return the name of the network file system that holds `path`, or `None`."""
    name = file_system(path, mounts)
    return name if name in NETWORK_FILE_SYSTEMS else None
