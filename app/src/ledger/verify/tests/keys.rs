//! Whose signatures count.

use super::*;
use crate::ledger::Signer;

#[test]
fn forged_checkpoints_are_told_and_prove_nothing() {
    let changes: [fn(&mut Checkpoint); 5] = [
        |c| c.seq += 1,
        |c| c.hash.0[0] ^= 1,
        |c| c.at_ms += 1,
        |c| c.key.0[0] ^= 1,
        |c| c.signature.0[0] ^= 1,
    ];
    for (nth, change) in changes.into_iter().enumerate() {
        let mut sample = Sample::new();
        change(&mut sample.checkpoints[1]);
        let seq = sample.checkpoints[1].seq;
        assert_only(&sample, Damage::CheckpointForged { seq }, &format!("change {nth}"));
        let mut sample = Sample::new();
        let head = sample.head.as_mut().unwrap();
        change(head);
        let seq = head.seq;
        assert_only(&sample, Damage::CheckpointForged { seq }, &format!("change {nth} of the head"));
    }
}

#[test]
fn another_key_is_told() {
    let mallory = Signer::from_seed([9; 32]);
    let key = mallory.public_key();
    let mut sample = Sample::new();
    let resigned = |c: &Checkpoint| mallory.checkpoint(c.seq, c.hash, c.at_ms);
    let third = resigned(&sample.checkpoints[2]);
    sample.checkpoints[2] = third;
    assert_only(&sample, Damage::WrongKey { seq: 30, key }, "one");
    sample.checkpoints = sample.checkpoints.iter().map(resigned).collect();
    sample.head = sample.head.as_ref().map(resigned);
    assert_eq!(sample.report().count, 5);
    // Who knows of no key is told which it was.
    let mut verifier = Verifier::anywhere();
    sample.feed(&mut verifier);
    let report = verifier.finish();
    assert_eq!((report.count, report.key), (0, Some(key)));
    // A host that got a new key is verified with both.
    sample.head = Sample::new().head;
    let mut verifier = Verifier::anywhere().trust(key).trust(signer().public_key());
    sample.feed(&mut verifier);
    assert!(verifier.finish().is_sound());
}

#[test]
fn anybody_may_write_to_a_journal() {
    let mallory = Signer::from_seed([9; 32]);
    let sample = Sample::new();
    let mut verifier = Verifier::after(0, Hash::ZERO).trust(signer().public_key());
    assert!(!verifier.witness(&mallory.checkpoint(99, Hash::ZERO, 0)));
    assert!(!verifier.witness(&Checkpoint { seq: 99, ..sample.checkpoints[0] }));
    sample.feed(&mut verifier);
    let report = verifier.finish();
    assert_eq!((report.count, report.witnesses), (0, 0));
    assert!(!Verifier::anywhere().witness(&sample.checkpoints[0]), "no key is known yet");
}
