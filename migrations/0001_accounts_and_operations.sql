-- Who may log in.
CREATE TABLE users (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    username             TEXT    NOT NULL COLLATE NOCASE UNIQUE,
    -- Argon2id in PHC string format.
    password_hash        TEXT    NOT NULL,
    role                 TEXT    NOT NULL CHECK (role IN ('viewer', 'operator', 'administrator')),
    must_change_password INTEGER NOT NULL CHECK (must_change_password IN (0, 1)),
    -- Goes up when the password changes; a session of an older epoch is over.
    session_epoch        INTEGER NOT NULL DEFAULT 0,
    created_ms           INTEGER NOT NULL
) STRICT;

-- One action on one guest by one actor, from its beginning to its end.
CREATE TABLE operations (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    backend          TEXT    NOT NULL CHECK (backend IN ('proxmox-lxc', 'proxmox-vm', 'lxc', 'crun')),
    guest            TEXT    NOT NULL,
    action           TEXT    NOT NULL,
    actor            TEXT    NOT NULL,
    -- The network address the request came from.
    address          TEXT,
    state            TEXT    NOT NULL CHECK (state IN ('running', 'succeeded', 'failed', 'cancelled', 'interrupted')),
    -- JSON of domain::plan::Plan, as executed.
    plan             TEXT    NOT NULL,
    started_ms       INTEGER NOT NULL,
    finished_ms      INTEGER,
    failure          TEXT,
    -- JSON of domain::operation::GuestAfter.
    guest_after      TEXT,
    -- The process of the step at work, so that the next start can find what a killed Paddock left behind.
    tool_pid         INTEGER,
    tool_start_ticks INTEGER,
    CHECK ((state = 'running') = (finished_ms IS NULL))
) STRICT;

-- The lock that holds between people, tabs and processes: at most one live operation for each guest.
CREATE UNIQUE INDEX one_live_operation_per_guest ON operations (backend, guest) WHERE state = 'running';
CREATE INDEX operations_of_guest ON operations (backend, guest, id);

-- What came of each step that has ended. JSON of domain::plan::StepOutcome.
CREATE TABLE operation_steps (
    operation_id INTEGER NOT NULL REFERENCES operations (id),
    step         INTEGER NOT NULL,
    outcome      TEXT    NOT NULL,
    PRIMARY KEY (operation_id, step)
) STRICT, WITHOUT ROWID;

-- What the tools said, in the order they said it.
CREATE TABLE operation_output (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    operation_id INTEGER NOT NULL REFERENCES operations (id),
    step         INTEGER NOT NULL,
    stream       TEXT    NOT NULL CHECK (stream IN ('stdout', 'stderr', 'log')),
    at_ms        INTEGER NOT NULL,
    text         TEXT    NOT NULL
) STRICT;

CREATE INDEX output_of_operation ON operation_output (operation_id, id);
