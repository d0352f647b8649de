//! Somebody who may write to the database's file, but lacks the key.

use std::path::{Path, PathBuf};

use app::{ledger::Damage, store::Proof};
use sqlx::{
    Column as _, Connection as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _,
    sqlite::SqliteConnectOptions,
};

use super::sample::Sample;

/// The sample without what protects it, to be changed again and again.
pub struct Attacker {
    pub sample: Sample,
    file: PathBuf,
    whole: Vec<u8>,
}

/// A row and one of its columns.
#[derive(Debug, Clone)]
pub struct Place {
    pub table: &'static str,
    pub column: String,
    /// What finds the row.
    pub row: String,
}

impl Attacker {
    pub async fn of(sample: Sample) -> Self {
        let file = sample.path.with_file_name("attacked.db");
        std::fs::copy(&sample.path, &file).unwrap();
        let mut db = connect(&file).await;
        let triggers: Vec<String> =
            sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'trigger'")
                .fetch_all(&mut db)
                .await
                .unwrap();
        for trigger in triggers {
            sqlx::query(&format!("DROP TRIGGER {trigger}")).execute(&mut db).await.unwrap();
        }
        // No more than the one file, so that it can be put back as it was.
        sqlx::query("PRAGMA journal_mode = DELETE").execute(&mut db).await.unwrap();
        db.close().await.unwrap();
        let whole = std::fs::read(&file).unwrap();
        Self { sample, file, whole }
    }

    pub async fn new() -> Self {
        Self::of(Sample::make().await).await
    }

    /// What is found after these statements, on the database as it was before all others.
    pub async fn after(&self, statements: &[&str]) -> Proof {
        self.after_sessions(&[statements]).await
    }

    /// The same, by someone who opens the file several times.
    pub async fn after_sessions(&self, sessions: &[&[&str]]) -> Proof {
        std::fs::write(&self.file, &self.whole).unwrap();
        for statements in sessions {
            let mut db = connect(&self.file).await;
            for statement in *statements {
                sqlx::query(statement).execute(&mut db).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
            }
            db.close().await.unwrap();
        }
        self.sample.proof_of(&self.file).await
    }

    /// The file after these statements.
    pub async fn changed_by(&self, statements: &[&str]) -> PathBuf {
        let file = self.sample.path.with_file_name("changed.db");
        self.after(statements).await;
        for end in ["-wal", "-shm"] {
            let mut name = file.clone().into_os_string();
            name.push(end);
            let _ = std::fs::remove_file(name);
        }
        std::fs::copy(&self.file, &file).unwrap();
        file
    }

    /// As [`after`](Self::after), and that is damage; which is told first?
    pub async fn first_after(&self, statements: &[&str]) -> Damage {
        let proof = self.after(statements).await;
        proof.report.first().cloned().unwrap_or_else(|| panic!("not found: {statements:?}"))
    }

    /// After a change of this one value.
    pub async fn first_changed(&self, place: &Place) -> Damage {
        let change = self.change_of(place).await;
        self.first_after(&[&change]).await
    }

    /// A statement that gives this one value another.
    pub async fn change_of(&self, place: &Place) -> String {
        let Place { table, column, row } = place;
        let mut db = connect(&self.file_as_it_was()).await;
        let query = format!("SELECT {column} FROM {table} WHERE {row}");
        let value = sqlx::query(&query).fetch_one(&mut db).await.unwrap();
        let changed = changed(&value);
        db.close().await.unwrap();
        format!("UPDATE {table} SET {column} = {changed} WHERE {row}")
    }

    fn file_as_it_was(&self) -> PathBuf {
        std::fs::write(&self.file, &self.whole).unwrap();
        self.file.clone()
    }

    /// What the database as it was answers: numbers of one column.
    pub async fn numbers(&self, query: &str) -> Vec<i64> {
        let mut db = connect(&self.file_as_it_was()).await;
        let numbers = sqlx::query_scalar(query).fetch_all(&mut db).await.unwrap();
        db.close().await.unwrap();
        numbers
    }

    pub async fn columns(&self, table: &str) -> Vec<String> {
        let mut db = connect(&self.file_as_it_was()).await;
        let query = format!("SELECT name FROM pragma_table_info('{table}')");
        let names = sqlx::query_scalar(&query).fetch_all(&mut db).await.unwrap();
        db.close().await.unwrap();
        names
    }
}

pub async fn connect(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(false)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Off)
        .pragma("ignore_check_constraints", "ON");
    SqliteConnection::connect_with(&options).await.unwrap()
}

/// Another value of the same type, as SQL.
fn changed(row: &sqlx::sqlite::SqliteRow) -> String {
    let value = row.try_get_raw(0).unwrap();
    if value.is_null() {
        // The type that the column was made with.
        let is_number = row.columns()[0].type_info().name() == "INTEGER";
        return if is_number { "7".to_owned() } else { "'x'".to_owned() };
    }
    match value.type_info().name() {
        "INTEGER" => (row.get::<i64, _>(0) + 1).to_string(),
        "TEXT" => format!("CAST(X'{}78' AS TEXT)", hex(row.get::<&str, _>(0).as_bytes())),
        "BLOB" => {
            let mut bytes: Vec<u8> = row.get(0);
            let middle = bytes.len() / 2;
            bytes[middle] ^= 4;
            format!("X'{}'", hex(&bytes))
        }
        other => panic!("{other}"),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
