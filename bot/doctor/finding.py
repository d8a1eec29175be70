"""One line of what `costcompass doctor` says, and what it is made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from costcompass_core.domain.errors import CostCompassError

State = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `exit_code` is 0 unless the state is `bad`."""

    check: str
    state: State
    found: str
    mend: str = ""
    exit_code: int = 0

    def shape(self) -> dict[str, str]:
        """Return the finding as JSON values."""
        return {"check": self.check, "state": self.state, "found": self.found, "mend": self.mend}


@dataclass(frozen=True, slots=True)
class ClockReading:
    """What somebody else's clock said (UTC), and ours at that moment."""

    whose: str
    theirs: datetime
    ours: datetime


Told = Finding | ClockReading
"""What one check brings: lines, and clocks that are compared at the end."""


def bad(check: str, error: CostCompassError) -> Finding:
    """Return the finding that `error` stands for."""
    return Finding(check, "bad", error.what, error.mend, error.exit_code)
