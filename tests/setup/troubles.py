"""Troubles that docs/troubleshooting.md tells of, each made for real on an installation of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from install import Install, eventually

from bot.sandbox import faults
from bot.sandbox.openrouter import OpenRouter
from bot.sandbox.openrouter_account import StandInAccount
from bot.sandbox.slack import Slack
from bot.sandbox.slack_faults import hang_up, refusal
from bot.sandbox.slack_people import CHANNEL
from costcompass_core.storage.store import FILE_NAME, open_store


@dataclass
class World:
    """One installation with its stand-ins; the provider's clock is `off`."""

    install: Install
    openrouter: OpenRouter
    slack: Slack
    stack: ExitStack
    off: timedelta = timedelta(0)
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> str:
        """What the daemon wrote."""
        path = self.install.folder / "daemon.log"
        return path.read_text() if path.exists() else ""

    def daemon(self) -> None:
        """Run the daemon until the end of the test."""
        self.stack.enter_context(self.install.daemon(environ=self.environ))

    def keep(self, **changed: str) -> None:
        """Store the right secrets, but for those that are changed, or left out where empty."""
        right = {
            "openrouter__main": self.openrouter.accounts[0].management_key.secret,
            "slack__bot_token": self.slack.bot_token,
            "slack__app_token": self.slack.app_token,
        }
        self.install.keep(**{name: one for name, one in (right | changed).items() if one})

    def add(self, toml: str) -> None:
        """Write `toml` behind the configuration."""
        self.install.config.write_text(self.install.config.read_text() + toml)


Trouble = Callable[[World], None]
TROUBLES: dict[str, Trouble] = {}


def trouble(made: Trouble) -> Trouble:
    """Enter a trouble under its name in the page."""
    TROUBLES[made.__name__.replace("_", "-")] = made
    return made


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """A good installation, before the trouble."""

    def now() -> datetime:
        return datetime.now(UTC) + here.off

    account = StandInAccount()
    account.spend("1.25", datetime.now(UTC).date() - timedelta(days=1))
    with ExitStack() as stack:
        here = World(Install(folder), None, None, stack)  # type: ignore[arg-type]
        here.openrouter = stack.enter_context(OpenRouter(now, [account]))
        here.slack = stack.enter_context(Slack(lambda: datetime.now(UTC)))
        here.install.configure(here.openrouter, here.slack)
        here.keep()
        yield here


@trouble
def not_running(_: World) -> None:
    """Nobody started it."""


@trouble
def running(here: World) -> None:
    here.daemon()
    assert eventually(lambda: "Connected to Slack" in here.log and "refreshed" in here.log)


@trouble
def slack_refuses(here: World) -> None:
    here.slack.faults.plan("auth.test", refusal("token_revoked"), times=None)
    here.daemon()
    assert eventually(lambda: "will not have us" in here.log)


@trouble
def tokens_swapped(here: World) -> None:
    here.keep(slack__bot_token=here.slack.app_token, slack__app_token=here.slack.bot_token)


@trouble
def user_token(here: World) -> None:
    here.keep(slack__bot_token="xoxp-1-made-up")


@trouble
def scopes_missing(here: World) -> None:
    poor = Slack(lambda: datetime.now(UTC), scopes=("commands",), app_scopes=())
    here.slack = here.stack.enter_context(poor)
    here.install.configure(here.openrouter, poor)
    here.keep()


@trouble
def stranger_asks(here: World) -> None:
    running(here)
    here.slack.user.command("/spend", user_id="U0STRANGER1")
    assert eventually(lambda: "Refused Slack user" in here.log)


@trouble
def not_in_channel(here: World) -> None:
    here.slack.membership(CHANNEL, False)


@trouble
def message_refused(here: World) -> None:
    here.add('[digest]\ntime = ""\n')  # its time may be now, and it would wait as well
    here.slack.membership(CHANNEL, False)
    here.daemon()
    assert eventually(lambda: "parked" in str(here.install.run("status").stdout))


@trouble
def nobody_allowed(here: World) -> None:
    here.install.environ["COSTCOMPASS_SLACK__ALLOWED_USERS"] = "[]"


