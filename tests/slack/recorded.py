"""What people see in Slack, made from one fixed ledger at one fixed moment.

`snapshots/` holds each as JSON: reviewers read it, outside judges check it, `./run pictures` draws it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from install import usage
from recorded_stack import add_stack

from bot.config import Config, parse_config
from bot.config_settings import texts
from bot.slack.alert_messages import incident_message, notice_message, reply_message, test_message
from bot.slack.answering import Answering
from bot.slack.blocks import Message, context
from bot.slack.commands import COMMANDS
from bot.slack.controls import shared_controls
from bot.slack.digest_messages import digest_message, monthly_message
from bot.slack.home_view import home, home_page
from bot.slack.looks import Looks
from bot.slack.settings_view import settings_view
from bot.slack.welcome_message import welcome_message
from costcompass_core.domain.days import Month
from costcompass_core.domain.errors import Unavailable
from costcompass_core.domain.incidents import Incident, acknowledged, snoozed
from costcompass_core.domain.money import Usd
from costcompass_core.domain.notices import Notice
from costcompass_core.domain.rates import Rate
from costcompass_core.domain.rules.views import Key
from costcompass_core.domain.settings import Setting
from costcompass_core.domain.stack import Exchange
from costcompass_core.domain.usage import Balance, Usage
from costcompass_core.storage.balance import add_balance
from costcompass_core.storage.refreshes import note_failure, note_success
from costcompass_core.storage.store import Store, open_store
from costcompass_core.storage.usage import remember_account, replace_days
from costcompass_core.usecases.digest import Reporter
from costcompass_core.usecases.report import Questions

NOW: Final = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
TODAY: Final = NOW.date()
CREDITS: Final = "https://openrouter.ai/credits"
CHANNEL: Final = "C0123456789"
ANNA: Final = "U0123456789"
SNAPSHOTS: Final = Path(__file__).with_name("snapshots")

_MODELS: Final = (
    ("anthropic/claude-sonnet-4.5", "Anthropic", 2_310_000, 1_050),
    ("anthropic/claude-sonnet-4.5", "Amazon Bedrock", 640_000, 310),
    ("google/gemini-2.5-flash", "Google", 610_000, 1_900),
    ("openai/gpt-5-mini", "OpenAI", 420_000, 720),
    ("qwen/qwen3-235b-a22b-thinking-2507", "DeepInfra", 260_000, 2_400),
    ("deepseek/deepseek-chat-v3.1", "DeepSeek", 180_000, 1_300),
    ("moonshotai/kimi-k2-0905", "Groq", 90_000, 240),
    ("mistralai/mistral-small-3.2-24b-instruct", "Mistral", 31_000, 410),
    ("meta-llama/llama-4-maverick", "Together", 4_000, 120),
)
"""Model, host, micro-dollars and thousand tokens of a usual day."""
_CONFIG: Final = """
timezone = "Europe/Berlin"
[[account]]
name = "main"
provider = "openrouter"
[slack]
channel = "C0123456789"
allowed_users = ["U0123456789"]
[[subscription]]
name = "ChatGPT Plus"
amount = 20.00
[[budget]]
name = "all models"
amount = 150
[[budget]]
name = "Claude"
amount = 90
match = { model = "anthropic/*" }
"""


def config() -> Config:
    return parse_config(tomllib.loads(_CONFIG, parse_float=Decimal), {})


def rows(day: date) -> Iterator[Usage]:
    """A steady rise with a weekly rhythm and one dear day, the same every time."""
    age = (TODAY - day).days
    for place, (model, host, micro, tokens) in enumerate(_MODELS):
        if model.startswith("moonshotai") and age > 20:
            continue  # it is new this month
        rhythm = Decimal(40 if day.weekday() > 4 else 100) / 100
        wobble = Decimal(80 + (age * 7 + place * 13) % 41) / 100
        growth = Decimal(130 - min(age, 90)) / 100
        spike = Decimal(3) if age == 8 and place == 0 else Decimal(1)
        scale = rhythm * wobble * growth * spike
        counts = int(tokens * 1000 * rhythm * wobble)
        yield usage(
            day, model, str((Decimal(micro) * scale).scaleb(-6)), host=host, endpoint=f"{model}@{host}",
            requests=counts // 1900, prompt_tokens=counts * 4 // 5, completion_tokens=counts // 5,
        )  # fmt: skip


@contextmanager
def ledger(folder: Path, days: int = 92, left: str = "41.37", models: int = 0) -> Iterator[Store]:
    """A ledger of so many completed days and one balance; `models` more are in use on each."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = open_store(folder)
    read = NOW - timedelta(minutes=6)
    many = [
        usage(TODAY, f"author-{one % 9}/a-model-with-a-rather-long-name-{one:03}", f"0.0{one}")
        for one in range(1, models + 1)
    ]
    with store.writing() as tx:
        remember_account(tx, "main", "openrouter", "OpenRouter")
        every = [TODAY - timedelta(days=age) for age in range(1, days + 1)]
        replace_days(
            tx, "main",
            {day: (*rows(day), *(one._replace(day=day) for one in many)) for day in every}, read,
        )  # fmt: skip
        for part in ("activity", "balance"):
            note_success(tx, "main", part, read)  # type: ignore[arg-type]
        midnight = datetime(2026, 11, 26, tzinfo=UTC)
        for moment, now_left in ((midnight, Usd.of(left) + Usd.of("1.94")), (read, Usd.of(left))):
            used = Usd.of(1000) - now_left
            add_balance(tx, "main", Balance(now_left, Usd.of(1000), used), moment)
    yield store
    store.close()


