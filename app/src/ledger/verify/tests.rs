use proptest::{prelude::*, sample::Index};

use super::*;
use crate::ledger::{
    NewEntry,
    damage::KEPT,
    sample::{ENTRIES, EVERY, Sample, place, signer},
};

mod keys;

type Change = fn(&mut Entry);

const CHANGES: [(&str, Change); 10] = [
    ("seq", |e| e.seq += 1000),
    ("seq back", |e| e.seq -= 1),
    ("at_ms", |e| e.at_ms += 1),
    ("kind", |e| e.kind.push('s')),
    ("actor", |e| e.actor = Some("mallory".to_owned())),
    ("address", |e| e.address = e.address.is_none().then(String::new)),
    ("subject", |e| e.subject = e.subject.is_none().then(String::new)),
    ("operation", |e| e.operation = Some(e.operation.unwrap_or_default() + 1)),
    ("detail", |e| e.detail.insert(1, ' ')),
    ("previous", |e| e.previous.0[7] ^= 4),
];

/// The checkpoint that sees a change of this entry, and the one before it.
fn around(seq: i64) -> (i64, i64) {
    ((seq + EVERY - 1) / EVERY * EVERY, (seq - 1) / EVERY * EVERY)
}

fn index(seq: i64) -> usize {
    usize::try_from(seq - 1).unwrap()
}

/// Both ways to feed it find the same first damage, and this is it, and the only one.
fn assert_only(sample: &Sample, damage: Damage, what: &str) {
    for report in [sample.report(), sample.report_signed_first()] {
        assert_eq!((report.damages, report.count), (vec![damage.clone()], 1), "{what}");
    }
}

fn assert_found_within(sample: &Sample, first: i64, last: i64, what: &str) {
    for report in [sample.report(), sample.report_signed_first()] {
        let damage = report.first().unwrap_or_else(|| panic!("not found: {what}"));
        let place = place(damage);
        assert!(*place.start() <= last && first <= *place.end(), "{what}: {damage:?}");
    }
}

#[test]
fn an_intact_ledger_is_sound() {
    let mut sample = Sample::new();
    sample.witnesses = vec![sample.checkpoints[1], sample.head.unwrap(), sample.checkpoints[0]];
    for report in [sample.report(), sample.report_signed_first()] {
        assert_eq!(report.damages, []);
        assert!(report.is_sound());
        assert_eq!((report.entries, report.checkpoints, report.witnesses), (40, 5, 3));
        assert_eq!(report.after, Some((0, Hash::ZERO)));
        assert_eq!(report.end, Some((40, sample.entries[39].hash)));
        assert_eq!(report.key, Some(signer().public_key()));
    }
}

#[test]
fn each_change_of_each_field_is_found_at_its_entry_and_told_once() {
    for seq in 1..=ENTRIES {
        for (field, change) in CHANGES {
            let mut sample = Sample::new();
            change(&mut sample.entries[index(seq)]);
            assert_only(&sample, Damage::EntryChanged { seq }, &format!("{field} of {seq}"));
        }
        let mut sample = Sample::new();
        sample.entries[index(seq)].hash.0[0] ^= 0x80;
        assert_only(&sample, Damage::EntryChanged { seq }, &format!("hash of {seq}"));
    }
}

#[test]
fn each_changed_entry_with_a_new_hash_of_its_own_is_found_at_the_next() {
    for seq in 1..ENTRIES {
        for (field, change) in &CHANGES[2..9] {
            let mut sample = Sample::new();
            let entry = &mut sample.entries[index(seq)];
            change(entry);
            entry.hash = entry.computed();
            assert_found_within(&sample, seq, seq + 1, &format!("{field} of {seq}"));
        }
    }
}

#[test]
fn each_removed_entry_is_told_as_missing() {
    for seq in 1..ENTRIES {
        let mut sample = Sample::new();
        sample.entries.remove(index(seq));
        assert_only(&sample, Damage::Missing { first: seq, last: seq }, &format!("without {seq}"));
    }
    for (first, last) in [(1, 39), (3, 3), (9, 11), (10, 10), (2, 30)] {
        let mut sample = Sample::new();
        sample.entries.drain(index(first)..=index(last));
        assert_only(&sample, Damage::Missing { first, last }, &format!("without {first} to {last}"));
    }
}

