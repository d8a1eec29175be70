"""What people changed while the daemon ran, laid over what the configuration says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Setting:
    """A key's value as an environment variable would have it, who set it, and when (UTC)."""

    value: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One change; `None` stands for what the file says."""

    key: str
    before: str | None
    after: str | None
    by: str
    at: datetime
