"""What people may change while the daemon runs: its keys, and how they lie over the configuration.

A setting is kept as an environment variable would have it, so that the file, the environment and
Slack are checked by the very same readers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from bot.config import Config, ConfigMistakes, parse_config
from bot.config_alerts import WEEKDAYS
from bot.config_tables import Mistake
from costcompass_core.domain.money import Usd, plain

KEYS: Final = (
    "digest.time",
    "digest.weekdays",
    "alerts.balance_below",
    "alerts.runway_below_days",
    "alerts.repeat_every",
    "alerts.quiet_hours",
)
"""Every key that can be changed; none of them could hold a secret."""
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "m"), (1, "s"))


def with_settings(config: Config, settings: Mapping[str, str]) -> Config:
    """Return the configuration with `settings` laid over it. Raises `ConfigMistakes`."""
    known = {key: value for key, value in settings.items() if key in KEYS}
    if not known:
        return config
    changed = parse_config(config.tree, {}, config.path, known)
    return replace(config, alerts=changed.alerts)


def fitting(config: Config, settings: Mapping[str, str]) -> tuple[dict[str, str], list[Mistake]]:
    """Return the settings that fit, and what is wrong with those that do not (any more)."""
    try:
        with_settings(config, settings)
    except ConfigMistakes as error:
        wrong = {one for one in settings if any(_is_at(found, one) for found in error.mistakes)}
        return {key: one for key, one in settings.items() if key not in wrong}, error.mistakes
    return dict(settings), []


def with_good_settings(config: Config, settings: Mapping[str, str]) -> tuple[Config, list[Mistake]]:
    """Return the configuration with the settings that fit, and what is wrong with the others."""
    good, wrong = fitting(config, settings)
    return with_settings(config, good), wrong


def by_key(error: ConfigMistakes) -> dict[str, str]:
    """Return what is wrong with each key that can be changed, in words for people."""
    found: dict[str, str] = {}
    for mistake in error.mistakes:
        key = next((one for one in KEYS if _is_at(mistake, one)), "")
        place = mistake.path.removeprefix(key)
        told = f"{place} {mistake.what}".strip() if place else mistake.what
        found.setdefault(key, f"{told[:1].upper()}{told[1:]}.")
    return found


def _is_at(mistake: Mistake, key: str) -> bool:
    return mistake.path == key or mistake.path.startswith(f"{key}[")


def texts(config: Config) -> dict[str, str]:
    """Return the value in force of every key that can be changed, as a setting has it."""
    alerts = config.alerts
    quiet = alerts.desk.quiet
    days = [f'"{name}"' for place, name in enumerate(WEEKDAYS) if place in alerts.digest.weekdays]
    told = (
        f"{alerts.digest.time:%H:%M}" if alerts.digest.time else "",
        f"[{', '.join(days)}]",
        f"[{', '.join(one.text() for one in alerts.limits.balance_below)}]",
        f"[{', '.join(plain(one) for one in alerts.limits.runway_below)}]",
        duration(alerts.repeat_every),
        f"{quiet.start:%H:%M}-{quiet.end:%H:%M}" if quiet else "",
    )
    return dict(zip(KEYS, told, strict=True))


def duration(span: timedelta) -> str:
    """Return a duration as the configuration has it: `36h`."""
    seconds = int(span.total_seconds())
    size, unit = next(one for one in _UNITS if seconds % one[0] == 0)
    return f"{seconds // size}{unit}"


def written(value: Any) -> str:  # noqa: PLR0911 - one a kind of value
    """Return a value of any key as the file would have it."""
    match value:
        case None:
            return '""'
        case bool():
            return str(value).lower()
        case str():
            return f'"{value}"'
        case Usd():
            return value.text()
        case timedelta():
            return f'"{duration(value)}"'
        case time():
            return f'"{value:%H:%M}"'
        case ZoneInfo():
            return f'"{value.key}"'
        case list() | tuple():
            return f"[{', '.join(written(one) for one in value)}]"
    return str(value)
