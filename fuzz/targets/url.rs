//! `cargo fuzz run url --features libfuzzer`
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| crawl_fuzz::url(data));
