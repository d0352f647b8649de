//! Whether the tables are those that Paddock makes: another table, or a view, in the place of one could tell this look
//! something else than every other, and rows without a key of their own cannot be read page by page.

use std::collections::BTreeMap;

use sqlx::{Connection as _, SqliteConnection};

use crate::{ledger::Damage, store::open::MIGRATOR};

/// The tables that the proof reads.
const TABLES: [&str; 12] = [
    "ledger",
    "ledger_checkpoints",
    "ledger_head",
    "ledger_archives",
    "operations",
    "operation_steps",
    "operation_output",
    "history",
    "history_kinds",
    "history_actors",
    "history_subjects",
    "history_failures",
];

/// Of each table whether it is one and strict, then its columns: their names, types and places in the key.
type Shapes = BTreeMap<String, Vec<String>>;

async fn shapes(db: &mut SqliteConnection) -> Result<Shapes, sqlx::Error> {
    let lines: Vec<(String, String)> = sqlx::query_as(
        "SELECT name, concat_ws(' ', type, wr, strict) FROM pragma_table_list WHERE schema = 'main'
         UNION ALL
         SELECT t.name, concat_ws(' ', c.cid, c.name, c.type, c.\"notnull\", c.pk, c.hidden)
         FROM pragma_table_list AS t JOIN pragma_table_xinfo(t.name) AS c WHERE t.schema = 'main'",
    )
    .fetch_all(db)
    .await?;
    let mut shapes = Shapes::new();
    for (table, line) in lines {
        shapes.entry(table).or_default().push(line);
    }
    Ok(shapes)
}

/// Each table that is not as it should be.
pub(super) async fn look(db: &mut SqliteConnection) -> Result<Vec<Damage>, sqlx::Error> {
    let mut fresh = SqliteConnection::connect("sqlite::memory:").await?;
    MIGRATOR.run_direct(&mut fresh).await.map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let (should, is) = (shapes(&mut fresh).await?, shapes(db).await?);
    let others = TABLES.into_iter().filter(|table| should.get(*table) != is.get(*table));
    let damage = |table: &str| Damage::Malformed {
        at: format!("the table {table}"),
        why: "it is not there with the columns that Paddock gives it".to_owned(),
    };
    Ok(others.map(damage).collect())
}
