-- Who may do something that only one may do, on any node, and until when. A row whose time is over is free.
CREATE TABLE leases (
    name       TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,                     -- for people: who holds it
    token      TEXT NOT NULL,                     -- of this one acquisition: the same owner's earlier lease is another one
    expires_at TEXT NOT NULL
);

-- Which of a call's intents came first; times may be equal.
ALTER TABLE intents ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
