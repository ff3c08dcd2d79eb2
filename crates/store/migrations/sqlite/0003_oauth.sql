-- The app that an environment asks people's consent with, one for each connector.
CREATE TABLE oauth_apps (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    connector      TEXT NOT NULL,
    client_id      TEXT NOT NULL,
    secrets_sealed BLOB NOT NULL,                 -- client secret and further fields
    created_at     TEXT NOT NULL,
    updated_at     TEXT NOT NULL,
    UNIQUE (environment_id, connector)
) STRICT;

-- Consents that a browser is away for. The row goes when it comes back.
CREATE TABLE authorizations (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    connector      TEXT NOT NULL,
    state_sha256   BLOB NOT NULL UNIQUE,          -- 256 random bits need no slow hash
    browser_sha256 BLOB NOT NULL,                 -- of the browser's cookie
    content_sealed BLOB NOT NULL,
    expires_at     TEXT NOT NULL
) STRICT;
CREATE INDEX authorizations_by_age ON authorizations (expires_at);

-- What a consent or a refresh token has become: the tokens in force, the same for all nodes.
CREATE TABLE grants (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    version    TEXT NOT NULL,                     -- another one after every change
    sealed     BLOB NOT NULL,
    updated_at TEXT NOT NULL
) STRICT;
