-- What happened, who is to hear of it, and what became of telling them. An event and its deliveries are written in the
-- transaction of the change that they tell of: this is the queue, and there is no other.

CREATE TABLE webhooks (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    target_sealed  BLOB NOT NULL,                 -- an address may hold a capability
    secret_sealed  BLOB NOT NULL,                 -- signs deliveries
    event_types    TEXT,                          -- JSON array; NULL is every event
    is_active      INTEGER NOT NULL,
    failing_since  TEXT,                          -- the first failure after the last success
    failures       INTEGER NOT NULL,              -- attempts that failed, one after the other
    disabled_at    TEXT,                          -- when Koine itself gave up on it
    served_at      TEXT NOT NULL,                 -- whose turn was longest ago is next; '' is never
    lease          TEXT,                          -- one delivery at a time, over all nodes
    lease_until    TEXT,                          -- nobody may take it before: held, or resting after a failure
    created_at     TEXT NOT NULL,
    updated_at     TEXT NOT NULL
) STRICT;
CREATE INDEX webhooks_by_environment ON webhooks (environment_id, id);

CREATE TABLE events (
    id             TEXT PRIMARY KEY,
    environment_id TEXT NOT NULL REFERENCES environments (id),
    event          TEXT NOT NULL,
    payload_sealed BLOB NOT NULL,
    created_at     TEXT NOT NULL
) STRICT;
CREATE INDEX events_by_age ON events (created_at);

CREATE TABLE deliveries (
    id              TEXT PRIMARY KEY,
    webhook_id      TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    event_id        TEXT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    environment_id  TEXT NOT NULL,
    status          TEXT NOT NULL,                -- pending, held (the webhook is off), delivered, failed
    attempts        INTEGER NOT NULL,             -- in all: numbers the log
    retries         INTEGER NOT NULL,             -- since it was last queued: picks the pause before the next
    next_at         TEXT,                         -- only while pending
    created_at      TEXT NOT NULL,
    finished_at     TEXT
) STRICT;
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_by_event ON deliveries (event_id);

CREATE TABLE delivery_attempts (
    delivery_id   TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number        INTEGER NOT NULL,
    http_status   INTEGER,
    error         TEXT,
    duration_ms   INTEGER NOT NULL,
    answer_sealed BLOB,                           -- the first bytes of what the receiver said
    ended_at      TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT;
