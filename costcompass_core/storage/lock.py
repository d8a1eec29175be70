"""One process per state directory, held by a lock that the kernel frees even after `kill -9`."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from costcompass_core.domain.errors import AlreadyRunning, StorageError

LOCK_NAME: Final = "lock"


@contextlib.contextmanager
def holding(state_dir: Path) -> Iterator[None]:
    """Hold the state directory, making it (0700) where it is missing.

    Raises `AlreadyRunning` with the holder's process number, `StorageError` for a directory that
    cannot be used.
    """
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(state_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StorageError(
            f"{state_dir} cannot be used ({error.strerror})",
            "make it writable for this user, or set state_dir to another folder",
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "?"
            raise AlreadyRunning(
                f"another costcompass (process {holder}) holds {state_dir}",
                "stop it first, or give this one a state_dir of its own",
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
