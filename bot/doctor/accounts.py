"""The part of `costcompass doctor` that goes to the providers, or looks into folders of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Final

from bot.doctor.finding import ClockReading, Finding, Told, bad
from bot.logs import hide
from bot.refreshing import connected
from bot.words import plural
from costcompass_core.domain.accounts import Account
from costcompass_core.domain.errors import CostCompassError, KeyRejected, WrongKeyType
from costcompass_core.providers.base import Provider
from costcompass_core.providers.folder import files_in
from costcompass_core.providers.http import Limits, certificates
from costcompass_core.providers.reach import require_reachable
from costcompass_core.providers.registry import PROVIDERS
from costcompass_core.vault.file import Vault

_LIMITS: Final = Limits(deadline=8.0, attempts=1)
"""Whether a provider answers now is all that is asked: who waits at a terminal wants no retries."""


def examine_account(
    account: Account, vault: Vault | None, now: Callable[[], datetime]
) -> Iterator[Told]:
    """Check one account's key with its provider, or its folder, and read the provider's clock.

    Without a `vault` only the way to the provider is checked.
    """
    provider = PROVIDERS[account.provider]
    if provider.read_file is not None:
        yield _folder(account)
        return
    check = f"key {account.name}"
    try:
        if vault is not None:
            provider.check_form(hide(vault.reveal(account.secret_name)))
        require_reachable(account.base_url, certificates)
        if vault is None:
            found = f"{account.base_url} can be reached; the key is in the vault"
            yield Finding(check, "warn", found, "open the vault first")
            return
        yield from _asked(account, provider, vault, now)
    except KeyRejected as error:
        yield _rejected(check, account, provider, error)
    except CostCompassError as error:
        mend = (
            error.mend or f"the trouble is {provider.title}'s: what was read stays; ask again later"
        )
        yield Finding(check, "bad", error.what, mend, error.exit_code)


def _asked(
    account: Account, provider: Provider, vault: Vault, now: Callable[[], datetime]
) -> Iterator[Told]:
    """Ask the provider what the key is. Raises what the provider's functions do."""
    key = vault.reveal(account.secret_name)
    with connected(account, key, Event().wait, now, _LIMITS) as source:
        kind = provider.identify(source.client)
        ours, theirs = now(), source.client.server_time
        if theirs is not None:
            yield ClockReading(provider.title, theirs, ours)
        provider.require_type(kind)
    found = f"{kind.value} key, accepted by {account.base_url}"
    yield Finding(f"key {account.name}", "ok", found)


def _rejected(check: str, account: Account, provider: Provider, error: KeyRejected) -> Finding:
    """Name the entry of the vault, and for a key that nobody knows where to get another."""
    store = f"costcompass vault add {account.secret_name}"
    if isinstance(error, WrongKeyType):
        return Finding(check, "bad", error.what, f"{error.mend}; then {store}", error.exit_code)
    make_one = provider.key_words.partition(": ")[2] or provider.key_words
    mend = f"it was revoked or mistyped: {make_one}; then {store}"
    return Finding(check, "bad", error.what, mend, error.exit_code)


def _folder(account: Account) -> Finding:
    """Check that an account's folder can be read and has something in it."""
    folder = Path(account.options["folder"]).expanduser()
    check = f"folder {account.name}"
    try:
        files = files_in(folder)
    except CostCompassError as error:
        return bad(check, error)
    if not files:
        mend = "put CSV or Parquet files of costs into it"
        return Finding(check, "warn", f"{folder} holds no files", mend)
    return Finding(check, "ok", f"{folder}, {plural(len(files), 'file')}")
