"""A bill that was read from a file counts no more once the same seller is read by key."""

from contextlib import nullcontext
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bot.config import parse_config
from bot.refreshing import open_ledger, refresh
from costcompass_core.domain.errors import UnreadableFile
from costcompass_core.usecases.report import Questions

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
FILE = Path(__file__).parents[1] / "providers" / "files" / "focus_1_2.csv"
KEYED = {"name": "main", "provider": "anthropic"}
TAKEN = nullcontext()


@pytest.fixture
def folder(tmp_path):
    """A bill of Anthropic and one of somebody who cannot be read by key."""
    (tmp_path / "state").mkdir(mode=0o700)
    bills = tmp_path / "bills"
    bills.mkdir()
    text = FILE.read_text()
    (bills / "acme.csv").write_text(text)
    (bills / "models.csv").write_text(text.replace("Acme Cloud", "Anthropic"))
    return tmp_path


def told(folder, *accounts, refused=TAKEN):
    """Return what all days cost after a start with `accounts` beside the folder, and its accounts."""
    files = {"name": "clouds", "provider": "focus", "folder": str(folder / "bills")}
    tree = {"state_dir": str(folder / "state"), "account": [files, *accounts]}
    config = parse_config(tree, {})
    store = open_ledger(config)
    try:
        before = Questions(store).spend("all", NOW).total.amount
        with refused:
            refresh(
                config.accounts[0],
                lambda _: pytest.fail("files need no key"),
                store,
                lambda: NOW,
                wait=lambda _: False,
                beside=config.accounts,
            )
        report = Questions(store).spend("all", NOW)
        return before, report.total.amount, {one.account for one in report.health}
    finally:
        store.close()


def test_a_seller_that_is_read_by_key_later_leaves_what_files_said_of_it(folder):
    once, both = Decimal("0.1200000000000000000001"), Decimal("0.2400000000000000000002")
    assert told(folder) == (0, both, {"Acme Cloud/acct-7", "Anthropic/acct-7"})
    refused = pytest.raises(UnreadableFile, match="read by key already, as anthropic/main")
    before, after, accounts = told(folder, KEYED, refused=refused)
    assert (before, after) == (once, once), "from the start on"
    assert accounts == {"Acme Cloud/acct-7", "focus/clouds"}, "the folder says what is wrong"
    assert told(folder)[1] == both, "nothing was lost: without the key the file counts again"


def test_a_file_that_changes_meanwhile_is_refused_and_names_the_account(folder):
    told(folder)
    path = folder / "bills" / "models.csv"
    path.write_text(path.read_text().replace("0.10,", "0.20,"))
    with pytest.raises(UnreadableFile, match="read by key already, as anthropic/main"):
        told(folder, KEYED)
    path.unlink()
    assert told(folder, KEYED)[1] == Decimal("0.1200000000000000000001")
