-- What kind of failure ended an operation: a word of domain::failure::FailureKind.
ALTER TABLE operations ADD COLUMN failure_kind TEXT;
-- What people called the guest when the operation began, where its id is a number.
ALTER TABLE operations ADD COLUMN title TEXT;
-- The Proxmox task of the step at work, so that it can be found again after a kill.
ALTER TABLE operations ADD COLUMN upid TEXT;
-- The Paddock process that watches over the operation: the server, or a command line beside it. Only once that
-- process is gone may another one settle the operation.
ALTER TABLE operations ADD COLUMN owner_pid INTEGER;
ALTER TABLE operations ADD COLUMN owner_start_ticks INTEGER;
-- A person wants its end; whichever process owns it reads this.
ALTER TABLE operations ADD COLUMN cancel_wanted INTEGER NOT NULL DEFAULT 0 CHECK (cancel_wanted IN (0, 1));
