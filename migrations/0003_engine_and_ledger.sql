-- Operations with a place in line, a parent, and an origin; nothing that has ended can be changed any more. The table
-- is made anew, as SQLite cannot change a CHECK; what refers to it goes with it.
CREATE TABLE new_operations (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Who set it going: Paddock; somebody else, as a Proxmox task; or unknown, seen only by what it changed.
    origin           TEXT    NOT NULL CHECK (origin IN ('paddock', 'task', 'observed')),
    -- The bulk action that it is one part of, and for that one, how many parts it has.
    parent_id        INTEGER REFERENCES new_operations (id),
    children         INTEGER,
    -- NULL for a bulk action and for a task of a node.
    backend          TEXT    CHECK (backend IN ('proxmox-lxc', 'proxmox-vm', 'lxc', 'crun')),
    guest            TEXT,
    node             TEXT,
    -- What people called the guest when the operation began, where its id is a number.
    title            TEXT,
    -- Text of domain::operation::Deed.
    action           TEXT    NOT NULL,
    -- NULL: unknown.
    actor            TEXT,
    -- The network address the request came from.
    address          TEXT,
    state            TEXT    NOT NULL CHECK (state IN ('planned', 'running', 'succeeded', 'failed', 'cancelled', 'timed-out', 'interrupted')),
    -- JSON of domain::action::ActionRequest, secrets masked; NULL where Paddock was not asked.
    request          TEXT,
    -- JSON of domain::plan::Plan, as executed.
    plan             TEXT    NOT NULL,
    -- When it was asked for, when it left the line, and when it ended.
    started_ms       INTEGER NOT NULL,
    running_ms       INTEGER,
    finished_ms      INTEGER,
    failure          TEXT,
    -- A word of domain::failure::FailureKind.
    failure_kind     TEXT,
    -- JSON of domain::operation::GuestAfter.
    guest_after      TEXT,
    -- The process of the step at work, so that the next start can find what a killed Paddock left behind.
    tool_pid         INTEGER,
    tool_start_ticks INTEGER,
    -- The step at work and its Proxmox task, for as long as the step's outcome is not recorded.
    task_step        INTEGER,
    upid             TEXT,
    -- The Paddock process that watches over it: the server, or a command line beside it. Only once that process is
    -- gone may another one settle the operation.
    owner_pid        INTEGER,
    owner_start_ticks INTEGER,
    -- A person wants its end; whichever process owns it reads this.
    cancel_wanted    INTEGER NOT NULL DEFAULT 0 CHECK (cancel_wanted IN (0, 1)),
    CHECK ((state IN ('planned', 'running')) = (finished_ms IS NULL)),
    CHECK ((backend IS NULL) = (guest IS NULL))
) STRICT;

