"""Everything that answers people in Slack, over a real ledger and a real connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from delivery_world import SECOND, World
from install import usage
from slack_helpers import reaches

from bot.desk import FrontDesk
from bot.sandbox.slack_people import CHANNEL, USER
from bot.slack.app import build_app
from bot.slack.commands import COMMANDS
from bot.slack.homes import Homes
from bot.slack.looks import Looks
from bot.slack.socket import Pauses, SlackConnection
from bot.slack.web import web_client
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.budgets import Budget
from costcompass_core.domain.money import Usd
from costcompass_core.domain.secret import Secret
from costcompass_core.domain.usage import Activity, Balance, Reading
from costcompass_core.usecases.refresh import commit
from costcompass_core.usecases.report import Questions

OTHER = "U0SANDBOX02"
STRANGER = "U0STRANGER1"
MODELS = (("anthropic/claude-sonnet-4.5", "3.00"), ("openai/gpt-4.1", "1.50"), ("a/small", "0.02"))


class Talk:
    """A workspace in which the bot is connected; `world` has its clock, its ledger and its Slack."""

    def __init__(self, world: World, *, share_in: Sequence[str] = (CHANNEL,)) -> None:
        self.world = world
        self.slack = world.slack
        self.user = world.slack.user
        self.share_in = share_in
        self.refreshes: list[Any] = []
        self.refreshing: Callable[[], Sequence[str]] = lambda: ["main: nothing new"]
        self._connection: SlackConnection | None = None

    def spends(self, days: int = 30, models: Sequence[tuple[str, str]] = MODELS) -> Talk:
        """Commit a refresh that found as many days, a balance, and every model on each day."""
        today = self.world.now.date()
        rows = {
            today - timedelta(days=age): tuple(
                usage(today - timedelta(days=age), name, str(float(cost) * (1 + age % 3)))
                for name, cost in models
            )
            for age in range(1, days + 1)
        }
        self.commit(rows)
        return self

    def commit(self, rows: dict[date, Any], left: str = "41.37") -> None:
        balance = Balance(Usd.of(left), Usd.of(1000), Usd.of(1000) - Usd.of(left))
        reading = Reading(self.world.now, balance, Activity(rows))
        account = Account("main", "openrouter", "")
        commit(account, self.world.store, reading, self.world.alerting.watch)
        self.world.alerting.committed(good=True)

    def connects(
        self, *, looks: Looks | None = None, allowed: Sequence[str] = (USER, OTHER)
    ) -> Talk:
        """Connect, as after a start; whatever was connected before is closed."""
        self.ends()
        world, config = self.world, self.world.alerting._config
        budgets = (Budget("all models", Usd.of(300), "month"),)
        questions = Questions(world.store, (), config.timezone, budgets)
        self.desk = FrontDesk(config, world.store, world.alerting, self._refresh, lambda: world.now)
        self.looks = looks or Looks(self.desk)
        self.homes = Homes(
            world.store,
            questions.home,
            lambda: web_client(Secret(world.bot_token), self.slack.api_url),
            lambda: world.now,
            zone=config.timezone,
            credits_urls={"main": "https://openrouter.ai/credits"},
            allowed_users=allowed,
            looks=Looks(self.desk, surface="home"),
        )

        def build(client: Any, team_id: str) -> Any:
            self.looks.meet(team_id, client)
            return build_app(
                client=client,
                commands=COMMANDS,
                questions=questions,
                alerts=world.alerting,
                team_id=team_id,
                allowed_users=frozenset(allowed),
                now=lambda: world.now,
                looks=self.looks,
                desk=self.desk,
                homes=self.homes,
                share_in=self.share_in,
            )

        self._connection = SlackConnection(
            lambda: (Secret(self.slack.bot_token), Secret(self.slack.app_token)),
            self.slack.api_url,
            build,
            lambda: world.now,
            pauses=Pauses(first=0.05, longest=0.2),
        )
        self._connection.start()
        assert reaches(self._connection, "connected")
        return self

    def ends(self) -> None:
        if self._connection is not None:
            self._connection.stop(20)
            assert self.slack.links.wait(0)  # or Slack would still send down the old link

    def _refresh(self) -> Sequence[str]:
        self.refreshes.append(self.world.now)
        return self.refreshing()


def kinds(blocks: Sequence[Any]) -> list[str]:
    """The types of blocks, in order."""
    return [one["type"] for one in blocks]


__all__ = ["CHANNEL", "OTHER", "SECOND", "STRANGER", "USER", "Talk", "kinds"]
