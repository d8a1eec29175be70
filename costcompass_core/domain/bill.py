"""What a file of costs says: one bill for each provider and account in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from costcompass_core.domain.usage import Usage


@dataclass(frozen=True, slots=True)
class Bill:
    """The rows of one provider's billing account, at most one for each of its stored keys.

    `provider` and `account` are the file's own names. `first` and `last` are the UTC days of the
    oldest and the newest row; days between them may have none.
    """

    provider: str
    account: str
    rows: tuple[Usage, ...]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class FileRead:
    """A file that was read to its end: `name` without its folder, `version` of its format.

    `notes` are one-line remarks for people, about what was counted otherwise than it looks.
    """

    name: str
    version: str
    bills: tuple[Bill, ...]
    notes: tuple[str, ...] = ()
