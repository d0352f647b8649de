-- What happens outside Paddock. Up to when each source was read: Proxmox's tasks, and the guests of the backends that keep
-- no record of what is done.
CREATE TABLE outside_read (
    source   TEXT    PRIMARY KEY CHECK (source IN ('tasks', 'lxc', 'crun')),
    until_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How each of those guests was last seen at rest and since when, so that a change while Paddock was down is told.
CREATE TABLE known_guests (
    backend  TEXT    NOT NULL CHECK (backend IN ('lxc', 'crun')),
    guest    TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    since_ms INTEGER NOT NULL,
    PRIMARY KEY (backend, guest)
) STRICT, WITHOUT ROWID;

-- A copy appears by an operation on another guest.
CREATE INDEX clones ON operations (backend, finished_ms) WHERE action = 'clone';

-- The tasks of operations that are older than the table of tasks: they are Paddock's own.
INSERT OR IGNORE INTO tasks (upid, operation_id)
SELECT upid, operation_id FROM (
    SELECT operation_id,
           CASE WHEN json_valid(outcome)
                THEN coalesce(json_extract(outcome, '$.result.answered.upid'), json_extract(outcome, '$.result."not-answered".upid'))
           END AS upid
    FROM operation_steps
) WHERE upid IS NOT NULL;
