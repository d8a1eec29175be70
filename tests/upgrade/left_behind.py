"""What an older version left behind, as a folder of files and what it said of them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from install import Install

from costcompass_core.storage.store import FILE_NAME

FIXTURES = Path(__file__).with_name("fixtures")


@dataclass(frozen=True)
class Left:
    """What an older version left behind, laid out anew, and what it said of it."""

    install: Install
    told: dict[str, Any]

    @property
    def database(self) -> Path:
        return self.install.state / FILE_NAME

    def files(self) -> dict[str, bytes]:
        """Everything in the state directory, byte by byte."""
        return {one.name: one.read_bytes() for one in self.install.state.iterdir()}


def lay_out(install: Install, name: str) -> Left:
    """Put the installation that version `name` left behind into `install`."""
    kept = FIXTURES / name
    install.config.write_text((kept / "config.toml").read_text())
    install.state.mkdir(mode=0o700)
    for file, content in (
        (install.vault, (kept / "vault").read_bytes()),
        (install.state / FILE_NAME, gzip.decompress((kept / "costcompass.db.gz").read_bytes())),
    ):
        file.touch(mode=0o600)
        file.write_bytes(content)
    return Left(install, json.loads(gzip.decompress((kept / "told.json.gz").read_bytes())))
