-- Saved views of the guests' list: what somebody asks of it again and again, under a name.

CREATE TABLE saved_views (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id  INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name     TEXT    NOT NULL,
    -- The words of the list's address: the filter as typed, the column with its direction, what is grouped by (empty for
    -- no groups).
    filter   TEXT    NOT NULL,
    sort     TEXT    NOT NULL,
    grouping TEXT    NOT NULL,
    UNIQUE (user_id, name)
) STRICT;
