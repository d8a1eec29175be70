"""What backups in a folder say of themselves; nothing in them is checked here."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Final

from costcompass_core.domain.backups import MANIFEST, Manifest, manifest_of
from costcompass_core.domain.errors import BackupError

_LONGEST: Final = 1 << 16
"""Bytes of a manifest that is believed to be one."""


def read_manifest(backup: Path) -> Manifest:
    """Return what a backup says of itself. Raises `BackupError`."""
    try:
        with (backup / MANIFEST).open("rb") as file:
            text = file.read(_LONGEST)
        return manifest_of(json.loads(text))
    except (FileNotFoundError, NotADirectoryError):
        mend = "name the folder that `costcompass backup` wrote"
        raise BackupError(f"it has no {MANIFEST}", mend) from None
    except OSError as error:
        mend = "run as its owner, or give it to this user"
        raise BackupError(f"its {MANIFEST} cannot be read ({error.strerror})", mend) from None
    except (ValueError, RecursionError):
        raise BackupError(f"its {MANIFEST} is damaged", "use another backup") from None


def backups_in(folder: Path, state_dir: Path) -> dict[Path, Manifest]:
    """Return the backups of this state directory that lie in a folder; others' are passed over.

    Raises `OSError` for a folder that cannot be looked into.
    """
    found: dict[Path, Manifest] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        if not path.name.startswith(".") and not path.is_symlink():
            with suppress(BackupError):
                manifest = read_manifest(path)
                if manifest.source == str(state_dir.absolute()):
                    found[path] = manifest
    return found


def newest_backup(folder: Path, state_dir: Path) -> Path | None:
    """Return the newest backup of this state directory in a folder, as far as manifests tell."""
    try:
        found = backups_in(folder, state_dir)
    except OSError:
        return None
    return max(found, key=lambda path: found[path].created_at, default=None)
