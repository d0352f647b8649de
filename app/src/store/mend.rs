//! Triggers and indexes that somebody took away or changed are made anew when the database is opened: without them what is
//! recorded from now on would be less well kept than what was recorded before. What happened meanwhile, the proof tells.

use std::collections::BTreeMap;

use sqlx::{Connection as _, SqliteConnection, SqlitePool};

use super::open::MIGRATOR;

/// Type and name, with the statement that makes it.
type Parts = BTreeMap<(String, String), String>;

async fn parts(db: &mut SqliteConnection) -> Result<Parts, sqlx::Error> {
    // What SQLite makes by itself has no statement.
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT type, name, sql FROM sqlite_schema WHERE type IN ('trigger', 'index') AND sql IS NOT NULL",
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|(kind, name, sql)| ((kind, name), sql)).collect())
}

/// What cannot be made anew, as the rows that are there do not allow it, is told in the log, and does not keep Paddock
/// from recording.
pub(super) async fn mend(pool: &SqlitePool) -> Result<(), sqlx::Error> {
    let mut fresh = SqliteConnection::connect("sqlite::memory:").await?;
    MIGRATOR.run_direct(&mut fresh).await.map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let should = parts(&mut fresh).await?;
    fresh.close().await?;
    let is = parts(&mut *pool.acquire().await?).await?;
    for ((kind, name), sql) in should {
        let found = is.get(&(kind.clone(), name.clone()));
        if found == Some(&sql) {
            continue;
        }
        let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await?;
        if found.is_some() {
            sqlx::query(&format!("DROP {kind} \"{name}\"")).execute(&mut *transaction).await?;
        }
        match sqlx::query(&sql).execute(&mut *transaction).await {
            Ok(_) => {
                transaction.commit().await?;
                tracing::error!(
                    kind,
                    name,
                    "a part of the database had been changed outside Paddock and was made anew"
                );
            }
            Err(error) => {
                tracing::error!(kind, name, error = %error, "a part of the database was changed outside Paddock and cannot be made anew");
            }
        }
    }
    Ok(())
}
