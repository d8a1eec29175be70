"""Read the files of costs in a folder: each once, again when it changed, and nothing twice.

A file is stored whole or not at all. One that cannot be read, or that would count a bill twice,
leaves what was stored before as it is and does not keep the others from being read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from costcompass_core.domain.accounts import Account
from costcompass_core.domain.bill import Bill, FileRead
from costcompass_core.domain.days import each_day
from costcompass_core.domain.errors import CostCompassError, UnreadableFile
from costcompass_core.domain.reread import growing
from costcompass_core.domain.usage import Usage
from costcompass_core.providers.base import Provider
from costcompass_core.providers.fields import clean
from costcompass_core.providers.focus import connected_name
from costcompass_core.providers.folder import FoundFile, files_in
from costcompass_core.storage import usage as usage_queries
from costcompass_core.storage.bills import (
    Filed,
    filed,
    forget_filed,
    found_in_files,
    is_left,
    note_filed,
    owner_of,
    rows_of,
    source_of,
    take_over,
)
from costcompass_core.storage.refreshes import note_success
from costcompass_core.storage.store import Store
from costcompass_core.usecases.source import Outcome, Progress
from costcompass_core.usecases.watch import Watch, look

_FINAL_AFTER: Final = timedelta(days=1)
"""How long before a file was made a day has to be over for its rows to be final."""


class FilesRefused(UnreadableFile):
    """Files of a folder that could not be stored, the first in full; the others of it were."""

    def __init__(self, errors: list[CostCompassError], outcome: Outcome) -> None:
        """Tell the first of `errors` and how many there are; keep what was stored all the same."""
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(f"{first.what}{more}", first.mend)
        self.outcome = outcome


class _Folder(NamedTuple):
    """A folder's account, how its files are read, and the accounts that are read by key."""

    account: Account
    read_file: Callable[[Path], FileRead]
    keyed: Mapping[str, str]


def read_folder(
    account: Account,
    provider: Provider,
    store: Store,
    now: Callable[[], datetime],
    *,
    keyed: Collection[Account],
    progress: Progress = lambda _: None,
    watch: Watch | None = None,
) -> Outcome:
    """Store what is new in the account's folder; `keyed` are the accounts that are read by key.

    Raises `ConfigError` for a folder that cannot be read, `FilesRefused` where a file can't be
    stored, after all the others were, and `StorageError`.
    """
    read_file = provider.read_file
    if read_file is None:
        raise UnreadableFile(f"{provider.title} reads no files", "look at `provider`")
    by_provider = {one.provider: one.name for one in keyed}
    folder = _Folder(account, read_file, by_provider)
    outcome, errors = Outcome(account.name), list[CostCompassError]()
    with store.reading() as tx:
        known = filed(tx, account.name)
    for file in files_in(Path(account.options["folder"]).expanduser()):
        before = [one for one in known if one.file == file.name]
        try:
            for one in before:
                _refuse_keyed(folder, file, one.account.partition("/")[0])
            if not _is_new(file, before):
                continue
            progress(file.name)
            read = read_file(file.path)
            with store.writing() as tx:
                _store(tx, folder, file, read, now())
        except UnreadableFile as error:
            errors.append(error)
            continue
        outcome.notes += [f"{file.name}: {note}" for note in read.notes]
        outcome.rows += sum(len(bill.rows) for bill in read.bills)
        outcome.new_days += sum((bill.last - bill.first).days + 1 for bill in read.bills)
    with store.writing() as tx:
        _remember(tx, folder, provider)
        if not errors:
            note_success(tx, account.name, "activity", now())
        if watch is not None:
            look(tx, watch, now())
    if errors:
        raise FilesRefused(errors, outcome)
    return outcome


def _is_new(file: FoundFile, before: Collection[Filed]) -> bool:
    """Return whether a file was never read as it is now; one that was only touched was.

    One whose last days could still grow is read again: that they did not makes them final.
    """
    if before and all(one.made_at == file.mtime for one in before):
        return False
    open_end = any(growing([one.last], one.made_at, _FINAL_AFTER) for one in before)
    return not before or open_end or any(one.digest != file.digest for one in before)


