#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| app::fuzzing::crun_status(bytes));
