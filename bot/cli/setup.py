"""`check-config`, `manifest`, `completion`: what is needed around the first start."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from bot.cli.base import Context
from bot.words import plural
from costcompass_core.domain.errors import UsageError


@click.command("check-config")
@click.pass_obj
def check_config_command(context: Context) -> None:
    """Load and validate the configuration."""
    config = context.config
    accounts = plural(len(config.accounts), "account")
    click.echo(f"{config.path}: good, {accounts}, state in {config.state_dir}")


@click.command("manifest")
@click.option("--format", "form", type=click.Choice(["yaml", "json"]), default="yaml")
def manifest_command(form: str) -> None:
    """Print the Slack app manifest, ready to paste."""
    from bot.slack.commands import COMMANDS  # noqa: PLC0415
    from bot.slack.manifest import as_json, as_yaml, manifest  # noqa: PLC0415

    write = as_json if form == "json" else as_yaml
    click.echo(write(manifest(COMMANDS)).rstrip("\n"))


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print a shell's completion script: `eval "$(costcompass completion bash)"`."""
    completer = get_completion_class(shell)
    if completer is None:
        raise UsageError(f"there is no completion for {shell}", "use bash, zsh or fish")
    root = ctx.find_root().command
    click.echo(completer(root, {}, "costcompass", "_COSTCOMPASS_COMPLETE").source())
