-- Sessions and API tokens: who is let in, from where, and until when.

-- A log-in. The session layer keeps nothing but this number.
CREATE TABLE sessions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The account's when it was begun; it is over once the account has a later one.
    epoch      INTEGER NOT NULL,
    begun_ms   INTEGER NOT NULL,
    -- The last request, to a few minutes, and where it came from.
    seen_ms    INTEGER NOT NULL,
    address    TEXT,
    -- A few words from the browser's own description of itself.
    device     TEXT    NOT NULL,
    -- SHA-256 of what this browser keeps to be known again; NULL where it keeps nothing.
    device_key BLOB    CHECK (length(device_key) = 32),
    -- NULL while it may go on. An ended one is kept for a while: its address and device are known to be good.
    ended_ms   INTEGER
) STRICT;
CREATE INDEX sessions_of_user ON sessions (user_id);

-- What stands in for a log-in where a program asks.
CREATE TABLE api_tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT    NOT NULL,
    -- SHA-256; the secret is 256 random bits, so no slower hash is needed.
    secret_hash  BLOB    NOT NULL CHECK (length(secret_hash) = 32),
    -- What it leaves of its owner's rights: privileges as words with commas between, and one scope.
    privileges   TEXT    NOT NULL,
    scope        TEXT    NOT NULL,
    created_ms   INTEGER NOT NULL,
    -- The first millisecond in which it is over.
    expires_ms   INTEGER NOT NULL,
    -- The last use, to a few minutes.
    used_ms      INTEGER,
    used_address TEXT,
    UNIQUE (user_id, name)
) STRICT;
