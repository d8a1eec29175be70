"""The Bolt app: who may use it, and commands answered inside their acknowledgement.

A command's answer travels back with its acknowledgement: there is no second delivery that could
fail, and it works while the Web API is down.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from copy import copy
from datetime import datetime
from typing import Any, Final

from slack_bolt import Ack, App, BoltContext, BoltResponse, Respond
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web import WebClient

from bot.slack.answering import Answering
from bot.slack.buttons import add_buttons
from bot.slack.commands.base import Alerts, Command, Desk, Questions
from bot.slack.home_actions import add_home
from bot.slack.homes import Homes
from bot.slack.looks import Looks
from bot.slack.web import library_logger

LISTENERS: Final = 16
"""Commands answered at the same time; Bolt's own 5 let the sixth one time out."""

_STRANGER: Final = (
    "Sorry, you are not on the list of people who may use CostCompass. "
    "Please ask its owner to add your member ID to `allowed_users` in the `[slack]` section "
    "(your profile, the three dots, “Copy member ID”)."
)
_FOREIGN: Final = (
    "Sorry, CostCompass answers only in its own workspace. "
    "Please ask its owner to run one for yours and to add you to `allowed_users` in `[slack]`."
)
_log = logging.getLogger(__name__)


def build_app(
    *,
    client: WebClient,
    commands: Sequence[Command],
    questions: Questions,
    alerts: Alerts,
    team_id: str,
    allowed_users: frozenset[str],
    now: Callable[[], datetime],
    looks: Looks | None = None,
    desk: Desk | None = None,
    homes: Homes | None = None,
    share_in: Collection[str] = (),
) -> App:
    """Return the app of one workspace; an empty `allowed_users` lets nobody in."""
    tokenless = copy(client)  # with a token of its own, Bolt would ask auth.test before it answers
    tokenless.token = None
    listeners = ThreadPoolExecutor(LISTENERS, "slack-listener")
    app = App(
        name="costcompass",
        client=tokenless,
        logger=library_logger(),
        authorize=lambda: AuthorizeResult(
            enterprise_id=None, team_id=team_id, bot_token=client.token
        ),
        token_verification_enabled=False,
        listener_executor=listeners,
    )
    app.use(_guard(team_id, allowed_users, listeners, homes))
    looks = looks or Looks(rich=True)
    answering = Answering(commands, questions, looks, now, desk=desk, share_in=share_in)
    answering.listen(app)
    add_buttons(app, alerts, homes.changed if homes else lambda: None)
    if homes is not None and desk is not None:
        add_home(app, homes, desk, client)
    return app


def _guard(
    team_id: str, allowed_users: frozenset[str], listeners: Executor, homes: Homes | None
) -> Callable[..., BoltResponse | None]:
    """Let only our own people through, whatever it is that they do."""

    def guard(
        context: BoltContext,
        body: dict[str, Any],
        ack: Ack,
        respond: Respond,
        next_: Callable[[], None],
    ) -> BoltResponse | None:
        if context.team_id == team_id and context.user_id in allowed_users:
            next_()
            return None
        _log.warning(
            "Refused Slack user %s of team %s: not in [slack] allowed_users of team %s",
            *(repr(word) for word in (context.user_id, context.team_id, team_id)),
        )
        text = _STRANGER if context.team_id == team_id else _FOREIGN
        if "command" in body:
            return ack(text=text, response_type="ephemeral")
        if "response_url" in body:  # a press can't be answered in its acknowledgement
            listeners.submit(respond, text, response_type="ephemeral", replace_original=False)
        if homes is not None and _opens_home(body) and context.team_id == team_id:
            listeners.submit(homes.opened, str(context.user_id))  # who learns why there is nothing
        return ack()

    return guard


def _opens_home(body: dict[str, Any]) -> bool:
    return bool(body.get("event", {}).get("type") == "app_home_opened")
