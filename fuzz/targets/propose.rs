//! `cargo fuzz run propose --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| crawl_fuzz::propose(data));
