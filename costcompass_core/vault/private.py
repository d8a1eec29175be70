"""Reading a file that only its owner may read, and refusing it where others could."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from costcompass_core.domain.errors import VaultError

OTHERS = 0o077
"""Permission bits of everyone but the owner."""


def read_private(
    path: Path, *, limit: int, follow_links: bool = False, forbidden: int = OTHERS
) -> bytes:
    """Return at most `limit` bytes of a regular file that is ours alone; longer ones are refused.

    The checks look at the opened file, so that nothing can be swapped in between.
    """
    descriptor = _opened(path, follow_links=follow_links)
    try:
        found = os.fstat(descriptor)
        _check_file(path, found, forbidden)
        if found.st_size > limit:
            raise VaultError(f"{path} is too large ({found.st_size} bytes)", "name the right file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def check_directory(directory: Path) -> None:
    """Refuse a directory in which another user could replace our files."""
    try:
        found = directory.stat()
    except OSError as fault:
        raise VaultError(
            f"cannot look at {directory}: {fault.strerror}", "check the path"
        ) from None
    _check_owner(directory, found)
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise VaultError(f"others can write to {directory}", f"chmod go-w {directory}")


def _opened(path: Path, *, follow_links: bool) -> int:
    """Open for reading without ever waiting (a FIFO would) or following an unwanted link."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow_links else os.O_NOFOLLOW)
    try:
        return os.open(path, flags)
    except OSError as fault:
        if not follow_links and path.is_symlink():
            raise VaultError(f"{path} is a symbolic link", "put the file itself there") from None
        mend = "check the path, and that you run as its owner"
        raise VaultError(f"cannot read {path}: {fault.strerror}", mend) from None


def _check_file(path: Path, found: os.stat_result, forbidden: int) -> None:
    """Refuse what is no file, is somebody else's, or can be read by others."""
    if not stat.S_ISREG(found.st_mode):
        raise VaultError(f"{path} is not a regular file", "put a regular file there")
    _check_owner(path, found)
    if found.st_mode & forbidden:
        mode = stat.S_IMODE(found.st_mode)
        raise VaultError(f"others can use {path} (mode {mode:04o})", _tighten(path))


def _check_owner(path: Path, found: os.stat_result) -> None:
    """Accept what belongs to us or to root, who can read everything anyway."""
    if found.st_uid not in (os.geteuid(), 0):
        raise VaultError(
            f"{path} belongs to user {found.st_uid}, not to you (user {os.geteuid()})",
            f"run as its owner, or chown {os.geteuid()} {path}",
        )


def _tighten(path: Path) -> str:
    """Return the mend for a file that is open to others; a container's secret is set elsewhere."""
    if Path("/run/secrets") in path.parents:
        return "chmod 600 its source, or give the secret `mode: 0400` and the daemon's `uid`"
    return f"chmod 600 {path}"
