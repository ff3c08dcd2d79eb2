-- Administration: what tokens may do and when they were used, who changed what, keys of the installation.

ALTER TABLE api_tokens ADD COLUMN administrator BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE api_tokens ADD COLUMN created_by TEXT NOT NULL DEFAULT 'operator';
ALTER TABLE api_tokens ADD COLUMN own_account_id TEXT;  -- of an integrated-account token
ALTER TABLE api_tokens ADD COLUMN issued_by TEXT;       -- the token that it was issued with, and ends with

-- Apart from the tokens, so that a use is no change of them. At most one write a minute and token.
CREATE TABLE api_token_uses (
    token_id     TEXT PRIMARY KEY,
    last_used_at TEXT NOT NULL
);

-- Random keys of the installation (for cursors, for the audit log), each under the master key.
CREATE TABLE installation_keys (
    name   TEXT PRIMARY KEY,
    sealed BYTEA NOT NULL
);

DROP TABLE audit;

-- Who did what to Koine itself: appended, never changed. Each MAC covers its entry and the MAC before.
-- No foreign key: the entry outlives its environment.
CREATE TABLE audit_log (
    seq            BIGINT PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    environment_id TEXT,
    actor          TEXT NOT NULL,
    source         TEXT NOT NULL,                 -- an address, or the command line
    action         TEXT NOT NULL,
    subject        TEXT NOT NULL,
    state_before   TEXT,                          -- JSON, never a secret
    state_after    TEXT,                          -- JSON, never a secret
    created_at     TEXT NOT NULL,
    mac            BYTEA NOT NULL
);
CREATE INDEX audit_log_by_environment ON audit_log (environment_id, seq);
CREATE FUNCTION audit_log_is_append_only() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit log is never changed'; END;
$$;
CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE ON audit_log
FOR EACH ROW EXECUTE FUNCTION audit_log_is_append_only();

-- The end of the chain; whoever appends holds this row.
CREATE TABLE audit_head (
    id  BIGINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL,
    mac BYTEA NOT NULL
);
INSERT INTO audit_head (id, seq, mac) VALUES (1, 0, ''::BYTEA);
