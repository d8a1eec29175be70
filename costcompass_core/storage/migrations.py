"""The schema, step by step. Amounts are decimal TEXT; a REAL or a sum in SQL would round them."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final

from costcompass_core.domain.errors import StorageError

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID: Final = 0x434F4D50
"""Marks the file as ours ("COMP"): a stranger's database is never touched."""
_SET: Final = "costcompass"

_COUNTS: Final = """
    requests INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER,
    reasoning_tokens INTEGER, cached_tokens INTEGER,
    cost TEXT NOT NULL, byok_cost TEXT NOT NULL"""
"""Shared by every table of amounts, in this order: `NULL` counts were not reported."""


def m0001_ledger(db: Database) -> None:
    """Create the ledger."""
    _run(db, _LEDGER)


def m0002_alerts(db: Database) -> None:
    """Add incidents, the outbox, and why a refresh fails in one word."""
    _run(db, _ALERTS)


def m0003_analytics(db: Database) -> None:
    """Note which source each day came from, and keep what is reported of a day not yet over."""
    _run(db, _ANALYTICS)


def m0004_catalogue(db: Database) -> None:
    """Add the price list and how it changes."""
    _run(db, _CATALOGUE)


def m0005_people(db: Database) -> None:
    """What people changed in Slack, who looks at their Home, what their workspace can draw.

    A ledger that told anything before needs no welcome any more.
    """
    _run(db, _PEOPLE)


def m0006_stack(db: Database) -> None:
    """Take rows of every provider and currency; the view `usage` is what is in dollars.

    The table is made anew, because currency and source belong to its key. The key's columns come
    first: where they do not, SQLite's own check (3.40) takes one column for another.
    """
    _run(db, _STACK)


def _run(db: Database, statements: str) -> None:
    for statement in statements.split(";"):
        if statement.strip():
            db.execute(statement)


_LEDGER: Final = f"""
CREATE TABLE account (name TEXT PRIMARY KEY, provider TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE usage (
    account TEXT NOT NULL, day TEXT NOT NULL, model TEXT NOT NULL, permaslug TEXT NOT NULL,
    endpoint TEXT NOT NULL, host TEXT NOT NULL,{_COUNTS},
    PRIMARY KEY (account, day, model, permaslug, endpoint)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_day (
    account TEXT NOT NULL, day TEXT NOT NULL,
    read_at TEXT NOT NULL, emptied_at TEXT, rows INTEGER NOT NULL, keyed INTEGER NOT NULL,{_COUNTS},
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_month (
    account TEXT NOT NULL, month TEXT NOT NULL, model TEXT NOT NULL, host TEXT NOT NULL,{_COUNTS},
    PRIMARY KEY (account, month, model, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_change (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, day TEXT NOT NULL, changed_at TEXT NOT NULL,
    cost_before TEXT NOT NULL, cost_after TEXT NOT NULL,
    rows_before TEXT NOT NULL
) STRICT;

CREATE TABLE key_usage (
    account TEXT NOT NULL, day TEXT NOT NULL, key TEXT NOT NULL, model TEXT NOT NULL,{_COUNTS},
    PRIMARY KEY (account, day, key, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    account TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE balance (
    account TEXT NOT NULL, at TEXT NOT NULL,
    remaining TEXT NOT NULL, purchased TEXT, used TEXT, withdrawn TEXT NOT NULL,
    PRIMARY KEY (account, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE refresh (
    account TEXT NOT NULL, part TEXT NOT NULL,
    tried_at TEXT NOT NULL, succeeded_at TEXT, failures INTEGER NOT NULL,
    error TEXT, permanent INTEGER NOT NULL,
    PRIMARY KEY (account, part)
) STRICT, WITHOUT ROWID
"""