CREATE TABLE new_operation_steps (
    operation_id INTEGER NOT NULL REFERENCES new_operations (id),
    step         INTEGER NOT NULL,
    -- JSON of domain::plan::StepOutcome.
    outcome      TEXT    NOT NULL,
    PRIMARY KEY (operation_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE new_operation_output (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    operation_id INTEGER NOT NULL REFERENCES new_operations (id),
    step         INTEGER NOT NULL,
    stream       TEXT    NOT NULL CHECK (stream IN ('stdout', 'stderr', 'log')),
    at_ms        INTEGER NOT NULL,
    text         TEXT    NOT NULL
) STRICT;

INSERT INTO new_operations (id, origin, backend, guest, title, action, actor, address, state, plan, started_ms, running_ms,
                            finished_ms, failure, failure_kind, guest_after, tool_pid, tool_start_ticks, upid, owner_pid,
                            owner_start_ticks, cancel_wanted)
SELECT id, 'paddock', backend, guest, title, action, actor, address, state, plan, started_ms, started_ms, finished_ms, failure,
       failure_kind, guest_after, tool_pid, tool_start_ticks, CASE state WHEN 'running' THEN upid END, owner_pid, owner_start_ticks,
       cancel_wanted
FROM operations;
INSERT INTO new_operation_steps SELECT operation_id, step, outcome FROM operation_steps;
INSERT INTO new_operation_output SELECT id, operation_id, step, stream, at_ms, text FROM operation_output;

DROP TABLE operation_output;
DROP TABLE operation_steps;
DROP TABLE operations;
ALTER TABLE new_operations RENAME TO operations;
ALTER TABLE new_operation_steps RENAME TO operation_steps;
ALTER TABLE new_operation_output RENAME TO operation_output;

-- The lock that holds between people, tabs and processes: at most one live operation for each guest.
CREATE UNIQUE INDEX one_live_operation_per_guest ON operations (backend, guest)
    WHERE state IN ('planned', 'running') AND origin = 'paddock';
CREATE INDEX live_operations ON operations (id) WHERE state IN ('planned', 'running');
CREATE INDEX operations_of_guest ON operations (backend, guest, started_ms, id);
CREATE INDEX operations_of_parent ON operations (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX output_of_operation ON operation_output (operation_id, id);

-- An end is written once and stays.
CREATE TRIGGER an_ended_operation_stays BEFORE UPDATE ON operations
WHEN OLD.state NOT IN ('planned', 'running')
BEGIN SELECT RAISE(ABORT, 'an operation that has ended cannot be changed'); END;
CREATE TRIGGER operations_go_forward BEFORE UPDATE OF state ON operations
WHEN OLD.state = 'running' AND NEW.state = 'planned'
BEGIN SELECT RAISE(ABORT, 'a running operation does not go back into the line'); END;
CREATE TRIGGER output_ends_with_its_operation BEFORE INSERT ON operation_output
WHEN (SELECT state FROM operations WHERE id = NEW.operation_id) NOT IN ('planned', 'running')
BEGIN SELECT RAISE(ABORT, 'an operation that has ended says nothing more'); END;
CREATE TRIGGER output_stays BEFORE UPDATE ON operation_output
BEGIN SELECT RAISE(ABORT, 'what a tool said cannot be changed'); END;
CREATE TRIGGER steps_end_with_their_operation BEFORE INSERT ON operation_steps
WHEN (SELECT state FROM operations WHERE id = NEW.operation_id) NOT IN ('planned', 'running')
BEGIN SELECT RAISE(ABORT, 'an operation that has ended has no further steps'); END;
CREATE TRIGGER steps_stay BEFORE UPDATE ON operation_steps
WHEN (SELECT state FROM operations WHERE id = OLD.operation_id) NOT IN ('planned', 'running')
BEGIN SELECT RAISE(ABORT, 'what came of a step cannot be changed'); END;

-- Every Proxmox task that belongs to an operation, Paddock's own and those brought in, so that each is known once.
CREATE TABLE tasks (
    upid         TEXT    PRIMARY KEY,
    operation_id INTEGER NOT NULL REFERENCES operations (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX tasks_of_operation ON tasks (operation_id);

-- The newest operation of each guest, for lists.
CREATE TABLE last_operations (
    backend      TEXT    NOT NULL,
    guest        TEXT    NOT NULL,
    operation_id INTEGER NOT NULL REFERENCES operations (id),
    PRIMARY KEY (backend, guest)
) STRICT, WITHOUT ROWID;
INSERT INTO last_operations SELECT backend, guest, max(id) FROM operations GROUP BY backend, guest;

-- The ledger: what happened, each entry bound to the one before it. The encoding stands in app/src/ledger.
CREATE TABLE ledger (
    -- From 1, without gaps but for what is archived: a gap is a loss.
    seq       INTEGER PRIMARY KEY,
    at_ms     INTEGER NOT NULL,
    kind      TEXT    NOT NULL,
    actor     TEXT,
    address   TEXT,
    subject   TEXT,
    operation INTEGER,
    -- JSON object.
    detail    TEXT    NOT NULL,
    previous  BLOB    NOT NULL CHECK (length(previous) = 32),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX ledger_of_operation ON ledger (operation, seq) WHERE operation IS NOT NULL;

-- Signed now and then; each proves all entries up to its own.
CREATE TABLE ledger_checkpoints (
    seq       INTEGER PRIMARY KEY,
    hash      BLOB    NOT NULL CHECK (length(hash) = 32),
    at_ms     INTEGER NOT NULL,
    key       BLOB    NOT NULL CHECK (length(key) = 32),
    signature BLOB    NOT NULL CHECK (length(signature) = 64)
) STRICT;

-- The newest entry, signed anew with each: a tail that was cut off is missed by this.
CREATE TABLE ledger_head (
    only_one  INTEGER PRIMARY KEY CHECK (only_one = 1),
    seq       INTEGER NOT NULL,
    hash      BLOB    NOT NULL CHECK (length(hash) = 32),
    at_ms     INTEGER NOT NULL,
    key       BLOB    NOT NULL CHECK (length(key) = 32),
    signature BLOB    NOT NULL CHECK (length(signature) = 64)
) STRICT;

-- What was moved into a signed file: the entries up to `last_seq` and the operations up to `last_operation` that had
-- ended by then.
CREATE TABLE ledger_archives (
    id             INTEGER PRIMARY KEY,
    first_seq      INTEGER NOT NULL,
    last_seq       INTEGER NOT NULL,
    last_hash      BLOB    NOT NULL CHECK (length(last_hash) = 32),
    last_operation INTEGER NOT NULL,
    file           TEXT    NOT NULL,
    -- SHA-256 of the file's bytes.
    digest         BLOB    NOT NULL CHECK (length(digest) = 32),
    at_ms          INTEGER NOT NULL
) STRICT;

CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_is_not_shortened BEFORE DELETE ON ledger
WHEN OLD.seq > (SELECT coalesce(max(last_seq), 0) FROM ledger_archives)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER checkpoints_are_not_changed BEFORE UPDATE ON ledger_checkpoints
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER checkpoints_are_not_removed BEFORE DELETE ON ledger_checkpoints
WHEN OLD.seq > (SELECT coalesce(max(last_seq), 0) FROM ledger_archives)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER the_head_only_moves_on BEFORE UPDATE ON ledger_head
WHEN NEW.seq <= OLD.seq
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER the_head_stays BEFORE DELETE ON ledger_head
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER archives_are_not_changed BEFORE UPDATE ON ledger_archives
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER archives_are_not_forgotten BEFORE DELETE ON ledger_archives
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER operations_stay BEFORE DELETE ON operations
WHEN OLD.state IN ('planned', 'running')
  OR OLD.id > (SELECT coalesce(max(last_operation), 0) FROM ledger_archives)
BEGIN SELECT RAISE(ABORT, 'only archived operations can be removed'); END;
