"""Alert rules: pure functions from what is stored to what is wrong.

A rule looks at one account, one budget or the installation and answers with a `Finding`, or with
`None` where stale, partial or rejected data allow no judgement: then an open incident stays as it
is. A new rule is one function, its entry in one of the tuples at the end, and its words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from costcompass_core.domain.rules.balance import balance_low, purse_short, runway_short
from costcompass_core.domain.rules.budget import budget_forecast, budget_spent
from costcompass_core.domain.rules.drift import fallback_routing, routing_drift
from costcompass_core.domain.rules.unusual import spend_level, spend_spike
from costcompass_core.domain.rules.upkeep import byok_volume, data_stale, key_rejected, vault_locked
from costcompass_core.domain.rules.views import (
    AccountView,
    BudgetView,
    Finding,
    Key,
    Limits,
    SystemView,
)

AccountRule = Callable[[AccountView, Limits], Finding | None]
BudgetRule = Callable[[BudgetView, Limits], Finding | None]
SystemRule = Callable[[SystemView, Limits], Finding | None]

ACCOUNT_RULES: Final[tuple[AccountRule, ...]] = (
    balance_low,
    runway_short,
    spend_spike,
    spend_level,
    routing_drift,
    fallback_routing,
    byok_volume,
    data_stale,
    key_rejected,
)
BUDGET_RULES: Final[tuple[BudgetRule, ...]] = (budget_spent, budget_forecast)
SYSTEM_RULES: Final[tuple[SystemRule, ...]] = (vault_locked,)

RULE_NAMES: Final = (
    *(rule.__name__ for rules in (ACCOUNT_RULES, BUDGET_RULES, SYSTEM_RULES) for rule in rules),
    purse_short.__name__,
)
"""Of everything that can become an incident."""


def findings(
    accounts: Sequence[AccountView],
    budgets: Sequence[BudgetView],
    system: SystemView | None,
    limits: Limits,
) -> dict[Key, Finding | None]:
    """Ask every rule about everything it looks at; a key that is not there is not watched.

    Without `system`, from a command beside the daemon, nothing is said of the installation.
    """
    found: dict[Key, Finding | None] = {
        Key(rule.__name__, view.account): rule(view, limits)
        for view in accounts
        for rule in ACCOUNT_RULES
        if not _is_off(rule.__name__, limits)
    }
    found |= {
        Key(purse_short.__name__, view.account, purse.currency): purse_short(purse, view, limits)
        for view in accounts
        for purse in view.purses
    }
    found |= {
        Key(rule.__name__, view.budget.account or "", view.budget.name): rule(view, limits)
        for view in budgets
        for rule in BUDGET_RULES
    }
    for each in SYSTEM_RULES:
        found[Key(each.__name__)] = each(system, limits) if system else None
    return found


def _is_off(rule: str, limits: Limits) -> bool:
    """Return whether the user set a rule's least amount to nothing, so that it is not watched."""
    floors = {
        "spend_spike": limits.spike_above,
        "spend_level": limits.level_above,
        "routing_drift": limits.drift_above,
        "fallback_routing": limits.drift_above,
    }
    return rule in floors and not floors[rule]