def _remember(tx: sqlite3.Connection, folder: _Folder, provider: Provider) -> None:
    """Note the folder, and every account that its files ever named and no key reads by now."""
    owner = folder.account
    usage_queries.remember_account(
        tx, owner.name, owner.provider, provider.title, slow=provider.slow
    )
    for name in {one.account for one in filed(tx, owner.name)}:
        seller = name.partition("/")[0]
        if connected_name(seller) in folder.keyed:
            usage_queries.forget_account(tx, name)
        else:
            usage_queries.remember_account(tx, name, seller, seller, slow=True, part_of=owner.name)


def leave_out_keyed(tx: sqlite3.Connection, keyed: Collection[Account]) -> None:
    """Have what files say of a seller leave every answer where its bills are read by key now.

    The rows stay stored, and count again once no account reads them by key.
    """
    providers = {one.provider for one in keyed}
    for name, seller in found_in_files(tx):
        if connected_name(seller) in providers:
            usage_queries.forget_account(tx, name)


def _store(
    tx: sqlite3.Connection, folder: _Folder, file: FoundFile, read: FileRead, at: datetime
) -> None:
    """Store a file in place of what it said before. Raises `UnreadableFile` for what counts twice."""
    owner = folder.account.name
    source = source_of(owner, file.name)
    before = [one for one in filed(tx, owner) if one.file == file.name]
    forget_filed(tx, owner, file.name)
    for one in before:
        usage_queries.forget_rows(tx, one.account, source, each_day(one.first, one.last), at)
    found = []
    for bill in read.bills:
        name = _name_of(bill)
        _refuse_keyed(folder, file, bill.provider)
        _refuse_copy(tx, folder, file, name, bill)
        rows: dict[date, list[Usage]] = {day: [] for day in each_day(bill.first, bill.last)}
        for row in bill.rows:
            rows[row.day].append(row)
        later = growing(rows, file.mtime, _FINAL_AFTER)
        usage_queries.replace_days(tx, name, rows, file.mtime, file=source, growing=later)
        found.append(Filed(file.name, name, file.digest, file.mtime, bill.first, bill.last))
    note_filed(tx, owner, found, at)


def _name_of(bill: Bill) -> str:
    """Return what a billing account found in a file is called: the seller's name, then its own."""
    seller, account = clean(bill.provider).replace("/", "-"), clean(bill.account)
    return f"{seller}/{account}"


def _refuse_keyed(folder: _Folder, file: FoundFile, seller: str) -> None:
    provider = connected_name(seller)
    if provider in folder.keyed:
        raise UnreadableFile(
            f"{file.name}: bills of {seller} are read by key already, as"
            f" {folder.keyed[provider or '']}: both together would count them twice",
            "take the file out of the folder, or the account out of the configuration",
        )


def _refuse_copy(
    tx: sqlite3.Connection, folder: _Folder, file: FoundFile, name: str, bill: Bill
) -> None:
    """Refuse what another folder or another file says already: half of either's rows, or more."""
    owner = folder.account.name
    other = owner_of(tx, name)
    if other is not None and other != owner and is_left(tx, other):
        take_over(tx, name, other, owner)  # it was given another name
    elif other not in {None, owner}:
        raise UnreadableFile(
            f"{file.name}: the account {name} is read from the folder of {other} already",
            "keep its files in one folder",
        )
    for one in filed(tx, owner):
        apart = one.last < bill.first or bill.last < one.first
        if one.account != name or one.file == file.name or apart:
            continue
        theirs = rows_of(tx, name, source_of(owner, one.file))
        same = len(theirs & set(bill.rows))
        if same and 2 * same >= min(len(bill.rows), len(theirs)):
            raise UnreadableFile(
                f"{file.name}: {same} of its {len(bill.rows)} rows of {name} are in {one.file} too",
                "keep one of the two files; one that is replaced has to keep its name",
            )
