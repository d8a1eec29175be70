"""An installation that a real daemon shows over real HTTP, and what to ask it."""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection

from install import Daemon, Install
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from bot.sandbox.deepseek import DeepSeek
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.slack import Slack
from costcompass_core.domain.usage import Purse
from costcompass_core.storage.purses import add_purses
from costcompass_core.storage.store import open_store
from costcompass_core.storage.usage import remember_account

OFTEN = '[refresh]\nbalance = "1s"\nactivity = "1s"\n'
MODELS = 25
"""More than have a series of their own."""
HOSTILE = 'evil"}\n1 2 3\\\u202e'


def now() -> datetime:
    return datetime.now(UTC)


def free_port() -> int:
    """A port that nobody listens on, outside the range that the kernel hands out by itself.

    It stays bound for as long as this process lives, so that no test beside ours finds it free; a
    server that may reuse addresses, as all of ours, can listen on it.
    """
    while True:
        port, held = random.randrange(20_000, 32_000), socket.socket()
        try:
            held.bind(("0.0.0.0", port))  # fails where anybody has it, listening or not
        except OSError:
            held.close()
        else:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            held.detach()
            return port


@dataclass
class Page:
    status: int
    headers: Mapping[str, str]
    body: str


@dataclass
class Watched:
    """A running daemon and the port that it shows itself on."""

    install: Install
    daemon: Daemon
    port: int
    openrouter: OpenRouter
    slack: Slack

    def get(self, path: str, method: str = "GET") -> Page:
        return get(self.port, path, method)

    def metrics(self) -> dict[str, Metric]:
        """Families by name, those of counters without `_total`."""
        families = text_string_to_metric_families(self.get("/metrics").body)
        return {one.name: one for one in families}

    def value(self, name: str, **labels: str) -> float | None:
        """The one sample of a name that has these labels."""
        family = self.metrics()[name.removesuffix("_total").removesuffix("_count")]
        found = [
            one.value
            for one in family.samples
            if one.name == name and labels.items() <= one.labels.items()
        ]
        assert len(found) < 2, found
        return found[0] if found else None


def get(port: int, path: str, method: str = "GET") -> Page:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return Page(response.status, dict(response.headers), response.read().decode())
    finally:
        connection.close()


def spend(openrouter: OpenRouter) -> None:
    """40 days on one model, and the last three on many, one of them with a hostile name."""
    account, today = openrouter.accounts[0], now().date()
    for age in range(1, 40):
        account.spend("1.25", today - timedelta(days=age), "openai/gpt-4o")
    for age in range(1, 4):
        for model in range(MODELS):
            day = today - timedelta(days=age)
            account.spend(f"0.{model + 1:03d}123456789", day, f"author/model-{model}")
        account.spend("0.5", today - timedelta(days=age), HOSTILE)


def remember_yuan(install: Install) -> None:
    """Readings of a balance in yuan, from which the days between them are derived."""
    install.state.mkdir(mode=0o700, exist_ok=True)
    store, midnight = open_store(install.state), now().replace(hour=0, minute=0, second=0)
    with store.writing() as tx:
        remember_account(tx, "deepseek/main", "deepseek", "DeepSeek", slow=True)
        for half in range(18, 0, -1):
            left = Decimal(100) + Decimal("2.5") * half
            at = midnight - timedelta(hours=12 * half - 6)
            add_purses(tx, "deepseek/main", [Purse("CNY", left, Decimal(0), left)], at)
    store.close()


def configure(
    install: Install, openrouter: OpenRouter, deepseek: DeepSeek, slack: Slack, port: int
) -> None:
    install.configure(
        openrouter,
        slack,
        more=OFTEN
        + f'[http]\nlisten = "127.0.0.1:{port}"\n'
        + f'[[account]]\nname = "main"\nprovider = "deepseek"\nbase_url = "{deepseek.base_url}"\n'
        + '[[budget]]\nname = "all models"\namount = 300\n'
        + '[[subscription]]\nname = "ChatGPT Plus"\namount = 20\n'
        + '[[subscription]]\nname = "Mistral"\namount = 15\ncurrency = "EUR"\n',
    )
    install.keep(
        openrouter__main=openrouter.accounts[0].management_key.secret,
        deepseek__main=DeepSeek.RIGHT,
        slack__bot_token=slack.bot_token,
        slack__app_token=slack.app_token,
    )
