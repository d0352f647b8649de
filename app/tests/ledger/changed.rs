//! Values changed, rows removed and rows exchanged.

use app::ledger::Damage;

use super::{
    attacker::{Attacker, Place},
    sample::{ENDED, OPERATIONS, Sample},
};

fn place(table: &'static str, column: &str, row: String) -> Place {
    Place { table, column: column.to_owned(), row }
}

#[tokio::test]
async fn a_record_as_paddock_leaves_it_is_sound() {
    let sample = Sample::make().await;
    let proof = sample.proof().await;
    assert_eq!(proof.report.damages, []);
    assert_eq!((proof.operations, proof.unbound, proof.archives), (OPERATIONS.unsigned_abs(), 0, 0));
    assert!(proof.report.entries > 120 && proof.report.checkpoints == 3, "{proof:?}");
    assert_eq!(proof.report.key, Some(sample.key));
    assert_eq!(proof.last_ms, Some(1000 * OPERATIONS));
}

#[tokio::test]
async fn each_value_of_each_entry_is_bound() {
    let attacker = Attacker::new().await;
    let all = attacker.numbers("SELECT seq FROM ledger ORDER BY seq").await;
    for column in attacker.columns("ledger").await {
        for seq in &all {
            let place = place("ledger", &column, format!("seq = {seq}"));
            if column == "seq" {
                // There is another one after it but for the last.
                let far = format!("UPDATE ledger SET seq = seq + 1000 WHERE seq = {seq}");
                attacker.first_after(&[&far]).await;
                continue;
            }
            assert_eq!(attacker.first_changed(&place).await, Damage::EntryChanged { seq: *seq }, "{place:?}");
        }
    }
}

#[tokio::test]
async fn each_value_of_what_was_signed_is_bound() {
    let attacker = Attacker::new().await;
    for table in ["ledger_checkpoints", "ledger_head"] {
        let all = attacker.numbers(&format!("SELECT seq FROM {table} ORDER BY seq")).await;
        for column in attacker.columns(table).await.into_iter().filter(|column| column != "only_one") {
            for seq in &all {
                let signed = if column == "seq" { seq + 1 } else { *seq };
                let place = place(table, &column, format!("seq = {seq}"));
                let damage = attacker.first_changed(&place).await;
                let expected = if place.column == "seq" && seq % 100 == 0 && table == "ledger_checkpoints" {
                    Damage::CheckpointMissing { seq: *seq }
                } else {
                    Damage::CheckpointForged { seq: signed }
                };
                assert_eq!(damage, expected, "{place:?}");
            }
        }
    }
}

/// What a running operation needs, and nobody is shown afterwards.
const OF_THE_PROCESS: [&str; 7] =
    ["tool_pid", "tool_start_ticks", "task_step", "upid", "owner_pid", "owner_start_ticks", "cancel_wanted"];

#[tokio::test]
async fn each_value_of_each_operation_is_bound() {
    let attacker = Attacker::new().await;
    let ends = ["state", "running_ms", "finished_ms", "failure", "failure_kind", "guest_after"];
    for column in attacker.columns("operations").await {
        if OF_THE_PROCESS.contains(&column.as_str()) {
            continue;
        }
        let is_end = ends.contains(&column.as_str());
        for operation in 1..=if is_end { ENDED } else { OPERATIONS } {
            if column == "id" {
                let far = format!("UPDATE operations SET id = id + 1000 WHERE id = {operation}");
                assert_eq!(attacker.first_after(&[&far]).await, Damage::RecordMissing { operation });
                continue;
            }
            let place = place("operations", &column, format!("id = {operation}"));
            let which = if is_end { "end" } else { "beginning" };
            let damage = attacker.first_changed(&place).await;
            assert_eq!(damage, Damage::RecordChanged { operation, which }, "{place:?}");
        }
    }
}

#[tokio::test]
async fn each_value_of_steps_and_output_is_bound() {
    let attacker = Attacker::new().await;
    for operation in 1..=ENDED {
        let changed = Damage::RecordChanged { operation, which: "end" };
        for step in 0..2 {
            for column in ["step", "outcome"] {
                let row = format!("operation_id = {operation} AND step = {step}");
                let place = place("operation_steps", column, row);
                // Two steps of one number there cannot be.
                if column == "step" {
                    let far = format!("UPDATE operation_steps SET step = 9 WHERE {}", place.row);
                    assert_eq!(attacker.first_after(&[&far]).await, changed, "{place:?}");
                } else {
                    assert_eq!(attacker.first_changed(&place).await, changed, "{place:?}");
                }
            }
        }
        let pieces = attacker
            .numbers(&format!("SELECT id FROM operation_output WHERE operation_id = {operation}"))
            .await;
        for id in &pieces {
            for column in ["operation_id", "step", "stream", "at_ms", "text"] {
                let place = place("operation_output", column, format!("id = {id}"));
                assert_eq!(attacker.first_changed(&place).await, changed, "{place:?}");
            }
        }
        let [first, second] = pieces.as_slice() else { panic!("{pieces:?}") };
        let exchanged = [
            format!("UPDATE operation_output SET id = -1 WHERE id = {first}"),
            format!("UPDATE operation_output SET id = {first} WHERE id = {second}"),
            format!("UPDATE operation_output SET id = {second} WHERE id = -1"),
        ];
        assert_eq!(attacker.first_after(&exchanged.each_ref().map(String::as_str)).await, changed);
    }
}

