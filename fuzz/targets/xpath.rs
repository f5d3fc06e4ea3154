//! `cargo fuzz run xpath --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| crawl_fuzz::xpath(data));
