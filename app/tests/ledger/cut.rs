//! Ends cut off, and whole databases put back to an earlier day.

use app::{
    ledger::{Checkpoint, Damage},
    store::{Pace, Trust, prove},
};

use super::{
    attacker::Attacker,
    sample::{OPERATIONS, Sample, operation},
};

#[tokio::test]
async fn each_cut_off_end_is_missed() {
    let attacker = Attacker::new().await;
    let end = attacker.numbers("SELECT max(seq) FROM ledger").await[0];
    for last in (0..end).rev().step_by(7) {
        let entries = format!("DELETE FROM ledger WHERE seq > {last}");
        let signed = format!("DELETE FROM ledger_checkpoints WHERE seq > {last}");
        let expected = Damage::CutOff { last, known: end };
        assert_eq!(attacker.first_after(&[&entries]).await, expected);
        assert_eq!(attacker.first_after(&[&entries, &signed]).await, expected);
        let no_end = attacker.first_after(&[&entries, &signed, "DELETE FROM ledger_head"]).await;
        assert_eq!(no_end, Damage::HeadMissing);
    }
}

#[tokio::test]
async fn an_end_cut_off_at_an_older_signature_is_told_by_the_operations_after_it() {
    let attacker = Attacker::new().await;
    // The checkpoint of entry 100 is as good a signature as the newest one was then.
    let head = "UPDATE ledger_head SET (seq, hash, at_ms, key, signature) =
                (SELECT seq, hash, at_ms, key, signature FROM ledger_checkpoints WHERE seq = 100)";
    let cut = ["DELETE FROM ledger WHERE seq > 100", "DELETE FROM ledger_checkpoints WHERE seq > 100"];
    let damage = attacker.first_after(&[head, cut[0], cut[1]]).await;
    assert!(
        matches!(damage, Damage::RecordChanged { which: "end", .. } | Damage::RecordUnknown { .. }),
        "{damage}"
    );
}

#[tokio::test]
async fn a_database_put_back_to_an_earlier_day_is_told_by_the_journal_alone() {
    let sample = Sample::make().await;
    let old = sample.path.with_file_name("old.db");
    std::fs::copy(&sample.path, &old).unwrap();
    let store = sample.open().await;
    for n in OPERATIONS + 1..OPERATIONS + 5 {
        operation(&store, n).await;
    }
    store.checkpoint().await.unwrap();
    let journal: Vec<Checkpoint> = checkpoints(&store).await;
    store.close().await;

    // All in it is genuine, and nothing in it tells that there was more.
    assert_eq!(sample.proof_of(&old).await.report.damages, []);
    let trust = Trust { keys: vec![sample.key], witnesses: journal };
    let known = trust.witnesses.last().unwrap().seq;
    let proof = prove(&old, &trust, Pace::Full).await.unwrap();
    let last = proof.report.end.unwrap().0;
    assert_eq!(proof.report.damages, [Damage::CutOff { last, known }]);
    // Without a key of one's own, that of the database's end is taken.
    let trust = Trust { keys: Vec::new(), ..trust };
    assert_eq!(prove(&old, &trust, Pace::Full).await.unwrap().report.damages, proof.report.damages);
    assert_eq!(prove(&sample.path, &trust, Pace::Full).await.unwrap().report.damages, []);
}

/// A row of the table of checkpoints, in its order.
type Signed = (i64, Vec<u8>, i64, Vec<u8>, Vec<u8>);

/// As whoever keeps the journal finds them.
async fn checkpoints(store: &app::store::Store) -> Vec<Checkpoint> {
    use app::ledger::{Hash, PublicKey, Signature};
    let rows: Vec<Signed> =
        sqlx::query_as("SELECT seq, hash, at_ms, key, signature FROM ledger_checkpoints ORDER BY seq")
            .fetch_all(store.pool())
            .await
            .unwrap();
    let line = |(seq, hash, at_ms, key, signature): Signed| Checkpoint {
        seq,
        hash: Hash(hash.try_into().unwrap()),
        at_ms,
        key: PublicKey(key.try_into().unwrap()),
        signature: Signature(signature.try_into().unwrap()),
    };
    rows.into_iter().map(line).collect()
}

#[tokio::test]
async fn a_record_signed_anew_with_another_key_is_of_another_key() {
    let (sample, mallory) = (Sample::make().await, Sample::make().await);
    let proof = sample.proof_of(&mallory.path).await;
    assert!(matches!(proof.report.first(), Some(Damage::WrongKey { key, .. }) if *key == mallory.key));
    let nobody = prove(&mallory.path, &Trust::default(), Pace::Full).await.unwrap();
    assert_eq!((nobody.report.count, nobody.report.key), (0, Some(mallory.key)));
}
