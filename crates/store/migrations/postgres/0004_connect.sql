-- Links that let a customer connect an account on the hosted page, and the browsers that opened them.

CREATE TABLE link_tokens (
    id               TEXT PRIMARY KEY,
    environment_id   TEXT NOT NULL REFERENCES environments (id),
    secret_sha256    BYTEA NOT NULL UNIQUE,       -- 256 random bits need no slow hash
    tenant_id        TEXT,                        -- of the account to make
    account_id       TEXT,                        -- the account to connect again; NULL for a new one
    options          TEXT NOT NULL,               -- JSON, never a secret
    context_sealed   BYTEA NOT NULL,              -- values that win over what the customer types
    created_by       TEXT NOT NULL,
    created_at       TEXT NOT NULL,
    expires_at       TEXT NOT NULL,
    used_at          TEXT,                        -- when the first credentials were saved
    used_by          TEXT,                        -- the session that saved them; it alone may try again
    saved_account_id TEXT,
    attempts         BIGINT NOT NULL
);
CREATE INDEX link_tokens_by_age ON link_tokens (expires_at);

CREATE TABLE link_sessions (
    id            TEXT PRIMARY KEY,
    link_token_id TEXT NOT NULL REFERENCES link_tokens (id) ON DELETE CASCADE,
    secret_sha256 BYTEA NOT NULL,                 -- of the browser's cookie
    options       TEXT NOT NULL,                  -- JSON: what the address of the page asked for
    created_at    TEXT NOT NULL,
    expires_at    TEXT NOT NULL
);
CREATE INDEX link_sessions_by_age ON link_sessions (expires_at);
CREATE INDEX link_sessions_by_token ON link_sessions (link_token_id);
