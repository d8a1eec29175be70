"""The same ledger with what people pay elsewhere beside it: five more providers, two currencies."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from costcompass_core.domain.purses import DIFFERENCE
from costcompass_core.domain.usage import Purse, Usage
from costcompass_core.storage.purses import add_purses
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import Store
from costcompass_core.storage.usage import remember_account, replace_days

_OTHERS: Final = (
    ("anthropic", "Anthropic", 2, (("claude-opus-5-5", "output_tokens", 3_100_000), ("Web Search Usage", "web_search", 120_000))),
    ("openai", "OpenAI", 2, (("gpt-6-astra", "input_tokens", 900_000), ("gpt-6-astra-mini", "output_tokens", 210_000))),
    ("vercel", "Vercel", 1, (("Vercel Functions", "Usage, site", 640_000),)),
    ("google", "Google Cloud", 2, (("Gemini API", "Generate content output token count", 330_000),)),
)  # fmt: skip
_DAYS: Final = 60


def add_stack(store: Store, now: datetime) -> None:
    """Write the other providers' days, each as far as it is final, and DeepSeek's balance."""
    today = now.date()
    with store.writing() as tx:
        for provider, title, late, services in _OTHERS:
            name = f"{provider}/main"
            remember_account(tx, name, provider, title, slow=True)
            days = {
                day: [_row(day, age, *one) for one in services]
                for age in range(1, _DAYS + 1)
                for day in [today - timedelta(days=age)]
            }
            growing = {day for day in days if (today - day).days <= late}
            replace_days(tx, name, days, now, growing=growing)
            note_success(tx, name, "activity", now - timedelta(minutes=9))
        remember_account(tx, "deepseek/main", "deepseek", "DeepSeek", slow=True)
        spent = {
            day: [_row(day, age, "DeepSeek", DIFFERENCE, 5_200_000, currency="CNY")]
            for age in range(1, 20)
            for day in [today - timedelta(days=age)]
        }
        replace_days(tx, "deepseek/main", spent, now)
        left = Purse("CNY", Decimal("118.40"), Decimal(0), Decimal("118.40"))
        add_purses(tx, "deepseek/main", [left], now - timedelta(minutes=4))
        for part in ("balance", "activity"):
            note_success(tx, "deepseek/main", part, now - timedelta(minutes=4))  # type: ignore[arg-type]


def _row(
    day: date, age: int, service: str, sku: str, micro: int, *, currency: str = "USD"
) -> Usage:
    wobble = Decimal(80 + (age * 11) % 37) / 100
    basis = "derived" if currency == "CNY" else "reported"
    return Usage(
        day, service, service, sku, service, None, None, None, None, None,
        cost=(micro * wobble).scaleb(-6), currency=currency, basis=basis,  # type: ignore[arg-type]
    )  # fmt: skip
