"""`doctor`: everything a first run needs, one line each, with the mend."""

from __future__ import annotations

import click

from bot.cli.base import Context, json_option, now, paint, passphrase_fd_option, print_json


@click.command("doctor")
@json_option
@passphrase_fd_option
@click.pass_obj
def doctor_command(context: Context, as_json: bool, passphrase_fd: int | None) -> int:
    """Check configuration, vault, keys, provider, Slack, database and clock."""
    from bot.doctor.examine import examine  # noqa: PLC0415 - it loads everything there is to check

    findings = examine(
        lambda: context.config,
        lambda: context.open_vault(passphrase_fd),
        now,
    )
    if as_json:
        print_json({"checks": [one.shape() for one in findings]})
    else:
        color = paint()
        marks = {
            "ok": color("ok  ", "green"),
            "warn": color("warn", "yellow"),
            "bad": color("BAD ", "red"),
        }
        width = max(len(one.check) for one in findings)
        for one in findings:
            mend = f": {one.mend}" if one.mend else ""
            click.echo(f"{marks[one.state]}  {one.check:<{width}}  {one.found}{mend}")
    return max(one.exit_code for one in findings)
