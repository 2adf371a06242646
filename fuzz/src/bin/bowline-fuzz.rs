//! The program that libFuzzer drives.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| bowline_fuzz::target()(data));
