-- The history's search with many users and many guests: what was done (`history_kinds`) and who did it
-- (`history_actors`) are lists of their own, as all that ever came together of the two are too many to look through;
-- names of guests are found by their letters. How it is read: app/src/store/history/search.rs.

DROP TRIGGER history_begins;
DROP TRIGGER history_goes_on;
DROP TRIGGER history_moves;
DROP TRIGGER history_is_dated_anew;
DROP TRIGGER history_forgets;
DROP TRIGGER history_words_come;
DROP TRIGGER history_words_go;
DROP TABLE history;
DROP TABLE history_deeds;
DROP TABLE history_words;

-- What was done where, and how it ended: one row for each combination that ever was, which are few.
CREATE TABLE history_kinds (
    id      INTEGER PRIMARY KEY,
    origin  TEXT    NOT NULL,
    -- Empty: none.
    backend TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    state   TEXT    NOT NULL,
    -- How many operations it has.
    n       INTEGER NOT NULL,
    UNIQUE (origin, backend, action, state)
) STRICT;

CREATE TABLE history_actors (
    id   INTEGER PRIMARY KEY,
    -- Empty: unknown.
    name TEXT    NOT NULL UNIQUE,
    n    INTEGER NOT NULL
) STRICT;

-- Every operation by its id.
CREATE TABLE history (
    id         INTEGER PRIMARY KEY,
    started_ms INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    actor      INTEGER NOT NULL,
    subject    INTEGER NOT NULL
) STRICT;

-- Where each three letters stand in the names of subjects, which stay for good. Two line feeds end each name, so that also
-- fewer letters are the beginning of three.
CREATE VIRTUAL TABLE history_names USING fts5 (names, content = '', tokenize = 'trigram');
CREATE VIRTUAL TABLE history_names_terms USING fts5vocab (history_names, row);

-- The same of failures.
CREATE VIEW history_failure_words (id, failure) AS SELECT id, failure || char(10, 10) FROM history_failures;
CREATE VIRTUAL TABLE history_words USING fts5 (
    failure, content = 'history_failure_words', content_rowid = 'id', tokenize = 'trigram'
);
CREATE VIRTUAL TABLE history_words_terms USING fts5vocab (history_words, row);

INSERT INTO history_kinds (origin, backend, action, state, n)
SELECT origin, coalesce(backend, ''), action, state, count(*) FROM operations GROUP BY 1, 2, 3, 4;
INSERT INTO history_actors (name, n) SELECT coalesce(actor, ''), count(*) FROM operations GROUP BY 1;
INSERT INTO history
SELECT o.id, o.started_ms, k.id, a.id, s.id
FROM operations AS o
JOIN history_kinds AS k ON (k.origin, k.backend, k.action, k.state) = (o.origin, coalesce(o.backend, ''), o.action, o.state)
JOIN history_actors AS a ON a.name = coalesce(o.actor, '')
JOIN history_subjects AS s ON (s.backend, s.guest, s.node, s.title)
                            = (coalesce(o.backend, ''), coalesce(o.guest, ''), coalesce(o.node, ''), coalesce(o.title, ''));
INSERT INTO history_names (rowid, names)
SELECT id, guest || char(10, 10) || title || char(10, 10) || node || char(10, 10) FROM history_subjects;
INSERT INTO history_words (rowid, failure) SELECT id, failure FROM history_failure_words;

-- Each holds all that a search looks at, so that it reads no table beside.
CREATE INDEX history_by_time ON history (started_ms, id, kind, actor, subject);
CREATE INDEX history_by_kind ON history (kind, started_ms, id, actor, subject);
CREATE INDEX history_by_actor ON history (actor, kind, started_ms, id, subject);
CREATE INDEX history_by_subject ON history (subject, started_ms, id, kind, actor);
CREATE INDEX history_subjects_by_guest ON history_subjects (guest);
CREATE INDEX history_subjects_by_title ON history_subjects (title);

CREATE TRIGGER history_begins AFTER INSERT ON operations
BEGIN
    INSERT INTO history_kinds (origin, backend, action, state, n)
    VALUES (NEW.origin, coalesce(NEW.backend, ''), NEW.action, NEW.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    INSERT INTO history_actors (name, n) VALUES (coalesce(NEW.actor, ''), 1) ON CONFLICT DO UPDATE SET n = n + 1;
    INSERT INTO history_subjects (backend, guest, node, title, n)
    VALUES (coalesce(NEW.backend, ''), coalesce(NEW.guest, ''), coalesce(NEW.node, ''), coalesce(NEW.title, ''), 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    INSERT INTO history
    SELECT NEW.id, NEW.started_ms, k.id, a.id, s.id FROM history_kinds AS k, history_actors AS a, history_subjects AS s
    WHERE (k.origin, k.backend, k.action, k.state) = (NEW.origin, coalesce(NEW.backend, ''), NEW.action, NEW.state)
      AND a.name = coalesce(NEW.actor, '')
      AND (s.backend, s.guest, s.node, s.title)
        = (coalesce(NEW.backend, ''), coalesce(NEW.guest, ''), coalesce(NEW.node, ''), coalesce(NEW.title, ''));
END;

CREATE TRIGGER history_goes_on AFTER UPDATE OF origin, backend, action, state ON operations
BEGIN
    UPDATE history_kinds SET n = n - 1 WHERE id = (SELECT kind FROM history WHERE id = NEW.id);
    INSERT INTO history_kinds (origin, backend, action, state, n)
    VALUES (NEW.origin, coalesce(NEW.backend, ''), NEW.action, NEW.state, 1)
    ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE history SET kind = (
        SELECT id FROM history_kinds AS k
        WHERE (k.origin, k.backend, k.action, k.state) = (NEW.origin, coalesce(NEW.backend, ''), NEW.action, NEW.state)
    ) WHERE id = NEW.id;
END;

CREATE TRIGGER history_changes_hands AFTER UPDATE OF actor ON operations
BEGIN
    UPDATE history_actors SET n = n - 1 WHERE id = (SELECT actor FROM history WHERE id = NEW.id);
    INSERT INTO history_actors (name, n) VALUES (coalesce(NEW.actor, ''), 1) ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE history SET actor = (SELECT id FROM history_actors WHERE name = coalesce(NEW.actor, '')) WHERE id = NEW.id;
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
    UPDATE history_kinds SET n = n - 1 WHERE id = (SELECT kind FROM history WHERE id = OLD.id);
    UPDATE history_actors SET n = n - 1 WHERE id = (SELECT actor FROM history WHERE id = OLD.id);
    UPDATE history_subjects SET n = n - 1 WHERE id = (SELECT subject FROM history WHERE id = OLD.id);
    DELETE FROM history WHERE id = OLD.id;
    DELETE FROM history_failures WHERE id = OLD.id;
END;

CREATE TRIGGER history_names_come AFTER INSERT ON history_subjects
BEGIN
    INSERT INTO history_names (rowid, names)
    VALUES (NEW.id, NEW.guest || char(10, 10) || NEW.title || char(10, 10) || NEW.node || char(10, 10));
END;
CREATE TRIGGER history_words_come AFTER INSERT ON history_failures
BEGIN INSERT INTO history_words (rowid, failure) VALUES (NEW.id, NEW.failure || char(10, 10)); END;
CREATE TRIGGER history_words_go AFTER DELETE ON history_failures
BEGIN
    INSERT INTO history_words (history_words, rowid, failure) VALUES ('delete', OLD.id, OLD.failure || char(10, 10));
END;