#[test]
fn each_swap_of_two_entries_is_found() {
    for first in 1..ENTRIES {
        for second in first + 1..=ENTRIES {
            let what = format!("{first} and {second} swapped");
            let mut sample = Sample::new();
            sample.entries.swap(index(first), index(second));
            if second == first + 1 {
                assert_only(&sample, Damage::OutOfOrder { seq: first }, &what);
            }
            assert_found_within(&sample, first, second, &what);
            assert!(sample.report().count <= 4, "{what}: {:?}", sample.report());

            // As in a table, where the number is what sorts them.
            let (a, b) = (index(first), index(second));
            (sample.entries[a].seq, sample.entries[b].seq) = (first, second);
            assert_found_within(&sample, first, second, &what);
        }
    }
}

#[test]
fn a_repeated_entry_is_out_of_order() {
    for seq in 1..=ENTRIES {
        let mut sample = Sample::new();
        let again = sample.entries[index(seq)].clone();
        sample.entries.insert(index(seq), again.clone());
        assert_only(&sample, Damage::OutOfOrder { seq }, &format!("{seq} twice"));
        let mut sample = Sample::new();
        sample.entries.push(again);
        assert_only(&sample, Damage::OutOfOrder { seq }, &format!("{seq} again at the end"));
    }
}

#[test]
fn each_cut_off_end_is_found_by_whatever_is_left_that_was_signed() {
    for last in 0..ENTRIES {
        let what = format!("cut after {last}");
        let whole = Sample::new();
        let mut cut = whole.clone();
        cut.entries.truncate(index(last + 1));
        assert_only(&cut, Damage::CutOff { last, known: ENTRIES }, &what);

        cut.checkpoints.clear();
        assert_only(&cut, Damage::CutOff { last, known: ENTRIES }, &what);

        // The head as well, or an old checkpoint in its place.
        cut.head = None;
        assert_only(&cut, Damage::HeadMissing, &what);
        cut.witnesses = vec![whole.checkpoints[3], whole.checkpoints[0]];
        for report in [cut.report(), cut.report_signed_first()] {
            assert_eq!(report.damages, [Damage::CutOff { last, known: 40 }, Damage::HeadMissing], "{what}");
        }
        if last > 0 && last % EVERY == 0 {
            cut.head = Some(whole.checkpoints[index(last / EVERY)]);
            assert_only(&cut, Damage::CutOff { last, known: ENTRIES }, &what);
            // A copy of the ledger as it once was: only a witness knows better.
            cut.witnesses.clear();
            assert!(cut.report().is_sound(), "{what}");
        }
    }
}

#[test]
fn a_ledger_hashed_anew_without_the_key_does_not_fit_what_was_signed() {
    for seq in 1..=ENTRIES {
        for (field, change) in &CHANGES[2..9] {
            let what = format!("{field} of {seq}, and all hashes anew");
            let mut forged = Sample::new();
            change(&mut forged.entries[index(seq)]);
            forged.reseal(index(seq));
            let (found, since) = around(seq);
            assert_only(&forged, Damage::CheckpointMismatch { seq: found, since }, &what);

            let checkpoints = std::mem::take(&mut forged.checkpoints);
            assert_only(&forged, Damage::CheckpointMismatch { seq: ENTRIES, since: 0 }, &what);

            forged.head = None;
            assert_only(&forged, Damage::HeadMissing, &what);
            forged.witnesses = checkpoints;
            for report in [forged.report(), forged.report_signed_first()] {
                let expected = Damage::CheckpointMismatch { seq: found, since };
                assert_eq!(report.damages, [expected, Damage::HeadMissing], "{what}");
            }
        }
    }
}

