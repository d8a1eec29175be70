"""What people could do about cost: `forecast if`, over the stored price list and usage."""

from __future__ import annotations

import sqlite3
from datetime import date, datetime

from costcompass_core.domain.advice import AdviceReport, advise
from costcompass_core.domain.advice.view import View
from costcompass_core.domain.burn import Burn, combined
from costcompass_core.domain.catalogue import Catalogue, named
from costcompass_core.domain.days import ONE_DAY, newest_completed, utc_day
from costcompass_core.domain.errors import UsageError
from costcompass_core.domain.forecast import ForecastReport
from costcompass_core.domain.prices import MONTH_DAYS, InUse
from costcompass_core.domain.reports import Amounts, grouped
from costcompass_core.domain.whatif import IfReport, effective_of, parse_if, what_if
from costcompass_core.storage import spend as queries
from costcompass_core.storage.accounts import slow_accounts
from costcompass_core.storage.catalogue import catalogue, providers


def in_use(tx: sqlite3.Connection, newest: date) -> InUse:
    """Return the usage of the 30 completed UTC days up to `newest`, by model.

    Days before the first with any usage are no history: a new account would look idle on them.
    """
    first = newest - (MONTH_DAYS - 1) * ONE_DAY
    known = queries.histories(tx, first).values()
    began = min((one.began for one in known if one.began), default=newest)
    days = {one for some in known for one in some.spent}
    return InUse(
        _by_model(tx, first, newest), sum(max(first, began) <= one <= newest for one in days)
    )


def _by_model(tx: sqlite3.Connection, first: date, last: date) -> dict[str, Amounts]:
    found = grouped(queries.amounts(tx, first, last, "model", None))
    return {one.name: one for one in found}


def _in_burn(tx: sqlite3.Connection, burn: Burn) -> dict[str, Amounts]:
    """Return the usage by model on the days that the burn is of: those all accounts know.

    Accounts that are slow by nature have a burn of other days, and models that are on no price list.
    """
    known, late = queries.histories(tx, burn.start), slow_accounts(tx)
    prompt = [one for name, one in known.items() if name not in late]
    together = combined(prompt or list(known.values()))
    days = [one for one in together.spent if burn.start <= one <= burn.end]
    found = grouped(some for day in days for some in queries.amounts(tx, day, day, "model", None))
    return {one.name: one for one in found}


def answer_advice(tx: sqlite3.Connection, now: datetime) -> AdviceReport:
    """Return what could be changed about the spend of the last 30 completed UTC days."""
    newest = newest_completed(utc_day(now))
    used, lists = in_use(tx, newest), whole_list(tx)
    hosts = queries.host_amounts(tx, newest - (MONTH_DAYS - 1) * ONE_DAY, newest)
    return advise(View(used.models, hosts, lists.models if lists else {}, used.days), newest)


def answer_if(
    tx: sqlite3.Connection, words: str, outlook: ForecastReport, now: datetime
) -> IfReport:
    """Answer the words after `forecast if`. Raises `UsageError` where they make no sense."""
    query = parse_if(words)
    lists = whole_list(tx)
    if lists is None:
        raise UsageError("no price list has been read yet", "run `costcompass refresh`")
    month = in_use(tx, newest_completed(utc_day(now))).models
    model = named(query.model, month, "the models used in the last 30 days")
    other = named(query.other, lists.models, "the models on the price list")
    if model == other:
        raise UsageError(f"both are {model}", "name two models")
    plan = outlook.next_month
    used = _in_burn(tx, plan.burn).get(model) if plan.burn else None
    if used is None or plan.burn is None:
        days = f"{plan.burn.start} to {plan.burn.end}" if plan.burn else "the newest days"
        raise UsageError(f"{model} was not used from {days}", "there is no traffic to move")
    return what_if(
        plan,
        used,
        lists.models.get(model),
        lists.models[other],
        percent=query.percent,
        read_at=lists.read_at,
        effective=effective_of(month.get(other)),
    )


def whole_list(tx: sqlite3.Connection) -> Catalogue | None:
    """Return the price lists of all configured accounts' providers as one, the oldest's moment."""
    found = [one for name in providers(tx) if (one := catalogue(tx, name)) is not None]
    if not found:
        return None
    models = {ident: one for some in found for ident, one in some.models.items()}
    return Catalogue(models, min(one.read_at for one in found))