@trouble
def inference_key(here: World) -> None:
    here.keep(openrouter__main=here.openrouter.accounts[0].inference_keys[0].secret)


@trouble
def key_revoked(here: World) -> None:
    here.openrouter.accounts[0].management_key.revoked = True
    here.daemon()
    assert eventually(lambda: "rejected the key" in here.log)


@trouble
def provider_down(here: World) -> None:
    here.openrouter.faults.add("/", faults.status(502), times=None)


@trouble
def locked(here: World) -> None:
    here.install.configure(here.openrouter, here.slack, passphrase_file=False)
    here.daemon()
    assert eventually(lambda: "will not have us: the vault is locked" in here.log)


@trouble
def wrong_passphrase(here: World) -> None:
    here.install.passphrase.write_text("something else\n")


@trouble
def readable_vault(here: World) -> None:
    here.install.vault.chmod(0o644)


@trouble
def damaged(here: World) -> None:
    open_store(here.install.state).close()
    with (here.install.state / FILE_NAME).open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096)


@trouble
def not_a_database(here: World) -> None:
    (here.install.state / FILE_NAME).write_bytes(b"no database at all" * 400)


@trouble
def newer_database(here: World) -> None:
    store = open_store(here.install.state)
    with closing(store), store.writing() as tx:
        tx.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('costcompass', 'm9999_future', '')"
        )


@trouble
def hangs(here: World) -> None:
    running(here)
    number = int((here.install.state / "lock").read_text())
    os.kill(number, signal.SIGSTOP)
    here.stack.callback(os.kill, number, signal.SIGCONT)


@trouble
def second_daemon(here: World) -> None:
    running(here)
    (here.install.state / "lock").unlink()
    second = here.stack.enter_context(here.install.daemon(log="second.log"))
    # The first one answers for as long as the second has not taken the socket.
    assert eventually(lambda: second.status()["pid"] == second.process.pid)


@trouble
def slack_unreachable(here: World) -> None:
    here.slack.faults.plan("link", hang_up(), times=None)
    here.daemon()
    assert eventually(lambda: "WARNING slack.socket: Connecting" in here.log)


@trouble
def read_only(here: World) -> None:
    """A plain file where the folder should be refuses every write, also root's."""
    here.install.environ["COSTCOMPASS_STATE_DIR"] = str(here.install.config / "state")


@trouble
def disk_full(here: World) -> None:
    """A small disk of its own, filled to the last byte while the daemon runs."""
    state = here.install.state
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m,mode=700", "tmpfs", state]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a disk of its own")
    here.stack.callback(subprocess.run, ["umount", "-l", state], check=True)
    here.keep()
    running(here)
    with suppress(OSError), (state / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
    here.install.run("refresh")
    assert eventually(lambda: "database refuses" in here.install.run("status").stdout)


@trouble
def clock_off(here: World) -> None:
    here.off = timedelta(minutes=-7, seconds=-30)


@trouble
def port_taken(here: World) -> None:
    listener = here.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    here.install.environ["COSTCOMPASS_HTTP__LISTEN"] = "{}:{}".format(*listener.getsockname())


@trouble
def no_dns(here: World) -> None:
    here.add('[alerts]\nwebhook_url = "https://hooks.example.invalid/a"\n')


@trouble
def refused_on_the_way(here: World) -> None:
    here.openrouter.close()


@trouble
def bad_configuration(here: World) -> None:
    here.add('[digest]\ntime = "9 o\'clock"\n[alert]\nbalance_below = [25]\n')


@trouble
def not_reloaded(here: World) -> None:
    running(here)
    here.add('[digest]\ntime = "08:00"\n')


@trouble
def nothing_configured(here: World) -> None:
    here.install.config.unlink()
    del here.install.environ["COSTCOMPASS_CONFIG"]


@trouble
def no_vault(here: World) -> None:
    here.install.vault.unlink()


@trouble
def no_time_zones(here: World) -> None:
    shadow = here.install.folder / "tzdata"
    shadow.mkdir()
    (shadow / "__init__.py").touch()
    path = f"{here.install.folder}:{here.install.environ['PYTHONPATH']}"
    here.install.environ |= {"PYTHONTZPATH": "", "PYTHONPATH": path}
