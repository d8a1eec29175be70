"""TOML and environment to frozen values, with every mistake told at once.

Nothing below here sees TOML. Keys, kinds and defaults stand in `bot.config_keys`; this module finds
the file, overlays the environment, and makes the values that the daemon uses.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.config_alerts import Alerts, alerts_from
from bot.config_checks import check_across
from bot.config_keys import TOP
from bot.config_tables import Mistake, Table
from costcompass_core.domain.accounts import Account, account_name
from costcompass_core.domain.errors import ConfigError
from costcompass_core.domain.rates import CONFIGURATION, Rate
from costcompass_core.domain.subscriptions import Change, Subscription
from costcompass_core.providers.registry import PROVIDERS

PREFIX: Final = "COSTCOMPASS_"
_NO_SETTINGS: Final[Mapping[str, str]] = {}
NOT_KEYS: Final = frozenset(
    {"COSTCOMPASS_CONFIG", "COSTCOMPASS_VAULT_PASSPHRASE", "COSTCOMPASS_VAULT_PASSPHRASE_FILE"}
)
"""Variables with our prefix that stand for no configuration key."""


@dataclass(frozen=True, slots=True)
class Slack:
    """Where Slack is, who may use the bot there, and where answers may be shown to everybody."""

    channel: str
    allowed_users: frozenset[str]
    share_in: frozenset[str]
    api_url: str


@dataclass(frozen=True, slots=True)
class Money:
    """The currency that people think in, and where the worth of others is from.

    `rates` say how many units of `home` one unit of another currency is worth.
    """

    home: str = "USD"
    ecb_file: str = ""
    rates: tuple[Rate, ...] = ()


@dataclass(frozen=True, slots=True)
class Backup:
    """How many daily copies are kept, 0 for none, and in which folder."""

    keep: int
    folder: Path


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration, valid, defaults filled in."""

    path: Path | None
    timezone: ZoneInfo
    state_dir: Path
    passphrase_file: str
    accounts: tuple[Account, ...]
    balance_every: timedelta
    activity_every: timedelta
    slack: Slack
    subscriptions: tuple[Subscription, ...]
    alerts: Alerts
    backup: Backup
    http_listen: str = ""
    """`HOST:PORT` of /healthz, /readyz and /metrics; empty for off."""
    money: Money = Money()
    tree: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The file with the environment laid over it, as it was read."""
    digest: str = ""
    """SHA-256 of the file as it was read, by which another process knows whether it has changed."""


class ConfigMistakes(ConfigError):
    """Everything that is wrong with a configuration, one line each in `lines`."""

    def __init__(self, where: str, mistakes: list[Mistake]) -> None:
        """Tell `mistakes` found in the file `where`."""
        self.mistakes = mistakes
        self.lines = [ConfigError(f"{where}: {one}").what for one in mistakes]
        super().__init__("; ".join(self.lines))


def find_config(option: Path | None, environ: Mapping[str, str]) -> Path | None:
    """Return the file to load: the option, the variable, or the first of the usual places."""
    if option is not None:
        return option
    if named := environ.get(f"{PREFIX}CONFIG"):
        return Path(named)
    # `Path.is_file` would raise for a folder of somebody else's, such as root's /etc/costcompass.
    return next((path for path in usual_places(environ) if os.path.isfile(path)), None)  # noqa: PTH113 - see above


def usual_places(environ: Mapping[str, str]) -> list[Path]:
    """Return where a configuration is looked for when none is named, in order."""
    home = Path(environ.get("HOME") or "/")
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    return [
        Path("config.toml"),
        user / "costcompass" / "config.toml",
        Path("/etc/costcompass/config.toml"),
    ]


def load_config(option: Path | None, environ: Mapping[str, str] = os.environ) -> Config:
    """Find, read, check and return the configuration.

    Raises `ConfigError` for a file that is missing or no TOML, `ConfigMistakes` with every unknown
    key, wrong type and bad value at once.
    """
    path, tree, digest = _read_file(option, environ)
    return replace(parse_config(tree, environ, path), digest=digest)


def _read_file(option: Path | None, environ: Mapping[str, str]) -> tuple[Path, dict[str, Any], str]:
    """Find and decode the file. Raises `ConfigError` where there is none, or it is no TOML."""
    path = find_config(option, environ)
    if path is None:
        raise ConfigError(
            f"there is no configuration ({', '.join(map(str, usual_places(environ)))})",
            "run `costcompass init`, or copy config.example.toml to one of these places",
        )
    try:
        content = path.read_bytes()
        tree = tomllib.loads(content.decode(), parse_float=Decimal)
        return path, tree, sha256(content).hexdigest()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read ({error.strerror})", "check --config or $COSTCOMPASS_CONFIG"
        ) from None
    except (ValueError, RecursionError) as error:  # bad syntax, no UTF-8, endless digits or nesting
        raise ConfigError(f"{path} is not TOML ({error})", "mend that line") from None


def parse_config(
    tree: Mapping[str, Any],
    environ: Mapping[str, str],
    path: Path | None = None,
    settings: Mapping[str, str] = _NO_SETTINGS,
) -> Config:
    """Check a decoded configuration with the environment, then `settings`, laid over it.

    `settings` are by the key's path, each as a variable would have it. Raises `ConfigMistakes`.
    """
    mistakes: list[Mistake] = []
    tree = overlay(tree, environ, TOP, mistakes)
    for name, content in settings.items():
        steps = name.split(".")
        if kind := TOP.kind_at(steps):
            _put(tree, steps, kind.from_text(content), name, mistakes)
    raw = TOP.read(tree, "", mistakes)
    check_across(raw, mistakes)
    if mistakes:
        raise ConfigMistakes(str(path or "configuration"), mistakes)
    state_dir = state_dir_from(raw["state_dir"], environ)
    return Config(
        path=path,
        timezone=raw["timezone"],
        state_dir=state_dir,
        passphrase_file=raw["vault"]["passphrase_file"],
        accounts=tuple(_account(one) for one in raw["account"]),
        balance_every=raw["refresh"]["balance"],
        activity_every=raw["refresh"]["activity"],
        slack=_slack(**raw["slack"]),
        subscriptions=tuple(
            Subscription(
                one["name"],
                one["amount"],
                one["per"],
                one["currency"],
                one["from"],
                one["until"],
                tuple(Change(each["from"], each["amount"]) for each in one["change"]),
            )
            for one in raw["subscription"]
        ),
        money=Money(
            raw["currency"]["home"],
            raw["currency"]["ecb_file"],
            tuple(
                Rate(one["currency"], one["worth"].ratio(), one["on"], CONFIGURATION)
                for one in raw["rate"]
            ),
        ),
        alerts=alerts_from(raw, raw["timezone"]),
        backup=Backup(raw["backup"]["keep"], _folder(raw["backup"]["folder"], state_dir, environ)),
        http_listen=raw["http"]["listen"],
        tree=tree,
    )


def _slack(
    channel: str, allowed_users: Iterable[str], share_in: Iterable[str], api_url: str
) -> Slack:
    """Return who may do what where; the channel of the digests is open to answers as well."""
    open_to = frozenset({*share_in, channel} - {""})
    return Slack(channel, frozenset(allowed_users), open_to, api_url)


def _account(raw: Mapping[str, Any]) -> Account:
    provider = PROVIDERS[raw["provider"]]
    options = {one.name: raw[one.name] for one in provider.options if raw[one.name]}
    name = account_name(provider.name, raw["name"])
    return Account(name, provider.name, raw["base_url"] or provider.base_url, options)


def state_dir_from(text: str, environ: Mapping[str, str]) -> Path:
    """Return the state directory that `text` names, the usual one where it is empty."""
    if not text:
        home = Path(environ.get("HOME") or "/")
        return Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state") / "costcompass"
    return _at_home(text, environ)


def _folder(text: str, state_dir: Path, environ: Mapping[str, str]) -> Path:
    """Return the folder of the backups: `text`, seen from the state directory."""
    return state_dir / _at_home(text or "backups", environ)


def _at_home(text: str, environ: Mapping[str, str]) -> Path:
    home = Path(environ.get("HOME") or "/")
    return home / text[2:] if text.startswith("~/") else Path(text)


def overlay(
    tree: Mapping[str, Any], environ: Mapping[str, str], top: Table, mistakes: list[Mistake]
) -> dict[str, Any]:
    """Return `tree` with `COSTCOMPASS_SECTION__KEY` variables laid over it.

    A list of tables is addressed by position: `COSTCOMPASS_ACCOUNT__0__BASE_URL`.
    """
    result: dict[str, Any] = _copied(tree)
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in NOT_KEYS:
            continue
        path = variable.removeprefix(PREFIX).lower().split("__")
        kind = top.kind_at(path)
        if kind is None:
            near = top.nearest(path)
            mistakes.append(Mistake(f"${variable}", "stands for no key", near))
            continue
        _put(result, path, kind.from_text(environ[variable]), variable, mistakes)
    return result


def variable_for(key: str) -> str:
    """Return the name of the variable that stands for a key, `account[0].name` for one."""
    name = key.replace("[", ".").replace("]", "").replace(".", "__").upper()
    return f"{PREFIX}{name}"


def _copied(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {key: _copied(value) for key, value in node.items()}
    return [_copied(one) for one in node] if isinstance(node, list) else node


def _put(node: Any, path: list[str], value: object, variable: str, mistakes: list[Mistake]) -> None:
    """Set `value` at `path`, making the tables on the way."""
    for step, following in pairwise(path):
        fresh: Any = [] if following.isdecimal() else {}
        if isinstance(node, list) and step.isdecimal():
            place = int(step)
            if place > len(node):
                mistakes.append(Mistake(f"${variable}", "skips a position", "count from 0"))
                return
            if place == len(node):
                node.append({})
            node = node[place]
        elif isinstance(node, dict):
            node = node.setdefault(step, fresh)
        else:
            break
    if isinstance(node, dict):
        node[path[-1]] = value
    else:
        mistakes.append(Mistake(f"${variable}", "has no place to go", "mend the file first"))
