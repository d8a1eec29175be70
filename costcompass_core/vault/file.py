"""The vault on disk: owner-only, replaced in one step, never half written.

A change is written beside the vault, synced, and renamed over it; the vault before the change
stays as `vault.bak`. A writer killed at any instant leaves the old or the new vault whole.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from costcompass_core.domain.errors import VaultError, VaultLocked, WrongPassphrase
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.entry import check_name, clean_value
from costcompass_core.vault.format import DataKey, entries, open_key, rewrap, seal, seal_new
from costcompass_core.vault.private import check_directory, read_private

MAX_BYTES = 1024 * 1024
"""Size of the largest vault we read: some two hundred entries of the greatest length."""


@dataclass(frozen=True)
class Vault:
    """An unlocked vault. It reads the file each time, so another process's change is seen."""

    path: Path
    key: DataKey

    def names(self) -> list[str]:
        """Return the names of all entries, sorted."""
        return sorted(self._read()[1])

    def reveal(self, name: str) -> Secret:
        """Return the secret called `name`."""
        check_name(name)
        try:
            return self._read()[1][name]
        except KeyError:
            raise VaultError(
                f"the vault has no entry {name}", f"add it with `costcompass vault add {name}`"
            ) from None

    def put(self, name: str, value: Secret) -> None:
        """Add or replace one entry."""
        check_name(name)
        clean = clean_value(value.expose())
        with writing(self.path):
            blob, kept = self._read()
            _replace(self.path, seal(blob, self.key, {**kept, name: clean}))

    def remove(self, name: str) -> None:
        """Remove one entry; `vault.bak` holds it until the next change."""
        check_name(name)
        with writing(self.path):
            blob, kept = self._read()
            if name not in kept:
                raise VaultError(
                    f"the vault has no entry {name}", "`costcompass vault list` shows all"
                )
            del kept[name]
            _replace(self.path, seal(blob, self.key, kept))

    def change_passphrase(self, new: Secret) -> None:
        """Put the vault under a new passphrase; nothing that the old one opens stays behind."""
        with writing(self.path):
            blob, _ = self._read()
            fresh = _written_beside(self.path, rewrap(blob, self.key, new))
            _beside(self.path, ".bak").unlink(missing_ok=True)
            _put_in_place(fresh, self.path)

    def _read(self) -> tuple[bytes, dict[str, Secret]]:
        """Return the file as it is now, and what our key finds in it."""
        blob = load(self.path)
        try:
            return blob, entries(blob, self.key)
        except WrongPassphrase:
            raise VaultLocked(
                f"{self.path} was replaced or changed since it was unlocked",
                "run `costcompass unlock`",
            ) from None


def create(
    path: Path,
    passphrase: Secret,
    entries: Mapping[str, Secret] = MappingProxyType({}),
) -> None:
    """Make a new vault, and its directory if need be; an existing vault is never touched."""
    clean = {check_name(name): clean_value(value.expose()) for name, value in entries.items()}
    with writing(path):
        if os.path.lexists(path):
            raise VaultError(
                f"{path} exists already", "`costcompass vault add NAME` puts a secret into it"
            )
        _put_in_place(_written_beside(path, seal_new(clean, passphrase)), path)


def unlock(path: Path, passphrase: Secret) -> Vault:
    """Open the vault at `path`: about 170 ms, by design."""
    return Vault(path, open_key(load(path), passphrase))


def load(path: Path) -> bytes:
    """Return the vault's bytes, still sealed, if nobody else can read or replace them."""
    try:
        path.lstat()
    except FileNotFoundError:
        mend = "make one with `costcompass vault create`"
        raise VaultError(f"there is no vault at {path}", mend) from None
    except OSError as fault:
        raise VaultError(f"cannot read {path}: {fault.strerror}", "run as its owner") from None
    check_directory(path.parent)
    return read_private(path, limit=MAX_BYTES)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Let one writer at a time read, change and write; say in one line what the disk refuses.

    Raises `VaultError`, also for a directory in which others could replace the vault.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_directory(path.parent)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(_beside(path, ".lock"), flags, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except OSError as fault:
        raise VaultError(
            f"cannot write {path}: {fault.strerror}",
            f"check the space on the disk and the owner of {path.parent}; then try again",
        ) from None


def _replace(path: Path, blob: bytes) -> None:
    """Put `blob` in the vault's place and keep what was there as the backup."""
    fresh = _written_beside(path, blob)
    backup = _beside(path, ".bak")
    backup.unlink(missing_ok=True)
    os.link(path, backup)
    _put_in_place(fresh, path)


def _written_beside(path: Path, blob: bytes) -> Path:
    """Write `blob` durably next to the vault, over what a killed writer may have left."""
    if len(blob) > MAX_BYTES:
        raise VaultError(f"{path} would grow beyond {MAX_BYTES} bytes", "remove entries first")
    fresh = _beside(path, ".new")
    fresh.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(fresh, flags, 0o600), "wb") as file:
        file.write(blob)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _put_in_place(fresh: Path, path: Path) -> None:
    """Rename in one step, and make the rename itself survive a loss of power."""
    fresh.rename(path)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _beside(path: Path, suffix: str) -> Path:
    """Return the vault's companion file with this suffix, in the same directory."""
    return path.with_name(path.name + suffix)
