-- What the history is searched by. All of it stands in `operations` and is written by these triggers alone, so that no
-- way to write an operation forgets it. How it is read: app/src/store/history/search.rs.

-- What was done, by whom, and how it ended: one row for each combination that ever was, which are few.
CREATE TABLE history_deeds (
    id      INTEGER PRIMARY KEY,
    origin  TEXT    NOT NULL,
    -- Empty: none.
    backend TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    -- Empty: unknown.
    actor   TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    -- How many operations it has.
    n       INTEGER NOT NULL,
    UNIQUE (origin, backend, action, actor, state)
) STRICT;

-- What it was done to. Empty: none.
CREATE TABLE history_subjects (
    id      INTEGER PRIMARY KEY,
    backend TEXT    NOT NULL,
    guest   TEXT    NOT NULL,
    node    TEXT    NOT NULL,
    title   TEXT    NOT NULL,
    n       INTEGER NOT NULL,
    UNIQUE (backend, guest, node, title)
) STRICT;

-- Every operation by its id.
CREATE TABLE history (
    id         INTEGER PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    deed       INTEGER NOT NULL,
    subject    INTEGER NOT NULL
) STRICT;

-- Why those that have a failure failed, and where in these sentences each three letters stand.
CREATE TABLE history_failures (
    id         INTEGER PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    failure    TEXT    NOT NULL
) STRICT;
CREATE VIRTUAL TABLE history_words USING fts5 (failure, content = 'history_failures', content_rowid = 'id', tokenize = 'trigram');

INSERT INTO history_deeds (origin, backend, action, actor, state, n)
SELECT origin, coalesce(backend, ''), action, coalesce(actor, ''), state, count(*) FROM operations GROUP BY 1, 2, 3, 4, 5;
INSERT INTO history_subjects (backend, guest, node, title, n)
SELECT coalesce(backend, ''), coalesce(guest, ''), coalesce(node, ''), coalesce(title, ''), count(*)
FROM operations GROUP BY 1, 2, 3, 4;
INSERT INTO history
SELECT o.id, o.started_ms, d.id, s.id
FROM operations AS o
JOIN history_deeds AS d ON (d.origin, d.backend, d.action, d.actor, d.state)
                         = (o.origin, coalesce(o.backend, ''), o.action, coalesce(o.actor, ''), o.state)
JOIN history_subjects AS s ON (s.backend, s.guest, s.node, s.title)
                            = (coalesce(o.backend, ''), coalesce(o.guest, ''), coalesce(o.node, ''), coalesce(o.title, ''));
INSERT INTO history_failures SELECT id, started_ms, failure FROM operations WHERE failure IS NOT NULL;
INSERT INTO history_words (rowid, failure) SELECT id, failure FROM history_failures;

-- Each holds all that a search looks at, so that it reads no table beside.
CREATE INDEX history_by_time ON history (started_ms, id, deed, subject);
CREATE INDEX history_by_deed ON history (deed, started_ms, id, subject);
CREATE INDEX history_by_subject ON history (subject, started_ms, id, deed);
CREATE INDEX history_failures_by_time ON history_failures (started_ms, id);

CREATE TRIGGER history_begins AFTER INSERT ON operations
BEGIN
    INSERT INTO history_deeds (origin, backend, action, actor, state, n)
    VALUES (NEW.origin, coalesce(NEW.backend, ''), NEW.action, coalesce(NEW.actor, ''), NEW.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    INSERT INTO history_subjects (backend, guest, node, title, n)
    VALUES (coalesce(NEW.backend, ''), coalesce(NEW.guest, ''), coalesce(NEW.node, ''), coalesce(NEW.title, ''), 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    INSERT INTO history
    SELECT NEW.id, NEW.started_ms, d.id, s.id FROM history_deeds AS d, history_subjects AS s
    WHERE (d.origin, d.backend, d.action, d.actor, d.state)
        = (NEW.origin, coalesce(NEW.backend, ''), NEW.action, coalesce(NEW.actor, ''), NEW.state)
      AND (s.backend, s.guest, s.node, s.title)
        = (coalesce(NEW.backend, ''), coalesce(NEW.guest, ''), coalesce(NEW.node, ''), coalesce(NEW.title, ''));
END;

CREATE TRIGGER history_goes_on AFTER UPDATE OF origin, backend, action, actor, state ON operations
BEGIN
    UPDATE history_deeds SET n = n - 1 WHERE id = (SELECT deed FROM history WHERE id = NEW.id);
    INSERT INTO history_deeds (origin, backend, action, actor, state, n)
    VALUES (NEW.origin, coalesce(NEW.backend, ''), NEW.action, coalesce(NEW.actor, ''), NEW.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE history SET deed = (
        SELECT id FROM history_deeds AS d
        WHERE (d.origin, d.backend, d.action, d.actor, d.state)
            = (NEW.origin, coalesce(NEW.backend, ''), NEW.action, coalesce(NEW.actor, ''), NEW.state)
    ) WHERE id = NEW.id;
END;

CREATE TRIGGER history_moves AFTER UPDATE OF backend, guest, node, title ON operations
BEGIN
    UPDATE history_subjects SET n = n - 1 WHERE id = (SELECT subject FROM history WHERE id = NEW.id);
    INSERT INTO history_subjects (backend, guest, node, title, n)
    VALUES (coalesce(NEW.backend, ''), coalesce(NEW.guest, ''), coalesce(NEW.node, ''), coalesce(NEW.title, ''), 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE history SET subject = (
        SELECT id FROM history_subjects AS s
        WHERE (s.backend, s.guest, s.node, s.title)
            = (coalesce(NEW.backend, ''), coalesce(NEW.guest, ''), coalesce(NEW.node, ''), coalesce(NEW.title, ''))
    ) WHERE id = NEW.id;
END;

CREATE TRIGGER history_is_dated_anew AFTER UPDATE OF started_ms ON operations
BEGIN
    UPDATE history SET started_ms = NEW.started_ms WHERE id = NEW.id;
    UPDATE history_failures SET started_ms = NEW.started_ms WHERE id = NEW.id;
END;

CREATE TRIGGER history_forgets AFTER DELETE ON operations
BEGIN
    UPDATE history_deeds SET n = n - 1 WHERE id = (SELECT deed FROM history WHERE id = OLD.id);
    UPDATE history_subjects SET n = n - 1 WHERE id = (SELECT subject FROM history WHERE id = OLD.id);
    DELETE FROM history WHERE id = OLD.id;
    DELETE FROM history_failures WHERE id = OLD.id;
END;

CREATE TRIGGER history_begins_failed AFTER INSERT ON operations WHEN NEW.failure IS NOT NULL
BEGIN INSERT INTO history_failures VALUES (NEW.id, NEW.started_ms, NEW.failure); END;
CREATE TRIGGER history_fails AFTER UPDATE OF failure ON operations WHEN NEW.failure IS NOT OLD.failure
BEGIN
    DELETE FROM history_failures WHERE id = NEW.id;
    INSERT INTO history_failures SELECT NEW.id, NEW.started_ms, NEW.failure WHERE NEW.failure IS NOT NULL;
END;
CREATE TRIGGER history_words_come AFTER INSERT ON history_failures
BEGIN INSERT INTO history_words (rowid, failure) VALUES (NEW.id, NEW.failure); END;
CREATE TRIGGER history_words_go AFTER DELETE ON history_failures
BEGIN INSERT INTO history_words (history_words, rowid, failure) VALUES ('delete', OLD.id, OLD.failure); END;
