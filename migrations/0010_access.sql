-- Roles, groups and grants in the place of one role for each user; accounts that end, and accounts of other realms.

-- A role and where it holds, for a user or a group. What it means: app/src/domain/access.
CREATE TABLE groups (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    created_ms INTEGER NOT NULL
) STRICT;

-- Those that are not built in.
CREATE TABLE roles (
    name       TEXT    PRIMARY KEY,
    -- Words with commas between.
    privileges TEXT    NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users_of_realms (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    username             TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    -- Where the password is checked: here ('local'), or by Proxmox in one of its realms.
    realm                TEXT    NOT NULL DEFAULT 'local',
    -- Argon2id in PHC string format; of local accounts alone.
    password_hash        TEXT,
    must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
    is_disabled          INTEGER NOT NULL DEFAULT 0 CHECK (is_disabled IN (0, 1)),
    -- The first millisecond in which it is over; NULL for never.
    expires_ms           INTEGER,
    -- Goes up when the password changes; a session of an older epoch is over.
    session_epoch        INTEGER NOT NULL DEFAULT 0,
    created_ms           INTEGER NOT NULL,
    CHECK ((realm = 'local') = (password_hash IS NOT NULL))
) STRICT;

CREATE TABLE grants (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id    INTEGER REFERENCES users_of_realms (id) ON DELETE CASCADE,
    group_id   INTEGER REFERENCES groups (id) ON DELETE CASCADE,
    -- A built-in one, or one of `roles`.
    role       TEXT    NOT NULL,
    -- As domain::access::Scope writes it.
    scope      TEXT    NOT NULL,
    -- The first millisecond in which it no longer holds; NULL for never.
    expires_ms INTEGER,
    created_ms INTEGER NOT NULL,
    created_by TEXT,
    CHECK ((user_id IS NULL) <> (group_id IS NULL))
) STRICT;

INSERT INTO users_of_realms (id, username, password_hash, must_change_password, session_epoch, created_ms)
SELECT id, username, password_hash, must_change_password, session_epoch, created_ms FROM users;
INSERT INTO grants (user_id, role, scope, created_ms) SELECT id, role, 'everything', created_ms FROM users;
-- A number once given is never given again.
UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'users') WHERE name = 'users_of_realms';
DROP TABLE users;
ALTER TABLE users_of_realms RENAME TO users;

CREATE UNIQUE INDEX one_grant_of_a_role_and_scope ON grants (coalesce(user_id, 0), coalesce(group_id, 0), role, scope);
CREATE INDEX grants_of_group ON grants (group_id);

CREATE TABLE members (
    group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX groups_of_user ON members (user_id);
