-- The process that runs a call; it lives as long as it holds the lease `node/<id>`. NULL is nobody.
ALTER TABLE calls ADD COLUMN node_id TEXT;

-- Whom a running call acts upon: no other call may meanwhile, on whichever node.
CREATE TABLE call_locks (
    key_sha256 TEXT PRIMARY KEY,
    call_id    TEXT NOT NULL REFERENCES calls (id)
);
CREATE INDEX call_locks_by_call ON call_locks (call_id);
