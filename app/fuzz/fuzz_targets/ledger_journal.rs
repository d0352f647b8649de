#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| app::fuzzing::ledger_journal(text));
