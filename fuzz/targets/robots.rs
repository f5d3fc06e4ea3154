//! `cargo fuzz run robots --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| crawl_fuzz::robots(data));
