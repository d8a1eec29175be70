"""Files that are new, private, and on the disk before anything is said about them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from costcompass_core.domain.backups import Copied


def draft_of(path: Path) -> Path:
    """Return the name under which `path` is prepared, beside it."""
    return path.with_name(f".{path.name}.part")


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a private folder that becomes `path` in one step, or leaves nothing behind.

    What an earlier, killed process left of it is swept away first. Raises `BlockingIOError` while
    another process prepares the same folder, and whatever `OSError` the disk has.
    """
    draft = draft_of(path)
    sweep(draft)
    draft.mkdir(mode=0o700)
    held = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield draft
        os.fsync(held)
        draft.rename(path)
        sync_folder(path.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    finally:
        os.close(held)


def sweep(draft: Path) -> None:
    """Remove a draft that nobody works on. Raises `BlockingIOError` while somebody does."""
    try:
        held = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(draft)
    finally:
        os.close(held)


def write_new(path: Path, content: bytes) -> Copied:
    """Write a file that must not exist yet, and sync it."""
    with created(path) as file:
        file.write(content)
    return Copied(len(content), hashlib.sha256(content).hexdigest())


def copy_new(source: Path, target: Path) -> Copied:
    """Copy a file to a place where there is none yet, and sync it; say what was read."""
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as content, created(target) as file:
        while piece := content.read(1 << 20):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
    return Copied(size, digest.hexdigest())


def measured(path: Path) -> Copied:
    """Read a file to its end and say what it is; links are not followed."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return Copied(file.tell(), digest.hexdigest())


@contextmanager
def created(path: Path) -> Iterator[BinaryIO]:
    """Give a new private file, synced when it is closed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Make renames in a folder, and its new files' names, survive a loss of power."""
    held = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(held)
    finally:
        os.close(held)
