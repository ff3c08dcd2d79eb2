-- The same tables as in migrations/sqlite, under the same numbers.
--
-- Ids are hyphenated lower-case UUIDs. Times are UTC, `2026-01-31T12:00:00.000Z`, so text order is time order.
-- Columns that end in `_sealed` hold `version (1) || nonce (12) || ciphertext and tag`; see src/vault.rs.

CREATE TABLE vault_check (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    sealed BYTEA NOT NULL                          -- a constant under the master key: tells a wrong key at once
);

CREATE TABLE environments (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    data_key_sealed BYTEA NOT NULL,                -- the environment's data key under the master key
    created_at      TEXT NOT NULL,
    updated_at      TEXT NOT NULL
);

CREATE TABLE api_tokens (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    name           TEXT NOT NULL,
    secret_sha256  BYTEA NOT NULL UNIQUE,          -- 256 random bits need no slow hash
    account_ids    TEXT,                          -- JSON array; NULL is every account of the environment
    read_only      BOOLEAN NOT NULL,
    expires_at     TEXT,
    created_at     TEXT NOT NULL,
    updated_at     TEXT NOT NULL,
    revoked_at     TEXT
);
CREATE INDEX api_tokens_by_environment ON api_tokens (environment_id, id);

CREATE TABLE accounts (
    id                    TEXT PRIMARY KEY,
    environment_id        TEXT NOT NULL REFERENCES environments (id),
    tenant_id             TEXT NOT NULL,
    connector             TEXT NOT NULL,
    status                TEXT NOT NULL,
    authentication_method TEXT NOT NULL,
    context_sealed        BYTEA NOT NULL,
    last_error            TEXT,
    created_at            TEXT NOT NULL,
    updated_at            TEXT NOT NULL
);
CREATE INDEX accounts_by_environment ON accounts (environment_id, id);
CREATE INDEX accounts_by_tenant ON accounts (environment_id, tenant_id, id);

-- The journal: one row per write call. No foreign key to accounts: evidence outlives the account.
CREATE TABLE calls (
    id              TEXT PRIMARY KEY,
    environment_id  TEXT NOT NULL REFERENCES environments (id),
    account_id      TEXT NOT NULL,
    model           TEXT NOT NULL,
    resource        TEXT NOT NULL,
    method          TEXT NOT NULL,
    target_id       TEXT,
    token_id        TEXT,
    path            TEXT NOT NULL,
    fingerprint     TEXT NOT NULL,
    idempotency_key TEXT,
    request_sealed  BYTEA NOT NULL,
    outcome         TEXT,
    detail          TEXT,
    started_at      TEXT NOT NULL,
    finished_at     TEXT,
    released_at     TEXT                          -- given up by a restart before any intent
);
CREATE INDEX calls_by_time ON calls (environment_id, started_at, id);
CREATE INDEX calls_by_target ON calls (environment_id, account_id, target_id);
CREATE INDEX calls_open ON calls (started_at) WHERE finished_at IS NULL AND released_at IS NULL;

-- A key in use. The row goes when the call ends without an answer to keep, and after 24 hours.
CREATE TABLE idempotency_keys (
    environment_id TEXT NOT NULL,
    account_id     TEXT NOT NULL,
    path           TEXT NOT NULL,
    key            TEXT NOT NULL,
    call_id        TEXT NOT NULL UNIQUE REFERENCES calls (id),
    fingerprint    TEXT NOT NULL,
    answer_sealed  BYTEA,                          -- NULL while the call runs
    created_at     TEXT NOT NULL,
    PRIMARY KEY (environment_id, account_id, path, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);

CREATE TABLE intents (
    call_id        TEXT NOT NULL REFERENCES calls (id),
    step           TEXT NOT NULL,
    request_digest TEXT NOT NULL,
    target_sealed  BYTEA,
    recorded_at    TEXT NOT NULL,
    PRIMARY KEY (call_id, step)
);

CREATE TABLE exchanges (
    call_id        TEXT NOT NULL REFERENCES calls (id),
    seq            BIGINT NOT NULL,
    step           TEXT NOT NULL,
    method         TEXT NOT NULL,
    url_redacted   TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    status         BIGINT,
    answer_sha256  TEXT,
    result         TEXT NOT NULL,
    recorded_at    TEXT NOT NULL,
    PRIMARY KEY (call_id, seq)
);

-- Who did what to Koine itself. No foreign key: the entry outlives its environment.
CREATE TABLE audit (
    id             TEXT PRIMARY KEY,
    environment_id TEXT,
    actor          TEXT NOT NULL,
    action         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    detail         TEXT NOT NULL,                 -- JSON, never a secret
    created_at     TEXT NOT NULL
);

-- Tells every node that something changed that nodes keep in memory; see src/postgres/changes.rs.
CREATE FUNCTION koine_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('koine_changes', '');
    RETURN NULL;
END
$$;
CREATE TRIGGER api_tokens_changed AFTER UPDATE OR DELETE OR TRUNCATE ON api_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION koine_changed();
CREATE TRIGGER accounts_changed AFTER UPDATE OR DELETE OR TRUNCATE ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION koine_changed();
