"""What `costcompass doctor` looks at of the state directory: may it be written, is there room."""

from __future__ import annotations

import errno
import os
import pwd
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bot.doctor.finding import Finding
from costcompass_core.storage.lock import LOCK_NAME
from costcompass_core.storage.store import FILE_NAME

_MEGABYTE: Final = 1 << 20
_PROBE: Final = _MEGABYTE
"""Bytes that are written to see whether they can be: a commit of a long refresh is smaller."""
_NEEDED: Final = 50 * _MEGABYTE
"""Bytes that should be free where the database grows; less is bad."""
_COMFORTABLE: Final = 250 * _MEGABYTE
"""Less than this is a warning: the write-ahead log and a backup need room as well."""
_WRITTEN: Final = (FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", "vault", LOCK_NAME)


def examine_state(path: Path) -> Iterator[Finding]:
    """Check that `path` takes what we store, leaving nothing behind in it."""
    if (found := _folder("state_dir", "state_dir", path, "the first refresh")) is not None:
        yield found
        return
    foreign = [one for one in _WRITTEN if not _writable(path / one)]
    if foreign:
        yield _foreign(path, foreign)
    yield _room(path)


def examine_backups(path: Path) -> Iterator[Finding]:
    """Check that the daily copies can be written into `path`, in the same way."""
    key = "[backup] folder"
    yield _folder("backups", key, path, "the first backup") or Finding("backups", "ok", f"{path}")


def _folder(check: str, key: str, path: Path, maker: str) -> Finding | None:
    """Return what keeps `path` from being written, `None` where nothing does; `key` names it."""
    try:
        path.stat()
    except FileNotFoundError:
        return _not_there(check, key, path, maker)
    except OSError as error:
        refused: tuple[str, str] | None = _refused(key, path, error)
    else:
        refused = _probed(key, path)
    return refused and Finding(check, "bad", *refused, 1)


def _probed(key: str, path: Path) -> tuple[str, str] | None:
    """Write a megabyte to the disk below `path` and drop it; return what refused it, and the mend.

    The file has no name, so nothing stays behind however we end.
    """
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            file.write(bytes(_PROBE))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return _refused(key, path, error)
    return None


def _refused(key: str, path: Path, error: OSError) -> tuple[str, str]:
    """Return what a failed write says, and the mend, by the system's word for it."""
    if error.errno == errno.ENOSPC and _free(path) > _PROBE:
        return f"{path}: no more files fit on this disk", "delete some files; see `df -i`"
    if error.errno == errno.ENOSPC:
        mend = "free some space; what was stored before is intact"
        return f"{path}: the disk is full", mend
    if error.errno in {errno.EDQUOT, errno.EFBIG}:
        mend = "raise this user's quota or file-size limit (`quota`, `ulimit -f`)"
        return f"{path}: a limit keeps files from growing ({error.strerror})", mend
    if error.errno == errno.EROFS:
        mend = f"mount it for writing, or set {key} to another folder"
        return f"{path}: the file system is read-only", mend
    mend = f"make it writable for this user, or set {key} to another folder"
    return f"{path} cannot be written ({error.strerror})", f"{mend} ({_owned(path)})"


def _not_there(check: str, key: str, path: Path, maker: str) -> Finding:
    """Say whether `maker` can make the directory."""
    parent = next(one for one in path.absolute().parents if one.exists())
    if os.access(parent, os.W_OK | os.X_OK, effective_ids=True):
        return Finding(check, "ok", f"{path}, made by {maker}")
    mend = f"`mkdir -m 700 {path}` as root and give it to this user, or set {key}"
    found = f"{path} is not there, and {parent} cannot be written"
    return Finding(check, "bad", found, mend, 1)


def _writable(path: Path) -> bool:
    return not path.exists() or os.access(path, os.W_OK, effective_ids=True)


def _foreign(path: Path, names: list[str]) -> Finding:
    found = f"{path}: {', '.join(names)} cannot be written ({_owned(path / names[0])})"
    mend = f"give them to this user: chown -R {_user(os.geteuid())} {path}"
    return Finding("state_dir", "bad", found, mend, 1)


def _owned(path: Path) -> str:
    try:
        facts = path.stat()
    except OSError:
        return f"you are {_user(os.geteuid())}"
    return f"it is {_user(facts.st_uid)}'s, mode {facts.st_mode & 0o7777:04o}; you are {_user(os.geteuid())}"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"


def _room(path: Path) -> Finding:
    """Judge the free space and who else may look."""
    free = _free(path)
    mend = "free some space before the database can't grow any more"
    if free < _NEEDED:
        return Finding("state_dir", "bad", f"{path}: only {free >> 20} MB free", mend, 1)
    if free < _COMFORTABLE:
        return Finding("state_dir", "warn", f"{path}: only {free >> 20} MB free", mend)
    if path.stat().st_mode & 0o077:
        return Finding("state_dir", "warn", f"{path} is open to others", f"chmod 700 {path}")
    size = f"{free >> 30} GB" if free >> 30 else f"{free >> 20} MB"
    return Finding("state_dir", "ok", f"{path}, {size} free")


def _free(path: Path) -> int:
    """Return the bytes that an ordinary user may still write."""
    facts = os.statvfs(path)
    return facts.f_bavail * facts.f_frsize
