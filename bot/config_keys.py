"""Every configuration key: its kind, what it means, and its default.

`./run docs` makes docs/configuration.md of what stands here, so a meaning is a sentence for people.
"""

from __future__ import annotations

from datetime import time as TimeOfDay  # noqa: N812 - as in `bot.config_kinds`
from datetime import timedelta
from typing import Final

from bot import config_kinds as kinds
from bot.config_kinds import list_of, one_of
from bot.config_money_keys import BUDGET, CURRENCY, RATE, SUBSCRIPTION
from bot.config_tables import Key, Table
from costcompass_core.domain.money import Usd
from costcompass_core.domain.notices import NOTICE_RULES
from costcompass_core.domain.rules import RULE_NAMES as CONDITIONS
from costcompass_core.domain.rules.views import BYOK_FREE, NOTICE_ABOVE, Limits
from costcompass_core.providers.registry import PROVIDERS

RULE_NAMES: Final = (*CONDITIONS, *NOTICE_RULES, "database_unwritable")
"""Every rule that a route can name."""
OPTIONS: Final = tuple(
    dict.fromkeys(option.name for one in PROVIDERS.values() for option in one.options)
)
"""What accounts need beside a key, all providers together; each takes its own alone."""
_DEFAULTS: Final = Limits()


def _option(name: str) -> Key:
    """Return the key of an option: what it is, and which providers take it."""
    takers = {
        f"`{one.name}`{'' if option.required else ' (optional)'}": option.what
        for one in PROVIDERS.values()
        for option in one.options
        if option.name == name
    }
    [what] = set(takers.values())
    return Key(kinds.OPTION, f"{what[:1].upper()}{what[1:]}, for {' and '.join(takers)}.", "")


