#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| app::fuzzing::crun_reference(text));