_ALERTS: Final = """
ALTER TABLE refresh ADD COLUMN reason TEXT;

CREATE TABLE incident (
    id INTEGER PRIMARY KEY, rule TEXT NOT NULL, account TEXT NOT NULL, subject TEXT NOT NULL,
    opened_at TEXT NOT NULL, resolved_at TEXT,
    level INTEGER NOT NULL, levels INTEGER NOT NULL, worst INTEGER NOT NULL,
    facts TEXT NOT NULL, as_of TEXT NOT NULL, told_at TEXT NOT NULL, seq INTEGER NOT NULL,
    acknowledged_at TEXT, snooze TEXT, snoozed_until TEXT, changed_by TEXT NOT NULL,
    channel TEXT NOT NULL, ts TEXT NOT NULL, thread TEXT NOT NULL, scale TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX incident_open ON incident (rule, account, subject) WHERE resolved_at IS NULL;

CREATE TABLE incident_change (
    incident INTEGER NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL, what TEXT NOT NULL,
    level INTEGER NOT NULL, facts TEXT NOT NULL, as_of TEXT NOT NULL,
    acknowledged_at TEXT, snoozed_until TEXT, who TEXT NOT NULL,
    PRIMARY KEY (incident, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY, via TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
    incident INTEGER, body TEXT NOT NULL, at TEXT NOT NULL,
    tries INTEGER NOT NULL, try_at TEXT, parked INTEGER NOT NULL, error TEXT NOT NULL,
    done_at TEXT, UNIQUE (via, name)
) STRICT;

CREATE INDEX outbox_waiting ON outbox (via, id) WHERE done_at IS NULL;

CREATE TABLE marker (name TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID
"""


_ANALYTICS: Final = f"""
ALTER TABLE usage_day ADD COLUMN source TEXT NOT NULL DEFAULT 'activity';

CREATE TABLE usage_today (
    account TEXT NOT NULL, day TEXT NOT NULL, model TEXT NOT NULL, permaslug TEXT NOT NULL,
    host TEXT NOT NULL,{_COUNTS},
    PRIMARY KEY (account, day, model, permaslug, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE today_read (
    account TEXT PRIMARY KEY, tried_at TEXT NOT NULL, error TEXT, permanent INTEGER NOT NULL,
    day TEXT, read_at TEXT
) STRICT, WITHOUT ROWID
"""


_CATALOGUE: Final = """
CREATE TABLE catalogue (
    provider TEXT NOT NULL, model TEXT NOT NULL, since TEXT NOT NULL, body TEXT NOT NULL,
    removed INTEGER NOT NULL,
    PRIMARY KEY (provider, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalogue_change (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, at TEXT NOT NULL,
    what TEXT NOT NULL, before TEXT, after TEXT
) STRICT;

CREATE TABLE catalogue_read (provider TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID
"""


_PEOPLE: Final = """
CREATE TABLE setting (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, changed_by TEXT NOT NULL, changed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting_change (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, before TEXT, after TEXT, changed_by TEXT NOT NULL,
    changed_at TEXT NOT NULL
) STRICT;

CREATE TABLE home (
    member TEXT PRIMARY KEY, opened_at TEXT NOT NULL, shown TEXT NOT NULL DEFAULT '',
    shown_at TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE workspace (
    surface TEXT PRIMARY KEY, rich INTEGER NOT NULL, learnt_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO marker SELECT 'welcome', min(at)
    FROM (SELECT at FROM outbox UNION ALL SELECT at FROM marker) HAVING count(*)
"""