#[test]
fn entries_removed_or_added_with_all_numbers_and_hashes_anew_are_found() {
    for seq in 1..=ENTRIES {
        let what = format!("at {seq}");
        let renumber = |sample: &mut Sample| {
            sample.entries.iter_mut().zip(1..).for_each(|(entry, seq)| entry.seq = seq);
            sample.reseal(index(seq));
        };
        let mut removed = Sample::new();
        removed.entries.remove(index(seq));
        renumber(&mut removed);
        assert_found_within(&removed, seq, around(seq).0, &what);

        let mut added = Sample::new();
        added.entries.insert(index(seq), added.entries[0].clone());
        renumber(&mut added);
        assert_found_within(&added, seq, around(seq).0, &what);
    }
    let mut appended = Sample::new();
    appended.entries.extend([appended.entries[0].clone(), appended.entries[1].clone()]);
    appended.entries.iter_mut().zip(1..).for_each(|(entry, seq)| entry.seq = seq);
    appended.reseal(40);
    assert_only(&appended, Damage::Unsigned { first: 41, last: 42 }, "appended");
}

#[test]
fn a_part_hashed_anew_is_found_at_both_its_ends() {
    let mut forged = Sample::new();
    forged.entries[4].detail.push(' ');
    let after: Vec<_> = forged.entries[12..].to_vec();
    forged.reseal(4);
    forged.entries.splice(12.., after);
    let expected = [Damage::CheckpointMismatch { seq: 10, since: 0 }, Damage::ChainBroken { seq: 13 }];
    assert_eq!(forged.report().damages, expected);
}

#[test]
fn damages_of_several_causes_are_each_told() {
    let mut sample = Sample::new();
    sample.entries[3].kind.clear();
    sample.entries.swap(7, 8);
    sample.entries.remove(14);
    sample.checkpoints[2].at_ms += 1;
    sample.entries.truncate(36);
    assert_eq!(
        sample.report().damages,
        [
            Damage::EntryChanged { seq: 4 },
            Damage::OutOfOrder { seq: 8 },
            Damage::Missing { first: 15, last: 15 },
            Damage::CheckpointForged { seq: 30 },
            Damage::CutOff { last: 37, known: 40 },
        ]
    );
}

#[test]
fn damages_beyond_measure_are_counted() {
    let mut sample = Sample::new();
    for _ in 0..4 {
        sample.entries.extend_from_within(..40);
    }
    sample.entries.iter_mut().for_each(|entry| entry.hash.0[3] ^= 1);
    let report = sample.report();
    assert_eq!(report.damages.len(), KEPT);
    assert_eq!(report.count, 200);
}

#[test]
fn a_ledger_goes_on_after_its_archived_part() {
    let whole = Sample::new();
    for after in 0..=ENTRIES {
        let hash = if after == 0 { Hash::ZERO } else { whole.entries[index(after)].hash };
        let mut rest = whole.clone();
        rest.entries.drain(..index(after + 1));
        // What was signed of the archived part may still be there, in the database and in the journal.
        let mut verifier = Verifier::after(after, hash).trust(signer().public_key());
        assert!(whole.checkpoints.iter().all(|witness| verifier.witness(witness)));
        rest.feed(&mut verifier);
        assert_eq!(verifier.finish().damages, [], "after {after}");

        let mut verifier = Verifier::after(after, Hash([1; 32])).trust(signer().public_key());
        rest.feed(&mut verifier);
        assert!(!verifier.finish().is_sound(), "after {after} with another hash");
        if (1..ENTRIES).contains(&after) {
            assert_only(&rest, Damage::Missing { first: 1, last: after }, "not archived");
        }
    }
}

#[test]
fn an_empty_ledger_has_a_head_all_the_same() {
    let mut empty = Sample::signed(Vec::new());
    assert_only(&empty, Damage::HeadMissing, "empty");
    empty.head = Some(signer().checkpoint(0, Hash::ZERO, 5));
    assert!(empty.report().is_sound());
    assert_eq!(empty.report().end, Some((0, Hash::ZERO)));
}

