#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| app::fuzzing::proc_files(text));
