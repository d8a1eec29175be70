"""A forecast as of a moment, with what the balances know of today."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from costcompass_core.domain.burn import History
from costcompass_core.domain.days import utc_day
from costcompass_core.domain.forecast import AccountBalance, ForecastReport, forecast
from costcompass_core.domain.money import ZERO
from costcompass_core.domain.reports import Health
from costcompass_core.domain.rules.pace import unusual_pace
from costcompass_core.domain.subscriptions import Subscription
from costcompass_core.storage.views import account_views, today_of


def forecast_at(
    tx: sqlite3.Connection,
    at: datetime,
    histories: Mapping[str, History],
    balances: Sequence[AccountBalance],
    *,
    subscriptions: Sequence[Subscription],
    conditions: Sequence[Health],
) -> ForecastReport:
    """Return the forecast as of `at`, from histories and balances that end there."""
    names = [one.account for one in conditions]
    today = today_of(tx, names, at)
    paces = {one.account: unusual_pace(one) for one in account_views(tx, names, at, at)}
    return forecast(
        utc_day(at),
        histories,
        balances,
        subscriptions,
        conditions,
        taken=today.spent if today else ZERO,
        paces={name: pace for name, pace in paces.items() if pace is not None},
    )
