use std::io::{self, BufReader, Read};

use super::{read::Reader, *};
use crate::ledger::{
    Damage, Report, Verifier,
    sample::{ENTRIES, Sample, place, signer},
};

fn verifier() -> Verifier {
    Verifier::anywhere().trust(signer().public_key())
}

fn report(bytes: &[u8]) -> Report {
    verify_export(bytes, verifier()).unwrap()
}

fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|b| *b == b'\n').collect()
}

/// The entry that the line tells of, if it is one's; else the number of the entry before it.
fn seqs(lines: &[&[u8]]) -> Vec<i64> {
    let mut last = 0;
    lines
        .iter()
        .map(|line| {
            if let Ok(Line::Entry(entry)) = serde_json::from_slice(line) {
                last = entry.seq;
            }
            last
        })
        .collect()
}

/// Whether the damage may well be that of this line, which is about this entry.
fn is_plausible(damage: &Damage, line: usize, seq: i64) -> bool {
    match damage {
        Damage::Malformed { at, .. } => *at == format!("line {line}") || at.starts_with("the checkpoint"),
        Damage::CheckpointForged { .. } | Damage::WrongKey { .. } | Damage::ArchiveMismatch { .. } => true,
        Damage::HeadMissing => true,
        damage => {
            let place = place(damage);
            *place.start() <= seq + 1 && seq <= *place.end()
        }
    }
}

#[test]
fn an_export_is_sound_and_says_what_it_holds() {
    let sample = Sample::new();
    let report = report(&sample.export());
    assert_eq!(report.damages, []);
    assert_eq!((report.entries, report.checkpoints, report.key), (40, 5, Some(signer().public_key())));
    assert_eq!(report.after, Some((0, Hash::ZERO)));
    assert_eq!(report.end, Some((40, sample.entries[39].hash)));
}

