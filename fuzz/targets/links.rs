//! `cargo fuzz run links --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| crawl_fuzz::links(data));
