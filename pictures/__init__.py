"""Recorded Slack messages and views as pictures for the documents: what is to be drawn, and was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SNAPSHOTS = ROOT / "tests" / "slack" / "snapshots"
PICTURES = ROOT / "docs" / "pictures"
DRAWN = PICTURES / "drawn.json"
THEMES = ("light", "dark")


def shown() -> list[str]:
    """Return the names of the snapshots that the documents show."""
    lines = (HERE / "shown.txt").read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def drawn() -> dict[str, str]:
    """Return what each picture was drawn from, by name: the digest of its snapshot then."""
    return dict(json.loads(DRAWN.read_text())) if DRAWN.exists() else {}


def digest(name: str) -> str:
    """Return the digest of a snapshot now; empty when there is none of that name."""
    source = SNAPSHOTS / f"{name}.json"
    return hashlib.sha256(source.read_bytes()).hexdigest() if source.is_file() else ""


def files(name: str) -> list[Path]:
    """Return where a snapshot's pictures are, in the order of THEMES."""
    return [PICTURES / f"{name}-{theme}.png" for theme in THEMES]
