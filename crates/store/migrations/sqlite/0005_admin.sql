-- Administration: what tokens may do and when they were used, who changed what, keys of the installation.

ALTER TABLE api_tokens ADD COLUMN administrator INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_tokens ADD COLUMN created_by TEXT NOT NULL DEFAULT 'operator';
ALTER TABLE api_tokens ADD COLUMN own_account_id TEXT;  -- of an integrated-account token
ALTER TABLE api_tokens ADD COLUMN issued_by TEXT;       -- the token that it was issued with, and ends with

-- Apart from the tokens, so that a use is no change of them. At most one write a minute and token.
CREATE TABLE api_token_uses (
    token_id     TEXT PRIMARY KEY,
    last_used_at TEXT NOT NULL
) STRICT;

-- Random keys of the installation (for cursors, for the audit log), each under the master key.
CREATE TABLE installation_keys (
    name   TEXT PRIMARY KEY,
    sealed BLOB NOT NULL
) STRICT;

DROP TABLE audit;

-- Who did what to Koine itself: appended, never changed. Each MAC covers its entry and the MAC before.
-- No foreign key: the entry outlives its environment.
CREATE TABLE audit_log (
    seq            INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    environment_id TEXT,
    actor          TEXT NOT NULL,
    source         TEXT NOT NULL,                 -- an address, or the command line
    action         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    state_before   TEXT,                          -- JSON, never a secret
    state_after    TEXT,                          -- JSON, never a secret
    created_at     TEXT NOT NULL,
    mac            BLOB NOT NULL
) STRICT;
CREATE INDEX audit_log_by_environment ON audit_log (environment_id, seq);
CREATE TRIGGER audit_log_is_never_changed BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
CREATE TRIGGER audit_log_is_never_shortened BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'the audit log is never shortened'); END;

-- The end of the chain; whoever appends holds this row.
CREATE TABLE audit_head (
    id  INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,
    mac BLOB NOT NULL
) STRICT;
INSERT INTO audit_head (id, seq, mac) VALUES (1, 0, x'');
