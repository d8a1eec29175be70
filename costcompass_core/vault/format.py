"""The vault's bytes, as docs/vault-format.md specifies them: bytes in, bytes out, no files.

A random data key seals the entries; a key derived from the passphrase wraps the data key. So a new
passphrase rewraps 32 bytes, and whoever holds the data key never derives again.
"""

from __future__ import annotations

import json
import secrets
import struct
import threading
import unicodedata
from collections.abc import Mapping
from typing import NamedTuple, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from costcompass_core.domain.errors import VaultError, WrongPassphrase
from costcompass_core.domain.secret import Secret

MAGIC = b"CCVAULT\x00"
VERSION = 1

_ARGON2ID = 1
_KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16
_LAYOUT = struct.Struct(">8sBBIII16s12s48sQ12s")
_LOCK_BYTES = struct.calcsize(">8sBBIII16s12s")

# A hostile file may neither weaken the derivation nor exhaust the machine.
_MEMORY_KIB = range(64 * 1024, 1024 * 1024 + 1)
_PASSES = range(3, 10 + 1)
_LANES = range(1, 16 + 1)

# Two Argon2id derivations with several lanes in one process wait for each other's threads for ever
# (seen with OpenSSL 4.0.3, whose thread pool is shared by the whole process).
_deriving = threading.Lock()


class Header(NamedTuple):
    """All that precedes the payload, in file order; the payload's tag covers every byte of it."""

    magic: bytes
    version: int
    kdf: int
    memory_kib: int
    passes: int
    lanes: int
    salt: bytes
    wrap_nonce: bytes
    wrapped_key: bytes
    generation: int
    nonce: bytes


class DataKey:
    """The key that opens the entries: opaque, hidden in `repr`, never pickled."""

    __slots__ = ("_raw",)

    def __init__(self, raw: bytes) -> None:
        """Hold the 32 bytes of the key."""
        self._raw = raw

    def cipher(self) -> AESGCM:
        """Return the cipher of this key."""
        return AESGCM(self._raw)

    def wrapped_by(self, wrapping: AESGCM, nonce: bytes, header_start: bytes) -> bytes:
        """Seal this key under a derived one, bound to the header before it."""
        return wrapping.encrypt(nonce, self._raw, header_start)

    def __repr__(self) -> str:
        """Hide the key."""
        return "DataKey(…)"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: a pickle is a copy that nobody guards."""
        raise TypeError("a DataKey cannot be pickled")


def seal_new(entries: Mapping[str, Secret], passphrase: Secret) -> bytes:
    """Return a new vault of generation 1, with a fresh data key."""
    key = DataKey(secrets.token_bytes(_KEY_BYTES))
    return _seal(_wrap(key, passphrase, generation=1), key, entries)


def open_key(blob: bytes, passphrase: Secret) -> DataKey:
    """Derive, unwrap the data key, and make sure that it opens all of `blob`."""
    header = read_header(blob)
    wrapping = _derive(header, passphrase)
    try:
        key = DataKey(wrapping.decrypt(header.wrap_nonce, header.wrapped_key, _start(header)))
    except InvalidTag:
        raise _wrong() from None
    _opened(blob, key)
    return key


def entries(blob: bytes, key: DataKey) -> dict[str, Secret]:
    """Return every entry of `blob`; a key that is not this vault's is a `WrongPassphrase`."""
    return _opened(blob, key)[1]


def seal(blob_before: bytes, key: DataKey, entries: Mapping[str, Secret]) -> bytes:
    """Return the next generation with these entries, under the same passphrase and data key."""
    header, _ = _opened(blob_before, key)
    return _seal(header._replace(generation=header.generation + 1), key, entries)


def rewrap(blob: bytes, key: DataKey, new_passphrase: Secret) -> bytes:
    """Return the next generation with the same entries and data key, under a new passphrase."""
    header, kept = _opened(blob, key)
    return _seal(_wrap(key, new_passphrase, generation=header.generation + 1), key, kept)


