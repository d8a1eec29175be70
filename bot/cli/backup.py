"""`backup`, `restore`: a verified copy of database and vault, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import words
from bot.cli.base import Context, now

if TYPE_CHECKING:
    from costcompass_core.domain.backups import Manifest


@click.command("backup")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def backup_command(context: Context, path: Path) -> None:
    """Copy database and vault to the new folder PATH, and verify the copy.

    The daemon may go on running. The vault stays sealed: keep its passphrase somewhere else, for
    without it the copy's keys cannot be read. The configuration is not part of it.
    """
    from costcompass_core.usecases.backup import make_backup  # noqa: PLC0415 - a moment

    made = make_backup(context.reader(), path, now())
    click.echo(f"backed up to {path}: {_told(made)}, verified")


@click.command("restore")
@click.argument("path", type=click.Path(path_type=Path))
@click.pass_obj
def restore_command(context: Context, path: Path) -> None:
    """Put the backup in the folder PATH in place of database and vault.

    Stop the daemon first. Nothing is touched unless all of the backup is good; what it replaces is
    kept in the state directory. A backup without a vault leaves the vault as it is.
    """
    from costcompass_core.storage.lock import holding  # noqa: PLC0415 - a moment
    from costcompass_core.usecases.restore import restore_backup  # noqa: PLC0415

    state_dir = context.config.state_dir
    with holding(state_dir):
        done = restore_backup(state_dir, path, now())
    zone = context.config.timezone
    stays = not done.manifest.has_vault and context.vault_path.exists()
    click.echo(f"restored {_told(done.manifest)}{': the present one stays' if stays else ''}")
    click.echo(f"as of {words.moment(done.manifest.created_at, zone)}, from {path}")
    if done.replaced is not None:
        click.echo(f"what was there before is in {done.replaced}")
    click.echo("start the daemon with `costcompass run`")


def _told(manifest: Manifest) -> str:
    """Return what is in a backup, in one line."""
    rows = words.plural(manifest.content.rows.get("cost", 0), "row")
    newest = manifest.content.newest_day
    through = f"through {newest}" if newest else "no day read yet"
    vault = " and vault" if manifest.has_vault else ", no vault"
    return f"database ({rows} of cost, {through}){vault}"
