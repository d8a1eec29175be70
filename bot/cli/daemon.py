"""`run`: the daemon, from its first instant to its exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import TYPE_CHECKING

import click

from bot.cli.base import Context, passphrase_fd_option
from bot.process import harden, share_memory, stay
from costcompass_core.domain.secret import Secret
from costcompass_core.storage.lock import holding
from costcompass_core.vault.file import Vault, unlock

if TYPE_CHECKING:
    from bot.daemon import Daemon


@click.command("run")
@passphrase_fd_option
@click.pass_obj
def run_command(context: Context, passphrase_fd: int | None) -> None:
    """Run the daemon until SIGTERM or Ctrl-C; SIGHUP has it read its configuration again."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    harden()
    share_memory()
    config = context.config
    with holding(config.state_dir):
        passphrase = context.find_passphrase(passphrase_fd)
        running = _heed_signals()
        thread = ThreadPoolExecutor(1, "vault")
        vault = thread.submit(_unlocked, context, passphrase)
        thread.shutdown(wait=False)
        from bot.daemon import Daemon  # noqa: PLC0415 - takes as long as deriving the key meanwhile

        daemon = Daemon(config, vault.result, load=context.load_config)
        running.append(daemon)
        stay()
        daemon.run()
    logging.shutdown()
    sys.stdout.flush()
    # A request in flight may hold its thread for another half minute; everything it could still
    # do has been rolled back or refused by now.
    os._exit(0)


def _heed_signals() -> list[Daemon]:
    """Return where to put the daemon that signals are for; while it is empty, they end us.

    They are waited for in a thread, because a handler can come too late or deadlock: it runs in the
    main thread, which is about to wait, or just holds the lock of what the handler would set.
    """
    running: list[Daemon] = []
    signals = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)  # in every thread to come as well

    def heed() -> None:
        while True:
            if signal.sigwait(signals) == signal.SIGHUP:
                for daemon in running:  # before there is one, the configuration was just read
                    daemon.reload()
            elif running:
                running[0].stop()
            else:
                os._exit(0)

    Thread(target=heed, name="signals", daemon=True).start()
    return running


def _unlocked(context: Context, passphrase: Secret | None) -> Vault | None:
    return None if passphrase is None else unlock(context.vault_path, passphrase)
