"""The vault as the running daemon holds it: locked or open, through every reload."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from bot import logs
from costcompass_core.domain.errors import VaultLocked
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.file import Vault, unlock


class Keyring:
    """Gives out secrets by name; every one of them is kept out of the log from then on."""

    def __init__(self, path: Path, now: datetime) -> None:
        """Begin locked, as of `now` (UTC); `path` is the vault's file, which need not be there yet."""
        self._since = now
        self._path = path
        self._vault: Vault | None = None
        self._seen = self._changed_at()

    @property
    def is_locked(self) -> bool:
        """Whether the passphrase is still missing."""
        return self._vault is None

    @property
    def locked_since(self) -> datetime | None:
        """Since when (UTC) the passphrase is missing, through every reload; `None` once it came."""
        return self._since if self.is_locked else None

    def use(self, vault: Vault | None) -> None:
        """Take the open vault that the start found, or none: the keyring stays locked."""
        self._vault = vault

    def unlock(self, passphrase: Secret) -> None:
        """Open the vault. Raises `VaultError` for a wrong passphrase or a bad file."""
        self._vault = unlock(self._path, passphrase)
        logs.hide(passphrase)  # now that it is one: a wrong guess may be any word

    def reveal(self, name: str) -> Secret:
        """Return the secret called `name`. Raises `VaultLocked`, or `VaultError` where it is none."""
        if self._vault is None:
            raise VaultLocked("the vault is locked", "run `costcompass unlock`")
        return logs.hide(self._vault.reveal(name))

    def has_changed(self) -> bool:
        """Return whether somebody has added or changed a key since this was asked last."""
        before, self._seen = self._seen, self._changed_at()
        return self._seen != before

    def _changed_at(self) -> int | None:
        try:
            return self._path.stat().st_mtime_ns
        except OSError:
            return None
