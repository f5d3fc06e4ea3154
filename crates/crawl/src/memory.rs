//! The binary's allocator, and when it gives memory back to the system.

use std::env;

use libmimalloc_sys::{mi_option_set, mi_option_t};

/// A crawler allocates and frees by the page on many threads, where it beats glibc's malloc.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long memory that is free stays with the process, in milliseconds (ten times as long if it is
/// large). The default is a second, for which a crawl of some seconds gives nothing back.
const PURGE_DELAY_MS: i8 = 20;

/// `mi_option_purge_delay` of mimalloc 3, which the bindings leave out.
const PURGE_DELAY: mi_option_t = 15;

/// Gives memory back soon, unless the environment says how soon. To be called first of all: what is
/// freed before sets the time of the first giving back.
#[allow(unsafe_code, reason = "options are set by a C function")]
pub(crate) fn give_back_soon() {
    if env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: an option is a number that any thread may change at any time; one that does not
        // exist is ignored.
        unsafe { mi_option_set(PURGE_DELAY, PURGE_DELAY_MS.into()) };
    }
}

#[cfg(test)]
mod tests {
    use libmimalloc_sys::mi_option_get;

    use super::*;

    #[test]
    #[allow(unsafe_code, reason = "options are read by a C function")]
    fn the_option_is_the_one_that_is_meant() {
        // SAFETY: as in `give_back_soon`.
        let delay = || unsafe { mi_option_get(PURGE_DELAY) };
        if env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
            assert_eq!(delay(), 1000, "its default, which no other option has");
            give_back_soon();
            let expected: std::ffi::c_long = PURGE_DELAY_MS.into();
            assert_eq!(delay(), expected);
        }
    }
}
