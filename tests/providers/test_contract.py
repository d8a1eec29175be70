"""The contract suite for each provider of the registry, and what a new one needs beside it."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

pytest.register_assert_rewrite("contract")

from contract import HOUR, MORNING, TODAY, Contract, Files, Reported, ago, amount  # noqa: E402
from test_focus import ROW as FOCUS  # noqa: E402

from bot.sandbox import (  # noqa: E402
    anthropic,
    deepseek,
    google,
    openai,
    openrouter,
    together,
    vercel,
    xai,
)
from bot.sandbox.openrouter_account import StandInAccount  # noqa: E402
from bot.sandbox.openrouter_rows import activity_row  # noqa: E402
from costcompass_core.domain.days import ONE_DAY, each_day  # noqa: E402
from costcompass_core.providers.registry import PROVIDERS  # noqa: E402

ROOT = Path(__file__).parents[2]


class Router(openrouter.OpenRouter):
    """The loopback OpenRouter with one account."""

    def __init__(self, now):
        self.only = StandInAccount(total_credits=1_000)
        self.RIGHT = self.only.management_key.secret
        self.WRONG = self.only.inference_keys[0].secret
        super().__init__(now, [self.only])

    def spend(self, day, usd):
        self.only.set_day(day, [activity_row(day, "openai/gpt-4.1", usd)])


class TestOpenRouter(Reported):
    provider, stand_in = PROVIDERS["openrouter"], Router


class TestAnthropic(Reported):
    provider, stand_in = PROVIDERS["anthropic"], anthropic.Anthropic


class TestOpenAI(Reported):
    provider, stand_in = PROVIDERS["openai"], openai.OpenAI


class TestTogether(Reported):
    provider, stand_in = PROVIDERS["together"], together.Together


class TestVercel(Reported):
    provider, stand_in = PROVIDERS["vercel"], vercel.Vercel
    options = (("team", vercel.Vercel.TEAM),)


class TestXAI(Reported):
    provider, stand_in = PROVIDERS["xai"], xai.XAI
    options = (("team", xai.XAI.TEAM),)


class TestGoogle(Reported):
    """Its key is JSON, which is exchanged for a token before anything else."""

    provider, stand_in = PROVIDERS["google"], google.Google
    options, asked_before_rows = (("table", google.TABLE),), 2
    mend = "BigQuery Job User"  # a wrong key is of the right kind, and lacks its roles

    def keys(self, standin):
        right = standin.service_account()
        known = json.loads(right)
        unknown = json.dumps(known | {"client_email": f"nobody-{known['client_email']}"})
        line = known["private_key"].splitlines()[1]
        return right, standin.service_account(may_read=False), unknown, right, line, standin.RIGHT


class TestDeepSeek(Contract):
    """It reports what is left: a day is told by its readings, when it is over."""

    provider, stand_in = PROVIDERS["deepseek"], deepseek.DeepSeek
    test_a_key_that_cannot_read_spend_says_where_the_right_one_is_made = None  # it has one type

    def settle(self, world):
        """Look once a day: a day's cost is gone when it begins."""
        days = [*each_day(ago(14), ago(1))]
        for day in (*days, TODAY):
            world.standin.spend(day, str(amount(day)))
        world.now = MORNING - len(days) * ONE_DAY - HOUR
        world.refresh()
        world.standin.use("USD", "0.5")
        world.refresh(after=HOUR)
        for _ in days:
            world.refresh(after=ONE_DAY)
        return {day: amount(day) for day in days[1:]}  # nobody saw how the first one began

    def test_a_day_is_told_once_when_it_is_over_by_all_its_readings(self, world):
        known = self.settle(world)
        for used in ("0.25", "0.0000000001", "1.5"):
            world.standin.use("USD", used)
            world.refresh(after=4 * HOUR)
            world.tells(known)
        world.standin.top_up("USD", "50.00")
        known[TODAY] = amount(TODAY) + Decimal("1.7500000001")
        for hours in (1, 1, 24):
            world.refresh(after=hours * HOUR)
        world.tells(known)


class TestFocus(Files):
    provider = PROVIDERS["focus"]

    def text(self, days):
        rows = [
            FOCUS
            | {"BilledCost": str(cost), "ChargePeriodStart": f"{day}T00:00:00Z"}
            | {"ChargePeriodEnd": f"{day + ONE_DAY}T00:00:00Z"}
            for day, cost in days.items()
        ]
        return "\n".join([",".join(FOCUS), *(",".join(row.values()) for row in rows), ""])


class TestGoogleCsv(Files):
    provider = PROVIDERS["google-csv"]

    def text(self, days):
        header = "cost,currency,credits,usage_start_time,service.description,sku.description"
        rows = [f"{cost},USD,,{day} 07:00:00 UTC,Gemini API,Tokens" for day, cost in days.items()]
        return "\n".join([header, *rows, ""])


CASES = [one for one in globals().values() if isinstance(one, type) and hasattr(one, "provider")]


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_provider_keeps_the_contract_and_is_shown(name):
    title = PROVIDERS[name].title
    assert name in {case.provider.name for case in CASES}, "give it a class in this file"
    example = (ROOT / "config.example.toml").read_text()
    assert f'provider = "{name}"' in example, "show an account of it in config.example.toml"
    page = (ROOT / "docs" / "providers.md").read_text()
    heading = rf"^#+ .*({re.escape(title)}|`{re.escape(name)}`)"
    assert re.search(heading, page, re.MULTILINE), "give it a heading in docs/providers.md"