#[tokio::test]
async fn each_removed_row_is_missed() {
    let attacker = Attacker::new().await;
    let all = attacker.numbers("SELECT seq FROM ledger ORDER BY seq").await;
    let end = *all.last().unwrap();
    for seq in all {
        let damage = attacker.first_after(&[&format!("DELETE FROM ledger WHERE seq = {seq}")]).await;
        let expected = if seq == end {
            Damage::CutOff { last: end - 1, known: end }
        } else {
            Damage::Missing { first: seq, last: seq }
        };
        assert_eq!(damage, expected);
    }
    for operation in 1..=OPERATIONS {
        let row = format!("DELETE FROM operations WHERE id = {operation}");
        assert_eq!(attacker.first_after(&[&row]).await, Damage::RecordMissing { operation });
        // With all that belongs to it.
        let steps = format!("DELETE FROM operation_steps WHERE operation_id = {operation}");
        let output = format!("DELETE FROM operation_output WHERE operation_id = {operation}");
        let found = format!("DELETE FROM history WHERE id = {operation}");
        let why = format!("DELETE FROM history_failures WHERE id = {operation}");
        let proof = attacker.after(&[&row, &steps, &output, &found, &why]).await;
        assert_eq!(proof.report.damages, [Damage::RecordMissing { operation }]);
    }
    for operation in 1..=ENDED {
        let changed = Damage::RecordChanged { operation, which: "end" };
        for step in 0..2 {
            let row =
                format!("DELETE FROM operation_steps WHERE operation_id = {operation} AND step = {step}");
            assert_eq!(attacker.first_after(&[&row]).await, changed);
        }
        let one = format!("(SELECT min(id) FROM operation_output WHERE operation_id = {operation})");
        let piece = format!("DELETE FROM operation_output WHERE id = {one}");
        assert_eq!(attacker.first_after(&[&piece]).await, changed);
    }
    let damage = attacker.first_after(&["DELETE FROM ledger_checkpoints WHERE seq = 100"]).await;
    assert_eq!(damage, Damage::CheckpointMissing { seq: 100 });
    assert_eq!(attacker.first_after(&["DELETE FROM ledger_head"]).await, Damage::HeadMissing);
}

#[tokio::test]
async fn each_exchange_of_neighbours_is_found() {
    let attacker = Attacker::new().await;
    for (table, key) in [("ledger", "seq"), ("operations", "id")] {
        let all = attacker.numbers(&format!("SELECT {key} FROM {table} ORDER BY {key}")).await;
        for pair in all.windows(2) {
            let [first, second] = pair else { panic!("{pair:?}") };
            let exchange = [
                format!("UPDATE {table} SET {key} = -1 WHERE {key} = {first}"),
                format!("UPDATE {table} SET {key} = {first} WHERE {key} = {second}"),
                format!("UPDATE {table} SET {key} = {second} WHERE {key} = -1"),
            ];
            let damage = attacker.first_after(&exchange.each_ref().map(String::as_str)).await;
            let expected = match table {
                "ledger" => Damage::EntryChanged { seq: *first },
                _ => Damage::RecordChanged { operation: *first, which: "beginning" },
            };
            assert_eq!(damage, expected);
        }
    }
}

