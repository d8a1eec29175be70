"""What a workspace can draw: Slack brings its newest blocks to one workspace after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Protocol

from slack_sdk.errors import SlackApiError
from slack_sdk.web import WebClient

from bot.slack.pieces import Cell, Chart, Point, Table, drawn
from costcompass_core.domain.errors import StorageError
from costcompass_core.domain.money import ZERO

REFUSED: Final = frozenset({"invalid_blocks", "invalid_blocks_format"})
"""Slack's words for blocks that it does not know, or not like this."""
_SAMPLE: Final = (
    Chart("Sample", "USD", (Point("a", ZERO.amount, "$0.00"), Point("b", ZERO.amount, "$0.00"))),
    Table("Sample", ("Model", "Cost"), ((Cell("a"), Cell("$0.00", ZERO.amount)),)),
)
_log: Final = logging.getLogger(__name__)


def draws(client: WebClient) -> bool | None:
    """Return whether Slack takes a sample chart and table, `None` where it does not say."""
    try:
        client.blocks_validate(blocks=list(drawn(_SAMPLE)))
    except SlackApiError as error:
        data = error.response.data
        return False if isinstance(data, dict) and data.get("error") in REFUSED else None
    except Exception as error:  # noqa: BLE001 - the SDK raises many kinds, and none matters here
        _log.debug("Slack does not say which blocks it knows", exc_info=error)
        return None
    return True


class Memory(Protocol):
    """Keeps what is known of a surface across restarts. Both may raise `StorageError`."""

    def knows(self, surface: str) -> bool | None:
        """Return whether it draws charts and tables, `None` where nobody knows (any more)."""

    def learn(self, surface: str, *, rich: bool) -> None:
        """Remember it."""


class Looks:
    """Whether charts and tables can be shown; `rich` is `None` while nobody knows.

    Shared by all that speak to one workspace. What a refusal teaches holds for every later message.
    """

    def __init__(
        self, memory: Memory | None = None, *, rich: bool | None = None, surface: str = "message"
    ) -> None:
        """Know nothing yet, unless told; `memory` is asked once the workspace is known.

        `surface` tells messages from Homes, which may not draw the same.
        """
        self._memory = memory
        self._kind = surface
        self._surface = ""
        self.rich = rich

    def meet(self, team_id: str, client: WebClient | None) -> None:
        """Recall what is known of a workspace, and ask Slack unless it has refused of late.

        An answer that travels with its acknowledgement can't be known to have been refused.
        """
        self._surface = f"{team_id}:{self._kind}"
        if self._memory is not None:
            self.rich = self._kept(lambda memory: memory.knows(self._surface))
        if self.rich is not False and client is not None:
            self._ask(client)

    def _ask(self, client: WebClient) -> None:
        """Have Slack judge a sample; without an answer, the first message will show."""
        if (rich := draws(client)) is not None:
            self.learn(rich=rich)

    def learn(self, *, rich: bool) -> None:
        """Note what the workspace took, or refused."""
        if rich == self.rich:
            return
        self.rich = rich
        if not rich:
            _log.info("This Slack workspace does not draw charts and tables: they are spelled out")
        if self._surface:
            self._kept(lambda memory: memory.learn(self._surface, rich=rich))

    def _kept(self, use: Callable[[Memory], bool | None]) -> bool | None:
        """Use the memory, where there is one; without it, what is learnt holds until the end."""
        if self._memory is None:
            return None
        try:
            return use(self._memory)
        except StorageError as error:
            _log.warning("What Slack can draw is not remembered: %s", error)
            return None
