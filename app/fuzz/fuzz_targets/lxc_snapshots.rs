#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| app::fuzzing::lxc_snapshots(text));
