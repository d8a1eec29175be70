"""What stands in a member's Home: the month so far, what it will be, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass

from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.incidents import Incident
from costcompass_core.domain.reports import SpendReport
from costcompass_core.domain.rules.views import Today


@dataclass(frozen=True, slots=True)
class HomeReport:
    """`spend` is of this month, of last month while no day of this one is completed.

    `today` is what the balances lost on the current UTC day, `None` where that is not known.
    """

    spend: SpendReport
    outlook: ForecastReport
    incidents: tuple[Incident, ...]
    today: Today | None
