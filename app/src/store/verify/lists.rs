//! Whether the history shows each operation as it is recorded: a page is found by lists that are kept beside the operations,
//! and what these leave out nobody would see.

use sqlx::SqliteConnection;

/// Those of the operations from one id to another that the lists leave out, show as something else, or made up.
pub(super) async fn hidden(db: &mut SqliteConnection, from: i64, to: i64) -> Result<Vec<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "SELECT o.id
         FROM operations AS o
         LEFT JOIN history AS h ON h.id = o.id
         LEFT JOIN history_kinds AS k ON k.id = h.kind
         LEFT JOIN history_actors AS a ON a.id = h.actor
         LEFT JOIN history_subjects AS s ON s.id = h.subject
         LEFT JOIN history_failures AS f ON f.id = o.id
         WHERE o.id BETWEEN ?1 AND ?2
           AND ((h.started_ms, k.origin, k.backend, k.action, k.state, k.n > 0, a.name, a.n > 0) IS NOT
                    (o.started_ms, o.origin, coalesce(o.backend, ''), o.action, o.state, true, coalesce(o.actor, ''), true)
                OR (s.backend, s.guest, s.node, s.title, s.n > 0) IS NOT
                    (coalesce(o.backend, ''), coalesce(o.guest, ''), coalesce(o.node, ''), coalesce(o.title, ''), true)
                OR (f.failure, f.started_ms) IS NOT (o.failure, iif(o.failure IS NULL, NULL, o.started_ms)))
         UNION ALL
         SELECT h.id FROM history AS h
         WHERE h.id BETWEEN ?1 AND ?2 AND NOT EXISTS (SELECT 1 FROM operations AS o WHERE o.id = h.id)",
    )
    .bind(from)
    .bind(to)
    .fetch_all(db)
    .await
}
