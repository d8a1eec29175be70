CREATE TABLE account (name TEXT PRIMARY KEY, provider TEXT NOT NULL, title TEXT NOT NULL DEFAULT '', slow INTEGER NOT NULL DEFAULT 0, part_of TEXT NOT NULL DEFAULT '') STRICT, WITHOUT ROWID;

CREATE TABLE api_key (
    account TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (account, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE balance (
    account TEXT NOT NULL, at TEXT NOT NULL,
    remaining TEXT NOT NULL, purchased TEXT, used TEXT, withdrawn TEXT NOT NULL,
    PRIMARY KEY (account, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE bill (
    folder TEXT NOT NULL, file TEXT NOT NULL, account TEXT NOT NULL,
    digest TEXT NOT NULL, made_at TEXT NOT NULL, read_at TEXT NOT NULL,
    first TEXT NOT NULL, last TEXT NOT NULL,
    PRIMARY KEY (folder, file, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalogue (
    provider TEXT NOT NULL, model TEXT NOT NULL, since TEXT NOT NULL, body TEXT NOT NULL,
    removed INTEGER NOT NULL,
    PRIMARY KEY (provider, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalogue_change (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, model TEXT NOT NULL, at TEXT NOT NULL,
    what TEXT NOT NULL, before TEXT, after TEXT
) STRICT;

CREATE TABLE catalogue_read (provider TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE cost (
    account TEXT NOT NULL, day TEXT NOT NULL, model TEXT NOT NULL, permaslug TEXT NOT NULL,
    endpoint TEXT NOT NULL, currency TEXT NOT NULL, source TEXT NOT NULL,
    host TEXT NOT NULL,
    requests INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER,
    reasoning_tokens INTEGER, cached_tokens INTEGER,
    cost TEXT NOT NULL, byok_cost TEXT NOT NULL, cache_write_tokens INTEGER, raw TEXT, basis TEXT NOT NULL,
    once INTEGER NOT NULL, quantity TEXT, unit TEXT NOT NULL,
    PRIMARY KEY (account, day, model, permaslug, endpoint, currency, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX cost_foreign ON cost (day) WHERE currency <> 'USD';

CREATE TABLE declared (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL, amount TEXT NOT NULL, currency TEXT NOT NULL,
    per TEXT NOT NULL, start TEXT NOT NULL, until TEXT, provider TEXT NOT NULL,
    added_at TEXT NOT NULL
) STRICT;

CREATE TABLE home (
    member TEXT PRIMARY KEY, opened_at TEXT NOT NULL, shown TEXT NOT NULL DEFAULT '',
    shown_at TEXT
) STRICT, WITHOUT ROWID;

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

CREATE TABLE key_usage (
    account TEXT NOT NULL, day TEXT NOT NULL, key TEXT NOT NULL, model TEXT NOT NULL,
    requests INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER,
    reasoning_tokens INTEGER, cached_tokens INTEGER,
    cost TEXT NOT NULL, byok_cost TEXT NOT NULL,
    PRIMARY KEY (account, day, key, model)
) STRICT, WITHOUT ROWID;

CREATE TABLE marker (name TEXT PRIMARY KEY, at TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY, via TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
    incident INTEGER, body TEXT NOT NULL, at TEXT NOT NULL,
    tries INTEGER NOT NULL, try_at TEXT, parked INTEGER NOT NULL, error TEXT NOT NULL,
    done_at TEXT, UNIQUE (via, name)
) STRICT;

CREATE INDEX outbox_waiting ON outbox (via, id) WHERE done_at IS NULL;

CREATE TABLE purse (
    account TEXT NOT NULL, currency TEXT NOT NULL, at TEXT NOT NULL,
    total TEXT NOT NULL, granted TEXT NOT NULL, topped_up TEXT NOT NULL,
    PRIMARY KEY (account, currency, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE refresh (
    account TEXT NOT NULL, part TEXT NOT NULL,
    tried_at TEXT NOT NULL, succeeded_at TEXT, failures INTEGER NOT NULL,
    error TEXT, permanent INTEGER NOT NULL, reason TEXT,
    PRIMARY KEY (account, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE setting (
    key TEXT PRIMARY KEY, value TEXT NOT NULL, changed_by TEXT NOT NULL, changed_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE setting_change (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, before TEXT, after TEXT, changed_by TEXT NOT NULL,
    changed_at TEXT NOT NULL
) STRICT;

CREATE TABLE today_read (
    account TEXT PRIMARY KEY, tried_at TEXT NOT NULL, error TEXT, permanent INTEGER NOT NULL,
    day TEXT, read_at TEXT
) STRICT, WITHOUT ROWID;

CREATE VIEW usage AS
    SELECT account, day, model, permaslug, endpoint, host, requests, prompt_tokens,
        completion_tokens, reasoning_tokens, cached_tokens, cost, byok_cost
    FROM cost WHERE currency = 'USD';

CREATE TABLE usage_change (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, day TEXT NOT NULL, changed_at TEXT NOT NULL,
    cost_before TEXT NOT NULL, cost_after TEXT NOT NULL,
    rows_before TEXT NOT NULL
, settled INTEGER NOT NULL DEFAULT 1) STRICT;

CREATE TABLE usage_day (
    account TEXT NOT NULL, day TEXT NOT NULL,
    read_at TEXT NOT NULL, emptied_at TEXT, rows INTEGER NOT NULL, keyed INTEGER NOT NULL,
    requests INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER,
    reasoning_tokens INTEGER, cached_tokens INTEGER,
    cost TEXT NOT NULL, byok_cost TEXT NOT NULL, source TEXT NOT NULL DEFAULT 'activity', final INTEGER NOT NULL DEFAULT 1, once TEXT NOT NULL DEFAULT '0',
    PRIMARY KEY (account, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_month (
    account TEXT NOT NULL, month TEXT NOT NULL, model TEXT NOT NULL, host TEXT NOT NULL,
    requests INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER,
    reasoning_tokens INTEGER, cached_tokens INTEGER,
    cost TEXT NOT NULL, byok_cost TEXT NOT NULL,
    PRIMARY KEY (account, month, model, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_today (
    account TEXT NOT NULL, day TEXT NOT NULL, model TEXT NOT NULL, permaslug TEXT NOT NULL,
    host TEXT NOT NULL,
    requests INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER,
    reasoning_tokens INTEGER, cached_tokens INTEGER,
    cost TEXT NOT NULL, byok_cost TEXT NOT NULL,
    PRIMARY KEY (account, day, model, permaslug, host)
) STRICT, WITHOUT ROWID;

CREATE TABLE workspace (
    surface TEXT PRIMARY KEY, rich INTEGER NOT NULL, learnt_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

