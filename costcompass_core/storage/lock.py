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
        raise _unusable(state_dir, error) from None
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


def holder(state_dir: Path) -> int | None:
    """Return the number of the process that holds the state directory, `None` where nobody does.

    0 stands for one that has not said its number yet. Raises `StorageError` like `holding`.
    """
    try:
        descriptor = os.open(state_dir / LOCK_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(state_dir, error) from None
    try:
        # Shared and for an instant, so that it hardly ever gets into the way of one that starts.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        number = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        return int(number) if number.isdecimal() else 0
    finally:
        os.close(descriptor)
    return None


def _unusable(state_dir: Path, error: OSError) -> StorageError:
    return StorageError(
        f"{state_dir} cannot be used ({error.strerror})",
        "make it writable for this user, or set state_dir to another folder",
    )
