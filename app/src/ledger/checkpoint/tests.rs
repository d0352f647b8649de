use proptest::prelude::*;

use super::*;
use crate::ledger::Signer;

fn signed() -> Checkpoint {
    Signer::from_seed([7; 32]).checkpoint(12, Hash([0xc4; 32]), 1_700_000_000_000)
}

#[test]
fn what_is_signed_are_the_documented_bytes() {
    let Checkpoint { seq, hash, at_ms, key, .. } = signed();
    let mut expected = b"paddock-checkpoint-1\n".to_vec();
    expected.extend(12_u64.to_be_bytes());
    expected.extend(32_u64.to_be_bytes());
    expected.extend([0xc4; 32]);
    expected.extend(1_700_000_000_000_u64.to_be_bytes());
    expected.extend(32_u64.to_be_bytes());
    expected.extend(key.0);
    assert_eq!(Checkpoint::message(seq, hash, at_ms, key), expected);
}

#[test]
fn each_change_of_a_checkpoint_is_seen() {
    assert!(signed().verify());
    let changes: [fn(&mut Checkpoint); 5] = [
        |c| c.seq += 1,
        |c| c.hash.0[0] ^= 1,
        |c| c.at_ms += 1,
        |c| c.key = Signer::from_seed([8; 32]).public_key(),
        |c| c.signature = Signer::from_seed([8; 32]).checkpoint(c.seq, c.hash, c.at_ms).signature,
    ];
    for (nth, change) in changes.into_iter().enumerate() {
        let mut changed = signed();
        change(&mut changed);
        assert!(!changed.verify(), "change {nth}");
    }
    for bit in 0..512 {
        let mut changed = signed();
        changed.signature.0[bit / 8] ^= 1 << (bit % 8);
        assert!(!changed.verify(), "bit {bit} of the signature");
    }
}

#[test]
fn a_key_that_signs_anything_is_no_key() {
    // Of small order: under it one signature would fit many messages.
    let mut key = [0; 32];
    key[0] = 1;
    let mut signature = [0; 64];
    signature[0] = 1;
    let forged = Checkpoint { key: PublicKey(key), signature: Signature(signature), ..signed() };
    assert!(!forged.verify());
}

#[test]
fn the_line_is_found_within_a_journals() {
    let line = signed().to_string();
    assert_eq!(line.parse(), Ok(signed()));
    for (before, after) in [
        ("", ""),
        ("Jul 01 12:00:00 pve1 paddock[812]: ", "\n"),
        ("{\"MESSAGE\":\"", "\"}"),
        ("paddock-checkpoint seq=1 paddock-checkpoint ", " more"),
        ("\u{1f411} paddock-checkpoint \u{1f411} signature=\u{1f411}\u{1f411} ", "\u{e9}"),
    ] {
        assert_eq!(Checkpoint::find(&format!("{before}{line}{after}")), Some(signed()), "{before}…{after}");
    }
    for after in ["0", "a", "Z"] {
        assert_eq!(Checkpoint::find(&format!("{line}{after}")), None);
    }
}

#[test]
fn there_is_one_way_to_write_it() {
    let line = signed().to_string();
    for (from, to) in [
        ("seq=12", "seq=012"),
        ("seq=12", "seq=+12"),
        ("seq=12", "seq= 12"),
        ("seq=12", "seq=99999999999999999999"),
        ("seq=12 ", "seq=12  "),
        ("seq=12 ", "seq=12\t"),
        ("seq=12 ", ""),
        ("hash=c4", "hash=C4"),
        ("at=", "At="),
        ("paddock-checkpoint", "Paddock-checkpoint"),
    ] {
        let changed = line.replacen(from, to, 1);
        assert_ne!(changed, line);
        assert_eq!(changed.parse::<Checkpoint>(), Err(BadCheckpoint), "{changed}");
        assert_eq!(Checkpoint::find(&changed), None, "{changed}");
    }
    for cut in 0..line.len() {
        assert_eq!(Checkpoint::find(&line[..cut]), None, "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn any_checkpoint_is_read_back(seq: i64, at_ms: i64, hash: [u8; 32], key: [u8; 32], half: [u8; 32]) {
        let mut signature = [0; 64];
        signature[..32].copy_from_slice(&half);
        let made = Checkpoint {
            seq, at_ms, hash: Hash(hash), key: PublicKey(key), signature: Signature(signature),
        };
        prop_assert_eq!(made.to_string().parse(), Ok(made));
        prop_assert_eq!(Checkpoint::find(&format!("x{made} ")), Some(made));
    }

    #[test]
    fn no_text_is_too_strange_to_look_through(text in "(paddock-checkpoint | signature=|seq=1 |\\PC){0,40}") {
        prop_assert_eq!(Checkpoint::find(&text), None);
    }
}
