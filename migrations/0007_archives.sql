-- Operations can be moved into archives. That a Proxmox task was brought in is remembered all the same, or it would be
-- brought in again: the table of tasks refers to operations that may be gone.
CREATE TABLE new_tasks (
    upid         TEXT    PRIMARY KEY,
    operation_id INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO new_tasks SELECT upid, operation_id FROM tasks;
DROP TABLE tasks;
ALTER TABLE new_tasks RENAME TO tasks;
CREATE INDEX tasks_of_operation ON tasks (operation_id);

-- What belongs to an operation stays for as long as the operation.
CREATE TRIGGER steps_are_not_removed BEFORE DELETE ON operation_steps
WHEN OLD.operation_id > (SELECT coalesce(max(last_operation), 0) FROM ledger_archives)
BEGIN SELECT RAISE(ABORT, 'only archived operations can be removed'); END;
CREATE TRIGGER output_is_not_removed BEFORE DELETE ON operation_output
WHEN OLD.operation_id > (SELECT coalesce(max(last_operation), 0) FROM ledger_archives)
BEGIN SELECT RAISE(ABORT, 'only archived operations can be removed'); END;
