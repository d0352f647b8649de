//! How an export is written.

use std::{borrow::Cow, io};

use crate::store::HistoryRecord;

/// The first line of CSV: the fields of [`HistoryRecord`].
const COLUMNS: [&str; 27] = [
    "id",
    "origin",
    "parent",
    "backend",
    "guest",
    "title",
    "node",
    "action",
    "actor",
    "address",
    "state",
    "started",
    "started_ms",
    "running",
    "running_ms",
    "finished",
    "finished_ms",
    "failure_kind",
    "failure",
    "guest_after",
    "plan_hash",
    "begun_seq",
    "begun_hash",
    "ended_seq",
    "ended_hash",
    "children",
    "damaged",
];

/// A spreadsheet would take a cell that begins so for a formula; the last four are those of East Asian keyboards.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A cell that is text for every spreadsheet.
fn defused(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.starts_with(FORMULA) { Cow::Owned(format!("'{text}")) } else { text }
}

fn text(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

/// Empty where there is none.
fn maybe(text: Option<&String>) -> Cow<'_, str> {
    Cow::Borrowed(text.map_or("", String::as_str))
}

fn number<'a>(number: impl Into<Option<i64>>) -> Cow<'a, str> {
    Cow::Owned(number.into().map(|number| number.to_string()).unwrap_or_default())
}

fn row(record: &HistoryRecord) -> [Cow<'_, str>; COLUMNS.len()] {
    [
        number(record.id),
        text(&record.origin),
        number(record.parent),
        maybe(record.backend.as_ref()),
        maybe(record.guest.as_ref()),
        maybe(record.title.as_ref()),
        maybe(record.node.as_ref()),
        text(&record.action),
        maybe(record.actor.as_ref()),
        maybe(record.address.as_ref()),
        text(&record.state),
        text(&record.started),
        number(record.started_ms),
        maybe(record.running.as_ref()),
        number(record.running_ms),
        maybe(record.finished.as_ref()),
        number(record.finished_ms),
        maybe(record.failure_kind.as_ref()),
        maybe(record.failure.as_ref()),
        maybe(record.guest_after.as_ref()),
        text(&record.plan_hash),
        number(record.begun_seq),
        maybe(record.begun_hash.as_ref()),
        number(record.ended_seq),
        maybe(record.ended_hash.as_ref()),
        number(record.children),
        maybe(record.damaged.as_ref()),
    ]
}

pub(super) fn csv(records: &[HistoryRecord], with_header: bool) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    if with_header {
        writer.write_record(COLUMNS)?;
    }
    for record in records {
        writer.write_record(row(record).map(defused).iter().map(|cell| cell.as_bytes()))?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

pub(super) fn json_lines(records: &[HistoryRecord]) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for record in records {
        serde_json::to_writer(&mut lines, record)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Texts as somebody would write them who means harm.
    fn hostile() -> impl Strategy<Value = String> {
        ("[=+@\t\r\n＝＋－＠'\", -]{0,3}", any::<String>()).prop_map(|(head, tail)| head + &tail)
    }

    fn record() -> impl Strategy<Value = HistoryRecord> {
        let texts = prop::collection::vec(hostile(), 12);
        (texts, any::<i64>(), any::<Option<i64>>()).prop_map(|(texts, id, other)| {
            let text = |index: usize| texts[index].clone();
            let maybe = |index: usize| other.map(|_| texts[index].clone());
            HistoryRecord {
                id,
                origin: text(0),
                parent: other,
                backend: maybe(1),
                guest: maybe(2),
                title: maybe(3),
                node: maybe(4),
                action: text(5),
                actor: maybe(6),
                address: maybe(7),
                state: text(8),
                started: "2025-03-03T14:02:11.042Z".to_owned(),
                started_ms: 1_741_010_531_042,
                running: None,
                running_ms: None,
                finished: None,
                finished_ms: other,
                failure_kind: maybe(9),
                failure: maybe(10),
                guest_after: None,
                plan_hash: "00".repeat(32),
                begun_seq: other,
                begun_hash: None,
                ended_seq: None,
                ended_hash: None,
                children: None,
                damaged: maybe(11),
            }
        })
    }

    proptest! {
        #[test]
        fn no_cell_is_a_formula_and_each_is_otherwise_what_was_recorded(
            records in prop::collection::vec(record(), 0..4)
        ) {
            let file = csv(&records, true).unwrap();
            let mut reader = csv::ReaderBuilder::new().from_reader(file.as_slice());
            prop_assert_eq!(reader.headers().unwrap().iter().collect::<Vec<_>>(), COLUMNS.to_vec());
            let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), records.len());
            for (cells, record) in rows.iter().zip(&records) {
                for (cell, meant) in cells.iter().zip(row(record)) {
                    prop_assert!(!cell.starts_with(FORMULA), "{:?}", cell);
                    let plain = cell.strip_prefix('\'').filter(|plain| plain.starts_with(FORMULA));
                    let is_same = cell == meant || plain == Some(&*meant);
                    prop_assert!(is_same, "{:?} {:?}", cell, meant);
                }
            }
        }

        #[test]
        fn json_lines_hold_exactly_what_was_recorded_under_the_names_of_the_columns(
            records in prop::collection::vec(record(), 1..4)
        ) {
            let file = String::from_utf8(json_lines(&records).unwrap()).unwrap();
            let lines: Vec<&str> = file.split_terminator('\n').collect();
            prop_assert_eq!(lines.len(), records.len());
            for (line, record) in lines.into_iter().zip(&records) {
                let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
                prop_assert_eq!(object.keys().map(String::as_str).collect::<Vec<_>>(), COLUMNS.to_vec());
                for (value, meant) in object.values().zip(row(record)) {
                    let told = match value {
                        serde_json::Value::Null => String::new(),
                        serde_json::Value::String(text) => text.clone(),
                        other => other.to_string(),
                    };
                    prop_assert_eq!(told, meant.into_owned());
                }
            }
        }
    }
}
