"""Put a backup's database and vault in place of what is there, and keep what was there.

Everything is copied into the state directory and checked first. One rename then decides: from there
on the rest is moves, which whoever comes after a kill can go on with, and until they are done
nothing opens the ledger (`storage.store.RESTORING`).
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from costcompass_core.domain.backups import DATABASE, MANIFEST, VAULT, Manifest
from costcompass_core.domain.errors import BackupError
from costcompass_core.storage.durable import copy_new, draft_of, new_folder, sync_folder, write_new
from costcompass_core.storage.store import RESTORING, open_store
from costcompass_core.usecases.backup import examine_backup
from costcompass_core.vault.file import writing

_PLAN: Final = "plan.json"
_COMPANIONS: Final = {
    DATABASE: ("", "-wal", "-shm", "-journal"),
    VAULT: ("", ".bak", ".new"),
}
"""What lies beside each file and belongs to it: it goes along."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was put in place, and where the files are that were there before, if there were any."""

    manifest: Manifest
    replaced: Path | None


def restore_backup(state_dir: Path, backup: Path, now: datetime) -> Restored:
    """Restore `backup` into `state_dir`, whose lock the caller holds.

    Nothing is touched unless all of the backup is good. An older ledger is brought up to date.
    Raises `BackupError`, and `VaultError` for a state directory that others can write to.
    """
    backup = backup.absolute()
    manifest = examine_backup(backup)
    with writing(state_dir / VAULT), _in_one_line(state_dir):
        replaced = _finish(state_dir, manifest)  # what a killed restore had decided
        if replaced is None:
            _stage(state_dir, backup, manifest, _free_name(state_dir, now))
            replaced = _finish(state_dir, manifest)
    return Restored(manifest, replaced if replaced and replaced.exists() else None)


def _stage(state_dir: Path, backup: Path, manifest: Manifest, replaced: str) -> None:
    """Copy what is to be restored into the state directory, whole or not at all."""
    with new_folder(state_dir / RESTORING) as draft:
        for name, said in manifest.files.items():
            if copy_new(backup / name, draft / name) != said:
                raise BackupError(f"{backup / name} changed while it was read", "try again")
        open_store(draft).close()  # migrated here: what is put in place needs no further change
        plan = {"replaced": replaced, MANIFEST: manifest.shape()}
        write_new(draft / _PLAN, json.dumps(plan).encode())


def _finish(state_dir: Path, manifest: Manifest) -> Path | None:
    """Move what is staged into place and what it replaces aside.

    Returns where the latter is, `None` where nothing was staged, or not this backup: then it is
    out of the way, and the next one begins.
    """
    staged = state_dir / RESTORING
    if not staged.exists():
        return None
    plan = json.loads((staged / _PLAN).read_bytes())
    replaced = state_dir / str(plan["replaced"])
    replaced.mkdir(mode=0o700, exist_ok=True)
    for name in (DATABASE, VAULT):
        if (staged / name).exists():  # else it is in place already, and must not be moved aside
            for companion in (name + suffix for suffix in _COMPANIONS[name]):
                if os.path.lexists(state_dir / companion):
                    (state_dir / companion).rename(replaced / companion)
            sync_folder(replaced)
            (staged / name).rename(state_dir / name)
            sync_folder(state_dir)
    if not any(replaced.iterdir()):
        replaced.rmdir()
    sweepings = draft_of(staged)
    staged.rename(sweepings)
    sync_folder(state_dir)
    shutil.rmtree(sweepings)
    return replaced if plan[MANIFEST] == manifest.shape() else None


def _free_name(state_dir: Path, now: datetime) -> str:
    """Return the name of a folder for what is replaced that nothing has yet."""
    name = f"replaced-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    others = (f"{name}-{number}" for number in range(2, 1000))
    return next(one for one in (name, *others) if not os.path.lexists(state_dir / one))


@contextmanager
def _in_one_line(state_dir: Path) -> Iterator[None]:
    """Tell what the disk refuses, and that what was there is whole or the restore can go on."""
    try:
        yield
    except OSError as error:
        raise BackupError(
            f"{state_dir} does not take the restored files ({error.strerror})",
            "free some space there and restore again; what was there is kept",
        ) from error
