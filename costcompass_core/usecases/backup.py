"""Make a backup, and look hard at one: a folder with the database, the vault and a manifest.

The vault is copied as it is, sealed; nobody needs its passphrase to make or to check a backup.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from costcompass_core import __version__
from costcompass_core.domain.backups import (
    DATABASE,
    MANIFEST,
    VAULT,
    Copied,
    Manifest,
)
from costcompass_core.domain.errors import BackupError, StorageError, VaultError
from costcompass_core.storage.copies import copy_database, examine_copy
from costcompass_core.storage.durable import measured, new_folder, write_new
from costcompass_core.storage.manifest import read_manifest
from costcompass_core.storage.store import Store
from costcompass_core.vault.file import MAX_BYTES, load
from costcompass_core.vault.format import read_header

_SPARE: Final = 16 * 1024 * 1024
"""Bytes that a copy leaves to the daemon where both are on the same disk."""
_OTHER: Final = "use another backup"
_LOOK: Final = "check who owns the folder, or use another backup"


def make_backup(store: Store, path: Path, now: datetime, *, daily: bool = False) -> Manifest:
    """Write a backup of `store` and of the vault beside it to the folder `path`, and verify it.

    It is written under another name and renamed when all is well. Raises `BackupError` for a place
    that is taken or cannot be written, `StorageError` and `VaultError` for what cannot be read.
    """
    path = path.absolute()
    with _place(path):
        _check_place(path)
        _check_room(path.parent, store.path)
    with _place(path), new_folder(path) as draft:
        made = _write(store, draft, now, daily=daily)
        try:
            _verify(draft, made)
        except BackupError as error:
            _blame(store, error)
            raise BackupError(f"{path} was not written: {error.what}", error.mend) from error
    return made


def _verify(draft: Path, made: Manifest) -> None:
    """Read everything back and compare. Raises `BackupError`."""
    if _examined(draft) != made:
        raise BackupError("what was written is not what is read back", "check the disk")


def _blame(store: Store, error: BackupError) -> None:
    """Raise `StorageError` where a copy is damaged because the ledger is."""
    with store.reading() as tx:
        [verdict] = tx.execute("PRAGMA integrity_check(1)").fetchone()
    if verdict != "ok":
        raise store.damaged(verdict) from error


def _write(store: Store, draft: Path, now: datetime, *, daily: bool) -> Manifest:
    state_dir = store.path.parent
    files: dict[str, Copied] = {}
    content = copy_database(store, draft / DATABASE)
    files[DATABASE] = measured(draft / DATABASE)
    vault = state_dir / VAULT
    if os.path.lexists(vault):
        blob = load(vault)  # opened once: whoever replaces it meanwhile leaves us the old one whole
        read_header(blob)
        files[VAULT] = write_new(draft / VAULT, blob)
    source = str(state_dir.absolute())
    made = Manifest(__version__, now.replace(microsecond=0), source, daily, content, files)
    write_new(draft / MANIFEST, json.dumps(made.shape(), indent=2).encode() + b"\n")
    return made


def examine_backup(path: Path) -> Manifest:
    """Check every byte of a backup and return what it says of itself.

    Raises `BackupError` for a folder that is none, that is incomplete, changed or damaged, and for
    one of a newer version.
    """
    try:
        return _examined(path)
    except (BackupError, StorageError, VaultError) as error:
        raise BackupError(f"{path} is no good backup: {error.what}", error.mend) from error


def _examined(path: Path) -> Manifest:
    manifest = read_manifest(path)
    for name, said in manifest.files.items():
        if _measured(path / name) != said:
            raise BackupError(f"its {name} was changed or cut short", _OTHER)
    if examine_copy(path / DATABASE) != manifest.content:
        raise BackupError(f"its {MANIFEST} does not fit its database", _OTHER)
    if manifest.has_vault:
        read_header((path / VAULT).read_bytes())
    return manifest


def _measured(path: Path) -> Copied:
    try:
        if path.name == VAULT and path.lstat().st_size > MAX_BYTES:
            raise BackupError("its vault is too large to be one", _OTHER)
        return measured(path)
    except OSError as error:
        raise BackupError(f"its {path.name} cannot be read ({error.strerror})", _LOOK) from None


def _check_place(path: Path) -> None:
    """Refuse a place that something else has, and one whose folder is not there."""
    if not path.parent.is_dir():
        mend = "make it, or mount the disk that belongs there"
        raise BackupError(f"there is no folder {path.parent}", mend)
    if os.path.lexists(path) and (path.is_symlink() or not path.is_dir() or any(path.iterdir())):
        raise BackupError(
            f"{path} exists already, and no backup is written over anything",
            "name a folder that does not exist yet",
        )


def _check_room(folder: Path, database: Path) -> None:
    """Refuse a copy that does not fit, before it takes the last space of those who write meanwhile."""
    files = (database, database.with_name(f"{database.name}-wal"))
    needed = sum(one.stat().st_size for one in files if one.exists())
    if folder.stat().st_dev == database.parent.stat().st_dev:
        needed += _SPARE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise BackupError(
            f"a copy in {folder} takes {needed / 1e6:,.1f} MB, but {free / 1e6:,.1f} MB are free",
            "free some space there, or keep fewer copies",
        )


@contextmanager
def _place(path: Path) -> Iterator[None]:
    """Tell in one line what the disk has against a backup at `path`."""
    try:
        yield
    except BlockingIOError:
        raise BackupError(f"another backup to {path} is under way", "wait for it") from None
    except OSError as error:
        raise BackupError(
            f"{path} cannot be written ({error.strerror or error})",
            "free some space there, or name a place where this user may write",
        ) from error
