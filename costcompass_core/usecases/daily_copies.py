"""The daemon's own copies: one a UTC day in one folder, of which the newest are kept."""

from __future__ import annotations

import logging
import os
import shutil
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from costcompass_core.domain.backups import Manifest, copied_day, copy_name, outdated
from costcompass_core.domain.errors import BackupError
from costcompass_core.storage.durable import draft_of, sweep, sync_folder
from costcompass_core.storage.manifest import backups_in
from costcompass_core.storage.store import Store
from costcompass_core.usecases.backup import make_backup

_log: Final = logging.getLogger(__name__)


def own_copies(folder: Path, state_dir: Path) -> dict[date, Manifest]:
    """Return the daily copies of this state directory in a folder, by their day.

    What is called otherwise, was made by hand or of another state directory is somebody else's.
    Raises `OSError`.
    """
    found = backups_in(folder, state_dir).items()
    days = {copied_day(path.name): manifest for path, manifest in found if manifest.daily}
    return {day: manifest for day, manifest in days.items() if day is not None}


def copy_today(store: Store, folder: Path, now: datetime, keep: int) -> Manifest:
    """Make today's copy, then let go of all but the newest `keep`; none goes unless it is good.

    Raises `BackupError`, `StorageError` and `VaultError`, as `make_backup` does.
    """
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BackupError(
            f"the folder {folder} cannot be made ({error.strerror})",
            "make it, or set [backup] folder to another one",
        ) from error
    today = now.astimezone(UTC).date()
    path = folder / copy_name(today)
    if os.path.lexists(path):
        raise BackupError(
            f"{path} is there, and no daily copy of {store.path.parent}",
            "move it away, or give each state_dir a [backup] folder of its own",
        )
    made = make_backup(store, path, now, daily=True)
    try:
        _let_go(folder, store.path.parent, today, keep)
    except OSError as error:  # today's copy is good all the same
        _log.warning("old copies in %s can't be removed: %s", folder, error.strerror)
    return made


def _let_go(folder: Path, state_dir: Path, today: date, keep: int) -> None:
    """Remove old copies of ours, each at once by its name, and what kills left of making them."""
    for draft in folder.glob(".*.part"):
        if copied_day(draft.name[1 : -len(".part")]):
            with suppress(BlockingIOError):
                sweep(draft)
    for day in outdated(list(own_copies(folder, state_dir)), today, keep):
        path = folder / copy_name(day)
        path.rename(draft_of(path))
        sync_folder(folder)
        shutil.rmtree(draft_of(path))
