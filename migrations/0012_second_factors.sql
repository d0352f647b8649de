-- Second factors of Paddock's own accounts.

-- Whether the account must have one; set by an administrator.
ALTER TABLE users ADD COLUMN factor_required INTEGER NOT NULL DEFAULT 0 CHECK (factor_required IN (0, 1));

CREATE TABLE second_factors (
    user_id    INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- What codes are reckoned from, sealed with a key that is not in the database (auth::seal).
    secret     BLOB    NOT NULL,
    -- The step of time of the last code that was taken: none of it or of an earlier one is taken any more.
    last_step  INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT;

-- Each is good once.
CREATE TABLE recovery_codes (
    user_id INTEGER NOT NULL REFERENCES second_factors (user_id) ON DELETE CASCADE,
    -- SHA-256 of 80 random bits.
    hash    BLOB    NOT NULL,
    used_ms INTEGER,
    PRIMARY KEY (user_id, hash)
) STRICT, WITHOUT ROWID;