#[test]
fn what_cannot_be_read_is_not_missing_as_well() {
    let sample = Sample::new();
    for lost in 1..=ENTRIES {
        let mut verifier = Verifier::after(0, Hash::ZERO).trust(signer().public_key());
        for entry in &sample.entries {
            if entry.seq == lost {
                verifier.malformed(format!("row {lost}"), "its hash is no hash".to_owned());
            } else {
                verifier.entry(entry);
            }
        }
        verifier.head(&sample.head.unwrap());
        assert_eq!(verifier.finish().count, 1, "{lost}");
    }
}

#[test]
fn numbers_at_the_ends_of_what_can_be_written_are_no_trouble() {
    let new = NewEntry {
        at_ms: i64::MIN,
        kind: "x",
        actor: None,
        address: None,
        subject: None,
        operation: None,
        detail: "{}",
    };
    for seqs in [[i64::MAX, i64::MIN, i64::MAX], [i64::MIN, i64::MAX, i64::MIN], [i64::MAX, i64::MAX, 0]] {
        for verifier in
            [Verifier::anywhere(), Verifier::after(0, Hash::ZERO), Verifier::after(i64::MAX, Hash::ZERO)]
        {
            let mut verifier = verifier;
            for seq in seqs {
                verifier.entry(&new.seal(seq, Hash::ZERO));
                verifier.checkpoint(&signer().checkpoint(seq, Hash::ZERO, 0));
                verifier.malformed(String::new(), String::new());
            }
            verifier.head(&signer().checkpoint(i64::MIN, Hash::ZERO, 0));
            assert!(!verifier.finish().is_sound());
        }
    }
}

#[test]
fn each_damage_is_a_sentence() {
    let one = Damage::Missing { first: 3, last: 3 }.to_string();
    assert_eq!(one, "Entry 3 is missing.");
    assert_eq!(Damage::Missing { first: 3, last: 5 }.to_string(), "Entries 3 to 5 are missing.");
    assert_eq!(
        Damage::CheckpointMismatch { seq: 20, since: 10 }.to_string(),
        "Entry 20 is not the one that was signed: one of the entries 11 to 20 was changed and all hashes after it made \
         anew."
    );
    assert_eq!(
        Damage::Unsigned { first: 4, last: 4 }.to_string(),
        "Entry 4 is after the end that was signed: added by someone without the key."
    );
}

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let text = || proptest::option::of("\\PC{0,12}|[\\x00-\\x7f]{0,12}");
    let one = (any::<i64>(), "\\PC{0,12}", text(), text(), text(), any::<Option<i64>>(), "\\PC{0,40}");
    proptest::collection::vec(one, 1..30).prop_map(|all| {
        let mut entries: Vec<Entry> = Vec::new();
        for ((at_ms, kind, actor, address, subject, operation, detail), seq) in all.into_iter().zip(1..) {
            let (actor, address, subject) = (actor.as_deref(), address.as_deref(), subject.as_deref());
            let new = NewEntry { at_ms, kind: &kind, actor, address, subject, operation, detail: &detail };
            let previous = entries.last().map_or(Hash::ZERO, |last| last.hash);
            entries.push(new.seal(seq, previous));
        }
        entries
    })
}

proptest! {
    #[test]
    fn any_ledger_is_sound_until_anything_in_it_is_exchanged(
        entries in entries(), others in entries(), at: Index, other: Index, reseal: bool,
    ) {
        let mut sample = Sample::signed(entries);
        sample.entries.iter_mut().for_each(|entry| entry.at_ms = entry.at_ms.min(i64::MAX - 1));
        sample.reseal(0);
        let mut sample = Sample::signed(sample.entries);
        prop_assert_eq!(sample.report().damages, []);
        let at = at.index(sample.entries.len());
        let before = sample.entries[at].clone();
        sample.entries[at] = other.get(&others).clone();
        sample.entries[at].seq = before.seq;
        if reseal {
            sample.reseal(at);
        }
        prop_assert_eq!(sample.report().is_sound(), sample.entries[at] == before);
    }
}