def incident(**changes: Any) -> Incident:
    """A low balance, found at 08:54 UTC."""
    seen = NOW - timedelta(minutes=6)
    facts = {
        "left": Usd.of("9.41"), "crossed": (Usd.of(25), Usd.of(10)), "per_day": Usd.of("5.12"),
        "days": Decimal("1.8"), "empty_at": NOW + timedelta(hours=43), "rate": "expected",
        "today": Usd.of("1.94"), "today_since": datetime(2026, 11, 26, tzinfo=UTC),
    }  # fmt: skip
    values: dict[str, Any] = {
        "ident": 7, "key": Key("balance_low", "main"), "opened_at": seen - timedelta(hours=5),
        "level": 2, "of": 2, "worst": 2, "facts": facts, "as_of": seen, "told_at": seen, "seq": 3,
    }  # fmt: skip
    return Incident(**{**values, **changes})


def payload(message: Message, *, only_for_one: bool = False, rich: bool = True) -> dict[str, Any]:
    kind = {"response_type": "ephemeral"} if only_for_one else {}
    return {"text": message.text, "blocks": list(message.shown(rich=rich)), **kind}


def recorded(folder: Path) -> dict[str, dict[str, Any]]:
    """Every message and view, by the name of its snapshot."""
    with ledger(folder / "usual") as store:
        usual = {**_answers(store), **_posts(store), **_views(store, folder)}
    return {**usual, **_stacked(folder), **_odd(folder)}


def _ask(store: Store, line: str, at: datetime = NOW) -> Message:
    made = config()
    questions = Questions(
        store,
        made.subscriptions,
        made.timezone,
        made.alerts.budgets,
        lambda _: Exchange("USD", {"CNY": Rate("CNY", Fraction("0.1408"), TODAY, "configuration")}),
    )
    answering = Answering(
        COMMANDS, questions, Looks(rich=True), lambda: at, desk=object(), share_in=[CHANNEL]  # type: ignore[arg-type]
    )  # fmt: skip
    return answering.answer(line, CHANNEL)


def _answers(store: Store) -> dict[str, dict[str, Any]]:
    lines = {
        "spend": "/spend",
        "spend-by-host": "/spend 7d by host =anthropic/claude-sonnet-4.5",
        "spend-by-day": "/spend 30d by day",
        "spend-yesterday": "/spend yesterday",
        "spend-why": "/spend why 7d",
        "spend-advice": "/spend advice",
        "spend-help": "/spend help",
        "spend-mistake": "/spend yesturday claude",
        "forecast": "/forecast",
        "forecast-accuracy": "/forecast accuracy",
    }
    told = {name: payload(_ask(store, line), only_for_one=True) for name, line in lines.items()}
    for name in ("spend", "forecast", "spend-why"):
        plain = payload(_ask(store, lines[name]), only_for_one=True, rich=False)
        told[f"{name}-spelled-out"] = plain
    by = context(f"Shared by <@{ANNA}> · `/spend 7d`")
    shared = _ask(store, "/spend 7d").without_controls().plus(by, *shared_controls("/spend 7d"))
    return told | {"spend-shared": payload(shared)}


def _posts(store: Store) -> dict[str, dict[str, Any]]:
    made, zone = config(), config().timezone
    reporter = Reporter(store, made.subscriptions)
    low = incident(level=1, worst=1, facts={**incident().facts, "left": Usd.of("21.30"),
                   "crossed": (Usd.of(25),), "days": Decimal("4.2"),
                   "empty_at": NOW + timedelta(days=4.2)})  # fmt: skip
    over = incident(resolved_at=NOW, level=0, facts={**incident().facts, "left": Usd.of("59.41"),
                    "topped_up": Usd.of(50), "crossed": (), "days": Decimal("11.6")})  # fmt: skip
    news = Notice("new_model", "main", "new_model:x", {"model": "moonshotai/kimi-k2-0905",
                  "amount": Usd.of("1.20"), "first": date(2026, 11, 25), "floor": Usd.of(1)}, NOW)  # fmt: skip
    posts = {
        "digest": digest_message(reporter.digest(TODAY, NOW), NOW, zone),
        "monthly": monthly_message(reporter.monthly(Month(2026, 10), NOW), NOW, zone),
        "alert": incident_message(low, NOW, zone, CREDITS),
        "alert-critical": incident_message(incident(), NOW, zone, CREDITS),
        "alert-worse": reply_message(incident(), "worse", NOW, zone),
        "alert-snoozed": incident_message(
            snoozed(incident(), "4h", ANNA, NOW).incident, NOW, zone, CREDITS
        ),
        "alert-acknowledged": incident_message(
            acknowledged(incident(), ANNA, NOW).incident, NOW, zone, CREDITS
        ),
        "alert-resolved": incident_message(over, NOW, zone, CREDITS),
        "alert-test": test_message(ANNA, NOW, zone),
        "notice": notice_message(news, NOW, zone),
        "welcome": welcome_message(reporter.welcome(NOW), made.alerts, NOW, zone),
    }
    return {name: payload(one) for name, one in posts.items()}


