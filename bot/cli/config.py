"""`config show`: what holds, and where each value is from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import click

from bot import words
from bot.cli.base import Context, json_option, print_json
from bot.config import variable_for
from bot.config_keys import TOP
from bot.config_settings import KEYS, fitting, written
from bot.config_tables import Table
from bot.terminal.paint import WIDTH, wrapped
from bot.terminal.shapes import moment_shape
from costcompass_core.domain.settings import Setting, SettingChange
from costcompass_core.storage.settings import setting_changes, settings
from costcompass_core.storage.store import open_reader

_CHANGES: Final = 10
"""Changes that are listed."""
_URLS: Final = frozenset({"alerts.webhook_url", "alerts.heartbeat_url"})
"""Keys whose addresses let whoever knows them post there."""


class _Shown(NamedTuple):
    """A key's path, its value as the file would have it, and where that is from."""

    key: str
    value: str
    source: str
    by: str = ""
    at: datetime | None = None


@click.group("config")
def config_command() -> None:
    """Show the configuration that holds."""


@config_command.command("show")
@json_option
@click.pass_obj
def show_command(context: Context, as_json: bool) -> None:
    """Show every key, its value and its source: file, environment, changed in Slack, or default."""
    config = context.config
    kept, changes = _stored(context)
    fit, _ = fitting(config, {key: one.value for key, one in kept.items()})
    wrong = kept.keys() - fit.keys()
    every = [
        _overridden(one, kept.get(one.key), one.key in wrong) for one in _keys(TOP, config.tree, "")
    ]
    if as_json:
        print_json({
            "path": str(config.path),
            "keys": [
                {**one._asdict(), "by": one.by or None, "at": moment_shape(one.at)} for one in every
            ],
            "changes": [_change_shape(one) for one in changes],
        })  # fmt: skip
        return
    click.echo(f"{config.path}\n")
    for one in every:
        click.echo(_line(one, config.timezone))
    if changes:
        click.echo("\nChanged in Slack, the newest first:")
        for change in changes:
            told = (
                f"{words.moment(change.at, config.timezone)}  {change.key}: {_told(change.before)}"
            )
            click.echo(wrapped(f"{told} → {_told(change.after)}, by {words.clean(change.by)}"))


def _stored(context: Context) -> tuple[dict[str, Setting], list[SettingChange]]:
    """Return what was changed in Slack; nothing where nothing was stored yet."""
    config = context.config
    store = open_reader(config.state_dir, config.backup.folder)
    if store is None:
        return {}, []
    with store.reading() as tx:
        return settings(tx), setting_changes(tx, _CHANGES)


def _keys(table: Table, merged: Any, path: str) -> Iterator[_Shown]:
    """Yield every key below `path`; lists of tables as far as they are there."""
    for name, key in table.keys.items():
        where = f"{path}.{name}" if path else name
        if isinstance(merged, Mapping) and name in merged:
            variable = variable_for(where)
            source = f"environment variable {variable}" if variable in os.environ else "file"
            yield _Shown(where, _safe(where, merged[name]), source)
        elif not table.many:
            yield _Shown(where, _safe(where, key.default), "default")
    for name, below in table.tables.items():
        where = f"{path}.{name}" if path else name
        some = merged.get(name) if isinstance(merged, Mapping) else None
        if not below.many:
            if some is not None or not below.optional:
                yield from _keys(below, some or {}, where)
            continue
        for place, one in enumerate(some or ()):  # whose defaults are not listed
            yield from _keys(below, one, f"{where}[{place}]")


def _overridden(one: _Shown, setting: Setting | None, wrong: bool) -> _Shown:
    if setting is None or one.key not in KEYS:
        return one
    if wrong:
        return one._replace(
            source=f"{one.source}; {setting.value} from Slack does not fit any more"
        )
    value = setting.value if setting.value.startswith("[") else f'"{setting.value}"'
    return _Shown(one.key, value, "Slack", setting.by, setting.at)


def _safe(key: str, value: Any) -> str:
    if key in _URLS and value:
        parts = urlsplit(str(value))
        return f'"{parts.scheme}://{parts.hostname}/…"'
    return written(value)


def _line(one: _Shown, zone: tzinfo) -> str:
    source = one.source
    if one.at is not None:
        source = f"changed in Slack by {words.clean(one.by)} on {words.moment(one.at, zone)}"
    told = f"{one.key} = {one.value}   # {source}"
    return told if len(told) <= WIDTH else wrapped(told, "")


def _told(value: str | None) -> str:
    return "as in the file" if value is None else value or '""'


def _change_shape(one: SettingChange) -> dict[str, Any]:
    return {
        "key": one.key,
        "before": one.before,
        "after": one.after,
        "by": one.by,
        "at": moment_shape(one.at),
    }