def read_header(blob: bytes) -> Header:
    """Parse and bound the header; nothing is derived or believed yet."""
    if not blob.startswith(MAGIC):
        raise VaultError(
            "this is not a CostCompass vault", "put vault.bak or a backup in its place"
        )
    version = blob[len(MAGIC)] if len(blob) > len(MAGIC) else VERSION
    if version != VERSION:
        raise VaultError(
            f"the vault has format version {version}, this CostCompass reads version {VERSION}",
            "upgrade CostCompass; the file was left as it is",
        )
    if len(blob) < _LAYOUT.size + _TAG_BYTES:
        raise _wrong()
    header = Header._make(_LAYOUT.unpack_from(blob))
    _check_cost(header)
    return header


def _check_cost(header: Header) -> None:
    """Refuse a derivation that is unknown, too weak to be ours, or too costly to try."""
    if header.kdf != _ARGON2ID:
        raise VaultError(
            f"the vault names an unknown key derivation ({header.kdf})", "upgrade CostCompass"
        )
    for value, bounds, what in (
        (header.memory_kib, _MEMORY_KIB, "KiB of memory"),
        (header.passes, _PASSES, "passes"),
        (header.lanes, _LANES, "lanes"),
    ):
        if value not in bounds:
            raise VaultError(
                f"the vault asks for {value} {what}, allowed are {bounds[0]} to {bounds[-1]}",
                "the file was changed; put vault.bak or a backup in its place",
            )


def _wrap(key: DataKey, passphrase: Secret, *, generation: int) -> Header:
    """Wrap `key` under a new salt at today's cost; the payload's nonce is set when sealing."""
    if not passphrase.expose():
        raise VaultError("an empty passphrase protects nothing", "use five random words")
    header = Header(
        magic=MAGIC,
        version=VERSION,
        kdf=_ARGON2ID,
        memory_kib=64 * 1024,
        passes=3,
        lanes=4,
        salt=secrets.token_bytes(16),
        wrap_nonce=secrets.token_bytes(_NONCE_BYTES),
        wrapped_key=b"",
        generation=generation,
        nonce=b"",
    )
    wrapping = _derive(header, passphrase)
    wrapped = key.wrapped_by(wrapping, header.wrap_nonce, _start(header))
    return header._replace(wrapped_key=wrapped)


def _derive(header: Header, passphrase: Secret) -> AESGCM:
    """Turn the passphrase into the cipher that wraps the data key: about 170 ms, 64 MiB."""
    # A lone surrogate (a terminal of another encoding) must be a wrong passphrase, not a traceback.
    text = unicodedata.normalize("NFC", passphrase.expose()).encode(errors="surrogatepass")
    kdf = Argon2id(
        salt=header.salt,
        length=_KEY_BYTES,
        iterations=header.passes,
        lanes=header.lanes,
        memory_cost=header.memory_kib,
    )
    try:
        with _deriving:
            return AESGCM(kdf.derive(text))
    except MemoryError:
        raise VaultError(
            f"too little memory to derive the vault's key: it takes {header.memory_kib // 1024} MiB",
            "free some or raise the memory limit",
        ) from None


def _start(header: Header) -> bytes:
    """Return the header up to the wrapped key: what the wrapping authenticates."""
    return _LAYOUT.pack(*header)[:_LOCK_BYTES]


def _seal(header: Header, key: DataKey, entries: Mapping[str, Secret]) -> bytes:
    """Encrypt the entries under a fresh nonce, authenticating the whole header."""
    plain = json.dumps({name: value.expose() for name, value in sorted(entries.items())})
    sealed = header._replace(nonce=secrets.token_bytes(_NONCE_BYTES))
    start = _LAYOUT.pack(*sealed)
    return start + key.cipher().encrypt(sealed.nonce, plain.encode(), start)


def _opened(blob: bytes, key: DataKey) -> tuple[Header, dict[str, Secret]]:
    """Authenticate all of `blob` and decrypt it."""
    header = read_header(blob)
    start, payload = blob[: _LAYOUT.size], blob[_LAYOUT.size :]
    try:
        plain = key.cipher().decrypt(header.nonce, payload, start)
    except InvalidTag:
        raise _wrong() from None
    return header, {name: Secret(value) for name, value in json.loads(plain).items()}


def _wrong() -> WrongPassphrase:
    """The one answer to a wrong passphrase, a flipped byte and a cut file: they look the same."""
    return WrongPassphrase(
        "the vault does not open: the passphrase is wrong, or the file was changed",
        "try again; vault.bak beside it is the vault before its last change",
    )