#[tokio::test]
async fn a_row_that_paddock_never_wrote_is_told() {
    let attacker = Attacker::new().await;
    let copied = "INSERT INTO operations (origin, action, state, plan, started_ms, finished_ms)
                  SELECT origin, action, state, plan, started_ms, finished_ms FROM operations WHERE id = 3";
    let operation = OPERATIONS + 1;
    assert_eq!(attacker.first_after(&[copied]).await, Damage::RecordUnknown { operation });

    let end = attacker.numbers("SELECT max(seq) FROM ledger").await[0];
    let entry = format!("INSERT INTO ledger SELECT {end} + 1, at_ms, kind, actor, address, subject, operation, detail, hash, hash
                         FROM ledger WHERE seq = {end}");
    assert_eq!(attacker.first_after(&[&entry]).await, Damage::EntryChanged { seq: end + 1 });

    let archive = "INSERT INTO ledger_archives SELECT 1, 1, 10, hash, 3, 'gone.jsonl', hash, 0 FROM ledger WHERE seq = 10";
    let gone = ["DELETE FROM ledger WHERE seq <= 10", "DELETE FROM operations WHERE id <= 3"];
    let damage = attacker.first_after(&[archive, gone[0], gone[1]]).await;
    assert_eq!(damage, Damage::ArchiveMismatch { why: "the ledger tells of none".to_owned() });

    let head = "INSERT INTO ledger_head SELECT 2, seq, hash, at_ms, key, signature FROM ledger_head";
    assert!(attacker.first_after(&[head]).await.to_string().contains("more than one row"));
}

#[tokio::test]
async fn an_operation_that_is_kept_from_the_history_is_told() {
    let attacker = Attacker::new().await;
    for operation in 1..=OPERATIONS {
        for hiding in [
            "DELETE FROM history WHERE id = ?",
            "UPDATE history SET started_ms = 0 WHERE id = ?",
            "UPDATE history SET kind = 0 WHERE id = ?",
            "UPDATE history SET actor = 0 WHERE id = ?",
            "UPDATE history SET subject = 0 WHERE id = ?",
            "UPDATE history_kinds SET n = 0 WHERE id = (SELECT kind FROM history WHERE id = ?)",
            "UPDATE history_actors SET name = 'somebody else' WHERE id = (SELECT actor FROM history WHERE id = ?)",
            "UPDATE history_subjects SET n = 0 WHERE id = (SELECT subject FROM history WHERE id = ?)",
            "UPDATE history_subjects SET guest = 'x' WHERE id = (SELECT subject FROM history WHERE id = ?)",
        ] {
            let hiding = hiding.replace('?', &operation.to_string());
            let proof = attacker.after(&[&hiding]).await;
            assert!(proof.report.damages.contains(&Damage::Hidden { operation }), "{hiding}: {proof:?}");
        }
    }
    for operation in attacker.numbers("SELECT id FROM history_failures").await {
        let hiding = format!("DELETE FROM history_failures WHERE id = {operation}");
        assert_eq!(attacker.first_after(&[&hiding]).await, Damage::Hidden { operation });
    }
    // What is none takes a place in a page.
    let made_up =
        "INSERT INTO history SELECT 9999, started_ms, kind, actor, subject FROM history WHERE id = 1";
    assert_eq!(attacker.first_after(&[made_up]).await, Damage::Hidden { operation: 9999 });
}

#[tokio::test]
async fn an_end_that_was_taken_back_or_made_up_is_told() {
    let attacker = Attacker::new().await;
    let back = "UPDATE operations SET state = 'running', finished_ms = NULL WHERE id = 5";
    assert_eq!(attacker.first_after(&[back]).await, Damage::RecordChanged { operation: 5, which: "end" });
    let live = OPERATIONS;
    let made_up = format!("UPDATE operations SET state = 'succeeded', finished_ms = 1 WHERE id = {live}");
    assert_eq!(
        attacker.first_after(&[&made_up]).await,
        Damage::RecordChanged { operation: live, which: "end" }
    );
}

#[tokio::test]
async fn values_of_a_wrong_type_are_told_and_the_look_goes_on() {
    let attacker = Attacker::new().await;
    // As it would be read by whoever opens it next.
    let loosen = "PRAGMA writable_schema = ON";
    let table = |from: &str, to: &str| {
        format!(
            "UPDATE sqlite_schema SET sql = replace(sql, '{from}', '{to}') WHERE name IN ('ledger', 'operations')"
        )
    };
    let (off, on) = (table(") STRICT", ") /* loose */"), table(") /* loose */", ") STRICT"));
    for (table, row, at) in [
        ("ledger", "kind = X'ff00'", "row 7 of the table ledger"),
        ("ledger", "at_ms = 'noon'", "row 7 of the table ledger"),
        ("ledger", "hash = 'short'", "row 7 of the table ledger"),
        ("ledger", "detail = CAST(X'ff' AS TEXT)", "row 7 of the table ledger"),
        ("operations", "plan = X'7b7d'", "operation 7"),
        ("operations", "started_ms = X'00'", "operation 7"),
    ] {
        let key = if table == "ledger" { "seq" } else { "id" };
        let change = format!("UPDATE {table} SET {row} WHERE {key} = 7");
        let proof = attacker.after_sessions(&[&[loosen, &off], &[&change, loosen, &on]]).await;
        let Some(Damage::Malformed { at: told, .. }) = proof.report.first() else {
            panic!("{row}: {proof:?}")
        };
        assert_eq!(told, at, "{row}");
        assert!(proof.operations >= 58, "{row}: {proof:?}");
    }
}

#[tokio::test]
async fn a_table_of_another_make_is_told() {
    let attacker = Attacker::new().await;
    let renamed = "ALTER TABLE ledger RENAME TO real_ledger";
    let view = "CREATE VIEW ledger AS SELECT * FROM real_ledger";
    for statements in [&[renamed][..], &[renamed, view], &["ALTER TABLE operations ADD COLUMN note TEXT"]] {
        let damage = attacker.first_after(statements).await;
        assert!(damage.to_string().contains("with the columns that Paddock gives it"), "{damage}");
    }
}
