"""Keys of fixed costs, currencies, rates and budgets."""

from __future__ import annotations

from typing import Final

from bot import config_kinds as kinds
from bot.config_kinds import list_of, one_of
from bot.config_tables import Key, Table
from costcompass_core.domain.money import Usd

SUBSCRIPTION: Final = Table(
    "A fixed cost that no provider reports. It stands on a line of its own, never in usage.",
    {
        "name": Key(kinds.LABEL, "What it is called."),
        "amount": Key(kinds.AMOUNT, "Its price for one `per`."),
        "currency": Key(kinds.CURRENCY, "What `amount` is in.", "USD"),
        "per": Key(
            one_of("month", "year"), "How often it is due; of a year, each month has a twelfth.", "month"
        ),
        "from": Key(kinds.DAY, "Its first day. Left out: always.", None),
        "until": Key(kinds.DAY, "Its last day. Left out: for ever.", None),
    },
    {
        "change": Table(
            "Another price of the subscription above it, from a day on; the earliest comes first.",
            {
                "from": Key(kinds.DAY, "The first day of the new price."),
                "amount": Key(kinds.AMOUNT, "The new price for one `per`."),
            },
            many=True,
        )
    },
    many=True,
)  # fmt: skip
CURRENCY: Final = Table(
    "Currencies are shown side by side, never summed. With rates, one converted total is added.",
    {
        "home": Key(kinds.CURRENCY, "Stands first, and is what the converted total is in.", "USD"),
        "ecb_file": Key(
            kinds.PATH,
            "The ECB's euro reference rates: `eurofxref.csv`, `-hist.csv` or `-daily.xml`. Nothing "
            "is fetched; the file is read again when it changes.",
            "",
        ),
    },
)
RATE: Final = Table(
    "A rate of your own; it wins over the file's.",
    {
        "currency": Key(kinds.CURRENCY, "The currency, one other than `home`."),
        "worth": Key(kinds.AMOUNT, "What one unit of it is worth, in the home currency."),
        "on": Key(kinds.DAY, "The day the rate is of; it is told beside the total."),
    },
    many=True,
)
BUDGET: Final = Table(
    "An amount in USD for each month or year. It is told when a percentage is reached, and when it "
    "will be exceeded.",
    {
        "name": Key(kinds.LABEL, "What it is called; each budget has a name of its own."),
        "amount": Key(kinds.AMOUNT, "USD for one `per`."),
        "per": Key(one_of("month", "year"), "What it is for.", "month"),
        "alert_at_percent": Key(
            list_of(kinds.PERCENT, "percentages"),
            "Percentages that are told, each once.",
            (Usd.of(50), Usd.of(80), Usd.of(100)),
        ),
    },
    {
        "match": Table(
            "What the budget is about; left out: all usage in USD. All that are given have to match.",
            {
                "account": Key(kinds.ACCOUNT, "One account.", None),
                "provider": Key(
                    kinds.LABEL,
                    "One provider: the word that `[[account]]` has, or the seller that files name.",
                    None,
                ),
                "model": Key(kinds.LABEL, "Models of this name; `*` stands for anything.", None),
            },
            optional=True,
        ),
    },
    many=True,
)
