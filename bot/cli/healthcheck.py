"""`healthcheck`: whether the daemon is well, for containers and scripts; asks and leaves, quickly."""

from __future__ import annotations

import json
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import SplitResult, urlsplit

import click

from bot.cli.base import Context
from bot.words import clean
from costcompass_core.domain.errors import CostCompassError, UsageError

_PATIENCE: Final = 5.0
"""Seconds; Docker's own patience with a check is 30 s."""
_LONGEST: Final = 1 << 16
"""Bytes of an answer that are read."""
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}  # noqa: S104 - asked for, not listened on


class Unhealthy(CostCompassError):
    """The daemon is not well, or not there (exit 1)."""


@click.command("healthcheck")
@click.option("--url", metavar="URL", help="Ask this page, such as http://127.0.0.1:9464/readyz.")
@click.pass_obj
def healthcheck_command(context: Context, url: str | None) -> None:
    """Ask the running daemon whether it is well: exit 0 if so, else 1.

    Asks /healthz where [http] listen is set, else the control socket.
    """
    url = url or _own_page(context)
    if url is not None:
        click.echo(f"healthy: {url} says {_said(url)}")
        return
    from bot.control import ask  # noqa: PLC0415 - not needed for a URL

    status = ask(context.config.state_dir, {"do": "status"}, patience=_PATIENCE)
    click.echo(f"healthy: process {status['pid']}, vault {status['vault']}")


def _own_page(context: Context) -> str | None:
    """Return the address of the daemon's own /healthz, `None` where it has no HTTP server."""
    host, _, port = context.config.http_listen.rpartition(":")
    return f"http://{_EVERYWHERE.get(host, host)}:{port}/healthz" if host else None


def _said(url: str) -> str:
    """Return what a page says in one line. Raises `Unhealthy` unless it is a 200."""
    parts = _checked(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=_PATIENCE)
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        text = response.read(_LONGEST).decode(errors="replace")
    except (OSError, HTTPException) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise Unhealthy(f"{url} does not answer ({why})", "is the daemon running?") from None
    finally:
        connection.close()
    if response.status != 200:
        raise Unhealthy(f"{url} answers {response.status}: {_why(text)}")
    return _why(text)


def _checked(url: str) -> SplitResult:
    with suppress(ValueError):
        parts = urlsplit(url)
        _ = parts.port  # raises for one that is none
        if parts.scheme == "http" and parts.hostname:
            return parts
    raise UsageError(f"{clean(url)} can't be asked", "use http://HOST:PORT/healthz")


def _why(text: str) -> str:
    """Return what a page says, of /readyz only what is wrong."""
    try:
        checks = json.loads(text)["checks"]
        wrong = [
            f"{one['check']} {one.get('account', '')}".strip() + f": {one['reason']}"
            for one in checks
            if not one["ok"]
        ]
    except (ValueError, TypeError, KeyError):
        return clean(text, 200)
    return "; ".join(wrong) or "ready"