#[test]
fn the_file_is_as_documented() {
    let bytes = Sample::new().export();
    let text = String::from_utf8(bytes.clone()).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].starts_with(r#"{"paddock-ledger":{"version":1,"after":{"seq":0,"hash":"0000"#),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with(r#"{"entry":{"seq":1,"at_ms":1700000000007,"kind":"operation-end","actor":""#)
    );
    assert!(lines[11].starts_with(r#"{"checkpoint":{"seq":10,"hash":""#), "{}", lines[11]);
    assert_eq!(lines[12], r#"{"record":{"kind":"operation","id":10,"json":"{\"output\":\"é\\n\"}"}}"#);
    let last = lines[lines.len() - 1];
    assert!(last.starts_with(r#"{"head":{"checkpoint":{"seq":40,"#), "{last}");

    let before = bytes.len() - last.len() - 1;
    let digest: [u8; 32] = Sha256::digest(&bytes[..before]).into();
    let Ok(Line::Head(head)) = serde_json::from_str(last) else { panic!("{last}") };
    assert_eq!(head.digest, Hash(digest));
    let mut message = b"paddock-export-1\n".to_vec();
    for hash in [digest, head.checkpoint.hash.0] {
        message.extend(32_u64.to_be_bytes());
        message.extend(hash);
    }
    message.extend(40_u64.to_be_bytes());
    assert_eq!(head.signature, signer().sign(&message));
}

/// What may stand in a byte's place: neighbours, the other case, what parsers skip or trip over.
fn replacements(byte: u8) -> impl Iterator<Item = u8> {
    [byte ^ 1, byte ^ 0x20, byte ^ 0x80, byte.wrapping_add(1), b' ', b'\n', b'0', b'"', b'\\', 0, 0xff]
        .into_iter()
        .filter(move |other| *other != byte)
}

#[test]
fn every_change_of_every_single_byte_is_found_where_it_is() {
    let bytes = Sample::new().export();
    let lines = lines(&bytes);
    let seqs = seqs(&lines);
    let mut before = Reader::new(verifier());
    let mut begin = 0;
    let mut tried = 0;
    for (nth, line) in lines.iter().enumerate() {
        let mut rest = bytes[begin..].to_vec();
        for at in 0..line.len() {
            for byte in replacements(line[at]) {
                rest[at] = byte;
                // What comes before a change is as it was; what comes after it is read until the change is found.
                let mut reader = before.clone();
                for line in self::lines(&rest) {
                    reader.line(line, &mut |_, _| {});
                    if !reader.is_sound() {
                        break;
                    }
                }
                let report = reader.finish();
                let damage = report.first().cloned();
                let what = format!("byte {} of line {}: {} for {}", at, nth + 1, byte, line[at]);
                assert!(
                    damage.is_some_and(|damage| is_plausible(&damage, nth + 1, seqs[nth])),
                    "{what}: {report:?}"
                );
                tried += 1;
                // And some of them as a whole.
                if tried % 499 == 0 {
                    let whole = [&bytes[..begin], &rest].concat();
                    assert_eq!(self::report(&whole).first(), report.first(), "{what}");
                }
            }
            rest[at] = line[at];
        }
        begin += line.len();
        before.line(line, &mut |_, _| {});
    }
    assert!(before.finish().is_sound());
    assert!(tried > 9 * bytes.len(), "{tried}");
}

#[test]
fn every_truncation_is_found() {
    let bytes = Sample::new().export();
    let lines = lines(&bytes);
    let mut before = Reader::new(verifier());
    for (nth, line) in lines.iter().enumerate() {
        for length in 0..line.len() {
            let mut reader = before.clone();
            if length > 0 {
                reader.line(&line[..length], &mut |_, _| {});
            }
            let report = reader.finish();
            let what = format!("{length} bytes of line {} are left", nth + 1);
            match report.first() {
                Some(Damage::HeadMissing) => assert_eq!(length, 0, "{what}"),
                Some(Damage::Malformed { at, .. }) => assert_eq!(*at, format!("line {}", nth + 1), "{what}"),
                other => panic!("{what}: {other:?}"),
            }
            assert_eq!(report.count, 1, "{what}: {report:?}");
        }
        before.line(line, &mut |_, _| {});
    }
    // As a whole, and with a witness of what was there.
    let witness = Sample::new().head.unwrap();
    for length in (0..bytes.len()).step_by(97) {
        assert!(!report(&bytes[..length]).is_sound(), "{length}");
        let mut verifier = verifier();
        assert!(verifier.witness(&witness));
        let report = verify_export(&bytes[..length], verifier).unwrap();
        assert!(!report.is_sound(), "{length}");
    }
}

#[test]
fn every_removed_doubled_or_moved_line_is_found() {
    let bytes = Sample::new().export();
    let lines = lines(&bytes);
    for first in 0..lines.len() {
        let mut removed = lines.clone();
        removed.remove(first);
        assert!(!report(&removed.concat()).is_sound(), "line {} removed", first + 1);
        let mut doubled = lines.clone();
        doubled.insert(first, lines[first]);
        assert!(!report(&doubled.concat()).is_sound(), "line {} doubled", first + 1);
        for second in first + 1..lines.len() {
            let mut swapped = lines.clone();
            swapped.swap(first, second);
            let same = swapped[first] == swapped[second];
            assert!(same || !report(&swapped.concat()).is_sound(), "lines {first} and {second} swapped");
        }
    }
}

#[test]
fn a_removed_entry_is_named() {
    let bytes = Sample::new().export();
    let lines = lines(&bytes);
    for (at, seq) in seqs(&lines).into_iter().enumerate() {
        if lines[at].starts_with(b"{\"entry\"") {
            let mut removed = lines.clone();
            removed.remove(at);
            let expected = match seq {
                ENTRIES => Damage::CutOff { last: 39, known: 40 },
                seq => Damage::Missing { first: seq, last: seq },
            };
            assert_eq!(report(&removed.concat()).damages, [expected]);
        }
    }
}

#[test]
fn there_is_one_way_to_write_a_line() {
    let bytes = Sample::new().export();
    let text = String::from_utf8(bytes).unwrap();
    for (from, to) in [
        ("{\"entry\":{\"seq\":1,", "{\"entry\": {\"seq\":1,"),
        ("{\"entry\":{\"seq\":1,\"at_ms\":1700000000007,", "{\"entry\":{\"at_ms\":1700000000007,\"seq\":1,"),
        ("\"seq\":1,", "\"seq\":1,\"seq\":1,"),
        ("\"seq\":1,", "\"seq\":1,\"more\":1,"),
        ("\"seq\":1,", "\"seq\":1.0,"),
        ("\"seq\":1,", "\"seq\":1e0,"),
        ("\"actor\":\"\"", "\"actor\":\"\",\"actor\":\"\""),
        ("\"actor\":null,", ""),
        ("operation-end", "operation\\u002dend"),
        ("\\n", "\\u000a"),
        ("\\u001b", "\\u001B"),
        ("\n{\"checkpoint\"", "\n\n{\"checkpoint\""),
        ("\n{\"checkpoint\"", "\r\n{\"checkpoint\""),
        ("{\"paddock-ledger\"", "\u{feff}{\"paddock-ledger\""),
        ("\"version\":1", "\"version\":2"),
        ("\"after\":{\"seq\":0", "\"after\":{\"seq\":-1"),
        ("\"after\":{\"seq\":0", "\"after\":{\"seq\":-0"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let report = report(changed.as_bytes());
        assert!(matches!(report.first(), Some(Damage::Malformed { .. })), "{from} -> {to}: {report:?}");
    }
    for more in ["\n", " ", "{}", "\0", "{\"entry\":1}\n", &text] {
        let longer = format!("{text}{more}");
        assert_eq!(report(longer.as_bytes()).count, 1, "{more:?} after the end");
    }
}

#[test]
fn a_file_signed_by_another_is_not_the_hosts() {
    let sample = Sample::new();
    let mallory = crate::ledger::Signer::from_seed([9; 32]);
    let mut exporter = Exporter::new(Vec::new(), 0, Hash::ZERO).unwrap();
    sample.entries.iter().for_each(|entry| exporter.entry(entry).unwrap());
    let theirs = mallory.checkpoint(40, sample.entries[39].hash, 1);
    let bytes = exporter.finish(&mallory, &theirs).unwrap();
    let key = mallory.public_key();
    assert_eq!(report(&bytes).damages, [Damage::WrongKey { seq: 40, key }]);
    let unasked = verify_export(&*bytes, Verifier::anywhere()).unwrap();
    assert_eq!((unasked.count, unasked.key), (0, Some(key)));

    // The host's own words of the last entry, under another's signature of the file.
    let mut exporter = Exporter::new(Vec::new(), 0, Hash::ZERO).unwrap();
    sample.entries.iter().for_each(|entry| exporter.entry(entry).unwrap());
    let bytes = exporter.finish(&mallory, &sample.head.unwrap()).unwrap();
    assert!(matches!(report(&bytes).damages[..], [Damage::ArchiveMismatch { .. }]));
}

#[test]
fn archives_continue_one_another() {
    let sample = Sample::new();
    let mut at = (0, Hash::ZERO);
    for part in sample.entries.chunks(15) {
        let mut exporter = Exporter::new(Vec::new(), at.0, at.1).unwrap();
        part.iter().for_each(|entry| exporter.entry(entry).unwrap());
        let last = part.last().unwrap();
        let bytes = exporter.finish(&signer(), &signer().checkpoint(last.seq, last.hash, 9)).unwrap();

        let report =
            verify_export(&*bytes, Verifier::after(at.0, at.1).trust(signer().public_key())).unwrap();
        assert_eq!((report.damages, report.after), (vec![], Some(at)));
        for other in [(at.0 + 1, at.1), (at.0, Hash([5; 32]))] {
            let elsewhere = verify_export(&*bytes, Verifier::after(other.0, other.1)).unwrap();
            assert!(matches!(elsewhere.first(), Some(Damage::ArchiveMismatch { .. })), "{elsewhere:?}");
        }
        at = report.end.unwrap();
    }
    assert_eq!(at, (40, sample.entries[39].hash));
}

#[test]
fn who_takes_records_in_may_hold_them_against_the_entries() {
    let bytes = Sample::new().export();
    let mut ids = Vec::new();
    let report = verify_export_with(&*bytes, verifier(), |line, verifier| {
        if let Line::Record(record) = line {
            ids.push(record.id);
            if record.id == 20 {
                verifier.damage(Damage::RecordChanged { operation: 20, which: "end" });
            }
        }
    });
    assert_eq!(report.unwrap().damages, [Damage::RecordChanged { operation: 20, which: "end" }]);
    assert_eq!(ids, [10, 20, 30, 40]);
}

#[test]
fn a_line_without_end_is_not_held_in_memory() {
    let endless = |length: u64| io::Read::take(io::repeat(b'x'), length);
    let longest = LONGEST_LINE as u64;
    for (length, why) in [(longest, "the file ends"), (longest + 1, "longer"), (3 * longest, "longer")] {
        let report = verify_export(BufReader::new(endless(length)), verifier()).unwrap();
        assert_eq!(report.count, 1, "{length}");
        assert!(report.first().unwrap().to_string().contains(why), "{report:?}");
    }
    // What follows it is read again.
    let bytes = Sample::new().export();
    let input = bytes.chain(endless(longest)).chain(&b"\n"[..]).chain(&b"\n"[..]);
    assert_eq!(verify_export(BufReader::new(input), verifier()).unwrap().count, 1);
    let mut exporter = Exporter::new(io::sink(), 0, Hash::ZERO).unwrap();
    assert!(exporter.record("operation", 1, &"x".repeat(LONGEST_LINE)).is_err());
}

#[test]
fn what_a_file_says_never_reaches_a_terminal() {
    let hostile = "{\"\\u001b[31m\":1}\n{\"entry\":{\"\\u001b]0;x\\u0007\":1}}\n\u{1b}[2J\n";
    let report = report(hostile.as_bytes());
    assert_eq!(report.damages.len(), 3);
    let told: String = report.damages.iter().map(ToString::to_string).collect();
    assert!(!told.contains(|c: char| c.is_control() || c == '['), "{told:?}");
}
