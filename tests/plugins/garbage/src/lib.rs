//! A plugin by hand whose `parse` answers whatever its argument `answer` says, in hexadecimal; or,
//! without it, noise that is another one for each page.

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crawl_spider::abi::layout::{Call, Header, OK, Slice};
use crawl_spider::prelude::*;

struct Garbage;

static ANSWER: Mutex<Option<Vec<u8>>> = Mutex::new(None);

impl FromArgs for Garbage {
    fn from_args(args: &Args) -> Result<Self, SpiderError> {
        let answer = args.get("answer").and_then(Value::as_str).map(|hex| {
            let byte =
                |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
            hex.as_bytes().chunks(2).map(byte).collect()
        });
        *ANSWER.lock().unwrap_or_else(PoisonError::into_inner) = answer;
        Ok(Self)
    }
}

impl Spider for Garbage {
    fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
        Ok(())
    }
}

#[unsafe(no_mangle)]
static crawl_plugin_garbage: Header = {
    let mut header = Header::of::<Garbage>("garbage", "0.0.1", true);
    header.functions.parse = parse;
    header
};

unsafe extern "C" fn parse(call: *const Call, _: *const c_void) -> u32 {
    let answer = ANSWER.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let answer = answer.unwrap_or_else(noise);
    // SAFETY: the host's sink, for this call.
    unsafe { ((*call).answer.put)((*call).answer.to, Slice::of(&answer)) };
    OK
}

/// Bytes of xorshift.
fn noise() -> Vec<u8> {
    static SEED: AtomicU64 = AtomicU64::new(0x9e37_79b9_7f4a_7c15);
    let mut state = SEED.fetch_add(0x1234_5678_9abc_def1, Ordering::Relaxed) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let len = next() % 200;
    (0..len).map(|_| (next() % 7) as u8 * (next() % 40) as u8).collect()
}
