"""Pages: everything that can be posted, without words; a teller finds those."""

from __future__ import annotations

from dataclasses import dataclass

from costcompass_core.domain.digest import DigestReport, MonthlyReport
from costcompass_core.domain.incidents import Incident, What
from costcompass_core.domain.letters import Late, TellNotice, TellSummary, TellTest
from costcompass_core.domain.rules.views import Finding, Key
from costcompass_core.domain.welcome import WelcomeReport


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """An incident's own message, as it stands now; `late` says since when it waited."""

    incident: Incident
    late: Late | None = None


@dataclass(frozen=True, slots=True)
class ReplyPage:
    """A reply in an incident's thread, which notifies where an edit does not."""

    incident: Incident
    what: What
    late: Late | None = None


@dataclass(frozen=True, slots=True)
class DigestPage:
    """A digest."""

    report: DigestReport
    late: Late | None = None


@dataclass(frozen=True, slots=True)
class MonthlyPage:
    """A month's report."""

    report: MonthlyReport
    late: Late | None = None


@dataclass(frozen=True, slots=True)
class UnrecordedPage:
    """An alert that could not be stored, for `reason`, the database's own words."""

    key: Key
    finding: Finding
    reason: str


@dataclass(frozen=True, slots=True)
class WelcomePage:
    """What a first start has found."""

    report: WelcomeReport


Page = (
    IncidentPage
    | ReplyPage
    | DigestPage
    | MonthlyPage
    | UnrecordedPage
    | WelcomePage
    | TellSummary
    | TellNotice
    | TellTest
)
"""Everything that can be posted, without words."""
