"""The files of costs in a folder that people, or their exports, put them into."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final

from costcompass_core.domain.errors import ConfigError, UnreadableFile

ENDINGS: Final = (".csv", ".csv.gz", ".parquet")
"""The files that are looked at."""


@dataclass(frozen=True)
class FoundFile:
    """A file in the folder: `name` within it, `size` in bytes, `mtime` of its last change (UTC)."""

    name: str
    path: Path
    size: int
    mtime: datetime

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of its content, read when first asked for. Raises `UnreadableFile`."""
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as why:
            raise UnreadableFile(
                f"{self.name}: cannot be read ({why.strerror})", "let this user read it"
            ) from None


def files_in(folder: Path) -> tuple[FoundFile, ...]:
    """Return the files of costs in `folder` and in its folders one level down, sorted by name.

    Hidden ones, and links that lead out of the folder, are not looked at. Raises `ConfigError`
    where the folder cannot be read.
    """
    try:
        root = folder.resolve(strict=True)
        found = [*_in(folder, folder, root)]
        for inner in _visible(folder):
            if inner.is_dir() and _inside(inner, root):
                found += _in(inner, folder, root)
    except OSError as why:
        raise ConfigError(
            f"the folder {folder} cannot be read ({why.strerror or 'no reason given'})",
            "make it and let this user read it, or name another folder",
        ) from None
    return tuple(sorted(found, key=lambda file: file.name))


def _in(place: Path, folder: Path, root: Path) -> Iterator[FoundFile]:
    for path in _visible(place):
        if path.name.lower().endswith(ENDINGS) and _inside(path, root):
            try:
                facts = path.stat()
            except OSError:
                continue  # gone since the folder was listed, or a link to nothing or to itself
            if stat.S_ISREG(facts.st_mode):
                changed = datetime.fromtimestamp(facts.st_mtime, UTC)
                name = path.relative_to(folder).as_posix()
                yield FoundFile(name, path, facts.st_size, changed)


def _inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except RuntimeError:  # a link to itself, in Python before 3.13
        return False


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
