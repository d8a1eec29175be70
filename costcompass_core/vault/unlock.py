"""Where the passphrase comes from, and what a new one must be."""

from __future__ import annotations

import os
import secrets
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from costcompass_core.domain.errors import VaultError, VaultLocked
from costcompass_core.domain.secret import Secret
from costcompass_core.vault.private import OTHERS, read_private

MIN_CHARACTERS = 12

_CREDENTIAL = "vault-passphrase"
_FILE_VARIABLE = "COSTCOMPASS_VAULT_PASSPHRASE_FILE"
_VARIABLE = "COSTCOMPASS_VAULT_PASSPHRASE"
_LIMIT = 4096
_EASY = "abcdefghjkmnpqrstuvwxyz23456789"  # no i, l, o, 0 or 1: they are mistaken for each other
_ADVICE = "use five random words, or let CostCompass make one"


@dataclass(frozen=True)
class Found:
    """A passphrase, and in words for people where it was found and what is wrong with that."""

    passphrase: Secret
    source: str
    warning: str | None = None


def find_passphrase(
    environ: Mapping[str, str],
    *,
    fd: int | None,
    config_file: str,
    ask: Callable[[], str] | None,
) -> Found | None:
    """Return the passphrase from the first source that is there, `None` if none is.

    A source that is there but unusable is an error and not passed over: whoever set it meant it.
    """
    return next(_sources(environ, fd, config_file, ask), None)


def check_new_passphrase(passphrase: Secret) -> None:
    """Refuse a passphrase that no key derivation can rescue, or that could not be typed again."""
    text = passphrase.expose()
    if len(unicodedata.normalize("NFC", text)) < MIN_CHARACTERS:
        raise VaultError(f"a passphrase has at least {MIN_CHARACTERS} characters", _ADVICE)
    _usable(text, "the new passphrase")


def generate_passphrase() -> Secret:
    """Return a new passphrase of 118 random bits: six groups of four easy letters and digits."""
    groups = ("".join(secrets.choice(_EASY) for _ in range(4)) for _ in range(6))
    return Secret("-".join(groups))


def _sources(
    environ: Mapping[str, str], fd: int | None, config_file: str, ask: Callable[[], str] | None
) -> Iterator[Found]:
    """Go through the sources in the contract's order; later ones are not looked at in vain."""
    credential = Path(environ.get("CREDENTIALS_DIRECTORY", ""), _CREDENTIAL)
    if credential.is_absolute() and os.path.lexists(credential):
        # systemd grants the service's user by an access list, which shows as group-readable (0440).
        data = read_private(credential, limit=_LIMIT, follow_links=True, forbidden=0o007)
        yield Found(_from_bytes(data, str(credential)), "the systemd credential vault-passphrase")
    if fd is not None:
        source = f"--passphrase-fd {fd}"
        yield Found(_from_bytes(_first_line(fd), source), source)
    for file in filter(None, (config_file, environ.get(_FILE_VARIABLE))):
        # A Kubernetes secret is reached through links; its target is what gets checked.
        data = read_private(Path(file), limit=_LIMIT, follow_links=True, forbidden=OTHERS)
        yield Found(_from_bytes(data, file), f"the passphrase file {file}")
    if _VARIABLE in environ:
        yield Found(
            _usable(environ[_VARIABLE], f"${_VARIABLE}"),
            f"${_VARIABLE}",
            f"the passphrase came from ${_VARIABLE}, which other programs can read while this one "
            "runs: a passphrase file or a systemd credential is safer",
        )
    if ask is not None:
        yield Found(_usable(ask(), "the terminal"), "the terminal")


def _first_line(fd: int) -> bytes:
    """Read one line and not a byte more: standard input may hold the answers to later questions."""
    line = b""
    try:
        while not line.endswith(b"\n") and len(line) <= _LIMIT and (byte := os.read(fd, 1)):
            line += byte
    except OSError as fault:
        raise VaultError(
            f"cannot read --passphrase-fd {fd}: {fault.strerror}",
            f"open it, for example with {fd}<FILE",
        ) from None
    return line


def _from_bytes(data: bytes, source: str) -> Secret:
    """Decode what a file or a descriptor held."""
    try:
        return _usable(data.decode(), source)
    except UnicodeDecodeError:
        raise VaultError(f"the passphrase from {source} is not UTF-8 text", _ADVICE) from None


def _usable(text: str, source: str) -> Secret:
    """Drop the line end; refuse nothing at all, and what no terminal could type."""
    line = text.removesuffix("\n").removesuffix("\r")
    if not line:
        raise VaultLocked(f"the passphrase from {source} is empty", "give the vault's passphrase")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in line):
        raise VaultError(
            f"the passphrase from {source} holds a control character or a second line",
            "a passphrase is one line of text",
        )
    return Secret(line)