_VAULT: Final = Table(
    "Where the vault's passphrase is. No secret is ever a configuration key: keys and tokens lie in "
    "the vault itself.",
    {
        "passphrase_file": Key(
            kinds.PATH,
            "A file of mode 0600 that holds the passphrase. Empty: it comes from systemd's "
            "`LoadCredential=` (`vault-passphrase`), `--passphrase-fd`, a terminal, or "
            "`costcompass unlock` after the start.",
            "",
        ),
    },
)
_ACCOUNT: Final = Table(
    "One account with a provider. Its key is the vault entry PROVIDER/NAME; which key is the right "
    "one says [providers.md](providers.md).",
    {
        "name": Key(
            kinds.NAME,
            "Yours to choose. Answers call the account PROVIDER/NAME, one of OpenRouter by NAME alone.",
        ),
        "provider": Key(kinds.PROVIDER, "Who sells it."),
        "base_url": Key(
            kinds.ADDRESS,
            "Where the provider's API is; HTTPS unless it is this machine. Left out: the provider's own.",
            None,
        ),
        **{name: _option(name) for name in OPTIONS},
    },
    many=True,
)
_REFRESH: Final = Table(
    "How often providers are read.",
    {
        "balance": Key(
            kinds.DURATION, "Time between two readings of a balance.", timedelta(minutes=5)
        ),
        "activity": Key(
            kinds.DURATION,
            "Time between two readings of costs, usage and files.",
            timedelta(hours=1),
        ),
    },
)
_SLACK: Final = Table(
    "Where Slack is and who may ask. The two tokens lie in the vault.",
    {
        "channel": Key(
            kinds.CHANNEL,
            "Where digests and alerts go when no route says otherwise. Empty: nowhere.",
            "",
        ),
        "allowed_users": Key(
            list_of(kinds.USER, "member IDs such as 'U0123456789'"),
            "Who may use commands, buttons and the Home. Empty: nobody.",
            (),
        ),
        "share_in": Key(
            list_of(kinds.CHANNEL, "channel IDs such as 'C0123456789'"),
            "Channels beside `channel` in which answers may be shown to everybody.",
            (),
        ),
        "api_url": Key(kinds.ADDRESS, "Where Slack's Web API is.", "https://slack.com/api"),
    },
)
_DIGEST: Final = Table(
    "When the digest comes. The report of a month that ended comes at the same time, on any weekday.",
    {
        "time": Key(
            kinds.CLOCK,
            "Local time in `timezone`. Empty: neither digests nor monthly reports.",
            TimeOfDay(9),
        ),
        "weekdays": Key(
            list_of(one_of(*kinds.DAYS), "days such as 'mon'"), "Days with a digest.", kinds.DAYS
        ),
    },
)
_ALERTS: Final = Table(
    "What is told without being asked, and when; every rule is described in [alerts.md](alerts.md).",
    {
        "balance_below": Key(
            list_of(kinds.AMOUNT, "amounts in USD"),
            "Balances in USD at or below which is told, each crossing once. `[]`: off.",
            (Usd.of(25), Usd.of(10)),
        ),
        "runway_below_days": Key(
            list_of(kinds.AMOUNT, "numbers of days"),
            "Days that a balance lasts, at or below which is told. `[]`: off.",
            (Usd.of(7), Usd.of(3)),
        ),
        "repeat_every": Key(
            kinds.DURATION,
            "How often an open incident is told again until somebody acknowledges it.",
            timedelta(days=1),
        ),
        "quiet_hours": Key(
            kinds.HOURS, "Local time in which all that can wait is held back. Empty: none.", ""
        ),
        "notice_above": Key(
            kinds.AMOUNT,
            "USD; smaller restated history, unexplained losses and new models stay silent.",
            NOTICE_ABOVE,
        ),
        "spike_above": Key(
            kinds.FLOOR,
            "USD that a day has to cost over the usual to be told.",
            _DEFAULTS.spike_above,
        ),
        "level_above": Key(
            kinds.FLOOR,
            "USD that a week has to cost over the usual to be told.",
            _DEFAULTS.level_above,
        ),
        "drift_above": Key(
            kinds.FLOOR,
            "USD a week that traffic moved to a dearer model or host has to cost to be told.",
            _DEFAULTS.drift_above,
        ),
        "byok_free_volume": Key(
            kinds.AMOUNT,
            "USD a month under your own upstream keys that OpenRouter takes no fee of.",
            BYOK_FREE,
        ),
        "webhook_url": Key(
            kinds.HOOK,
            "Gets every change of an incident as a JSON POST, over HTTPS. As secret as a token. "
            "Empty: off.",
            "",
        ),
        "heartbeat_url": Key(
            kinds.HOOK,
            "Is fetched while all is well, so that an outside watchdog notices silence. As secret as "
            "a token. Empty: off.",
            "",
        ),
    },
)
_ROUTE: Final = Table(
    "Sends matching messages elsewhere; the first route that matches counts.",
    {
        "to": Key(kinds.PLACE, "Where to: a channel, or a member for a direct message."),
        "kind": Key(
            one_of("alert", "digest", "monthly"),
            "Messages of this kind. Left out: every kind.",
            None,
        ),
        "rule": Key(one_of(*RULE_NAMES), "Alerts of this rule alone.", None),
        "account": Key(kinds.ACCOUNT, "Alerts of this account alone.", None),
    },
    many=True,
)
_BACKUP: Final = Table(
    "Daily copies of database and vault, each verified after it was made.",
    {
        "keep": Key(kinds.COPIES, "How many are kept, the newest. 0: none are made.", 7),
        "folder": Key(
            kinds.PATH,
            "Where they are kept, seen from the state directory. Empty: `backups` in it.",
            "",
        ),
    },
)
_HTTP: Final = Table(
    "A small HTTP server for monitoring: `/healthz`, `/readyz` and `/metrics`.",
    {"listen": Key(kinds.LISTEN, "Where it listens. Empty: off.", "")},
)

TOP: Final = Table(
    "Keys above the first table.",
    {
        "timezone": Key(
            kinds.TIMEZONE,
            "For digest times, quiet hours and how moments are shown. Days of spend are always UTC days.",
            kinds.utc(),
        ),
        "state_dir": Key(
            kinds.PATH,
            "The folder of database, vault, lock and control socket, made with mode 0700. Empty: "
            "`$XDG_STATE_HOME/costcompass`, or `~/.local/state/costcompass`.",
            "",
        ),
    },
    {
        "vault": _VAULT,
        "account": _ACCOUNT,
        "refresh": _REFRESH,
        "slack": _SLACK,
        "digest": _DIGEST,
        "alerts": _ALERTS,
        "route": _ROUTE,
        "subscription": SUBSCRIPTION,
        "currency": CURRENCY,
        "rate": RATE,
        "budget": BUDGET,
        "backup": _BACKUP,
        "http": _HTTP,
    },
)
"""The whole file, as the public contract lists it."""