_STACK: Final = f"""
CREATE TABLE cost (
    account TEXT NOT NULL, day TEXT NOT NULL, model TEXT NOT NULL, permaslug TEXT NOT NULL,
    endpoint TEXT NOT NULL, currency TEXT NOT NULL, source TEXT NOT NULL,
    host TEXT NOT NULL,{_COUNTS}, cache_write_tokens INTEGER, raw TEXT, basis TEXT NOT NULL,
    once INTEGER NOT NULL, quantity TEXT, unit TEXT NOT NULL,
    PRIMARY KEY (account, day, model, permaslug, endpoint, currency, source)
) STRICT, WITHOUT ROWID;

INSERT INTO cost
    SELECT account, day, model, permaslug, endpoint, 'USD', '', host, requests, prompt_tokens,
        completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost, NULL, NULL,
        'reported', 0, NULL, '' FROM usage;

DROP TABLE usage;

CREATE VIEW usage AS
    SELECT account, day, model, permaslug, endpoint, host, requests, prompt_tokens,
        completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost
    FROM cost WHERE currency = 'USD';

CREATE INDEX cost_foreign ON cost (day) WHERE currency <> 'USD';

ALTER TABLE usage_day ADD COLUMN final INTEGER NOT NULL DEFAULT 1;

ALTER TABLE usage_day ADD COLUMN once TEXT NOT NULL DEFAULT '0';

ALTER TABLE usage_change ADD COLUMN settled INTEGER NOT NULL DEFAULT 1;

ALTER TABLE account ADD COLUMN title TEXT NOT NULL DEFAULT '';

ALTER TABLE account ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;

ALTER TABLE account ADD COLUMN part_of TEXT NOT NULL DEFAULT '';

CREATE TABLE purse (
    account TEXT NOT NULL, currency TEXT NOT NULL, at TEXT NOT NULL,
    total TEXT NOT NULL, granted TEXT NOT NULL, topped_up TEXT NOT NULL,
    PRIMARY KEY (account, currency, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE bill (
    folder TEXT NOT NULL, file TEXT NOT NULL, account TEXT NOT NULL,
    digest TEXT NOT NULL, made_at TEXT NOT NULL, read_at TEXT NOT NULL,
    first TEXT NOT NULL, last TEXT NOT NULL,
    PRIMARY KEY (folder, file, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE declared (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL,
    per TEXT NOT NULL, start TEXT NOT NULL, until TEXT, provider TEXT NOT NULL,
    added_at TEXT NOT NULL
) STRICT
"""


STEPS: Final = (
    m0001_ledger,
    m0002_alerts,
    m0003_analytics,
    m0004_catalogue,
    m0005_people,
    m0006_stack,
)
"""Every step, in order; a ledger remembers those it went through by name."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date in one transaction.

    Raises `StorageError` for a file that is not ours or was written by a newer version, before
    anything in it is changed.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        check_ours(connection)
        if is_behind(connection):
            _apply(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def check_ours(connection: sqlite3.Connection) -> None:
    """Raise `StorageError` unless the database is empty or ours, and not newer than this code."""
    [found] = connection.execute("PRAGMA application_id").fetchone()
    [objects] = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if found != APPLICATION_ID and (found or objects):
        raise StorageError(
            "the database is not CostCompass's", "point state_dir at a folder of its own"
        )
    if unknown := _applied(connection) - {step.__name__ for step in STEPS}:
        raise StorageError(
            f"the database was written by a newer version (it has {max(unknown)})",
            "run that version, or restore a backup made by this one",
        )


def schema_of(connection: sqlite3.Connection) -> str:
    """Return the name of the newest step that the database went through, empty for none."""
    return max(_applied(connection), default="")


def is_behind(connection: sqlite3.Connection) -> bool:
    """Return whether an older version wrote the database, which the next writer brings up to date."""
    return bool({step.__name__ for step in STEPS} - _applied(connection))


def _applied(connection: sqlite3.Connection) -> set[str]:
    """Return the names of the steps that the database went through."""
    table = "SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'"
    if connection.execute(table).fetchone() is None:
        return set()
    found = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ?", (_SET,)
    )
    return {row[0] for row in found}


def _apply(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database, Migrations  # noqa: PLC0415 - 30 ms, seldom needed

    migrations = Migrations(_SET)
    for step in STEPS:
        migrations()(step)
    migrations.apply(Database(connection, execute_plugins=False))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