def _views(store: Store, folder: Path) -> dict[str, dict[str, Any]]:
    made = config()
    questions = Questions(store, made.subscriptions, made.timezone, made.alerts.budgets)
    report = questions.home(NOW)
    urls = {"main": CREDITS}
    calm = home_page(report, NOW, made.timezone, urls)
    asleep: Sequence[Incident] = [snoozed(incident(), "24h", ANNA, NOW).incident]
    with ledger(folder / "low", left="9.41") as poor:
        found = replace(questions, store=poor).home(NOW)
    budget = incident(
        ident=8, key=Key("budget_spent", "", "Claude"), level=2, of=3, worst=2,
        facts={
            "spent": Usd.of("76.54"), "amount": Usd.of(90), "per": "month",
            "from": date(2026, 11, 1), "to": date(2026, 11, 30), "percent": Decimal("85.0"),
            "crossed": (Decimal(50), Decimal(80)),
        },
    )  # fmt: skip
    alarmed = home_page(replace(found, incidents=(incident(), budget)), NOW, made.timezone, urls)
    changed = {"digest.time": Setting("07:30", ANNA, NOW - timedelta(days=2))}
    return {
        "home": home(calm, rich=True),
        "home-alert": home(alarmed, rich=True),
        "home-spelled-out": home(calm, rich=False),
        "settings": settings_view(texts(made), changed, asleep, "Europe/Berlin"),
    }


def _stacked(folder: Path) -> dict[str, dict[str, Any]]:
    """The answers where OpenRouter is one provider of six, and one of them is paid in CNY."""
    lines = {
        "stack-spend": "/spend",
        "stack-spend-merged": "/spend 7d merged",
        "stack-spend-by-provider": "/spend 30d by provider",
        "stack-forecast": "/forecast",
        "stack-why": "/spend why 7d",
    }
    with ledger(folder / "stack") as store:
        add_stack(store, NOW)
        told = {name: payload(_ask(store, line), only_for_one=True) for name, line in lines.items()}
        for name in ("stack-spend", "stack-forecast"):
            plain = payload(_ask(store, lines[name]), only_for_one=True, rich=False)
            told[f"{name}-spelled-out"] = plain
        made = config()
        questions = Questions(store, made.subscriptions, made.timezone, made.alerts.budgets)
        page = home_page(questions.home(NOW), NOW, made.timezone, {"main": CREDITS})
        told["stack-home"] = home(page, rich=True)
        digest = Reporter(store, config().subscriptions).digest(TODAY, NOW)
        told["stack-digest"] = payload(digest_message(digest, NOW, config().timezone))
    return told


def _odd(folder: Path) -> dict[str, dict[str, Any]]:
    """The same in odd circumstances: nothing, hardly anything, far too much, or locked out."""
    told = {}
    with ledger(folder / "many", days=40, models=400) as store:
        told["spend-400-models"] = _ask(store, "/spend 7d")
    with ledger(folder / "young", days=1, left="-0.42") as store:
        told["spend-one-day"] = _ask(store, "/spend")
        told["forecast-negative"] = _ask(store, "/forecast")
    with ledger(folder / "idle", days=0) as store:
        told["spend-nothing-known"] = _ask(store, "/spend")
        with store.writing() as tx:
            idle = {TODAY - timedelta(days=age): () for age in range(1, 26)}
            replace_days(tx, "main", idle, NOW)
        told["spend-zero"] = _ask(store, "/spend")
        told["forecast-zero"] = _ask(store, "/forecast")
    with ledger(folder / "locked") as store:
        with store.writing() as tx:
            error = Unavailable("the vault is locked", "run `costcompass unlock`")
            for part in ("activity", "balance"):
                note_failure(tx, "main", part, NOW - timedelta(minutes=2), error)  # type: ignore[arg-type]
        told["spend-locked-vault"] = _ask(store, "/spend 7d")
    return {name: payload(one, only_for_one=True) for name, one in told.items()}
