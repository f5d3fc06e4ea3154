//! Names of records.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use sha1::{Digest, Sha1};

/// A record id: a UUID as a URN (RFC 9562).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Urn([u8; 16]);

impl fmt::Display for Urn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<urn:uuid:")?;
        for (i, byte) in self.0.iter().enumerate() {
            f.write_str(if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" })?;
            write!(f, "{byte:02x}")?;
        }
        f.write_str(">")
    }
}

/// Makes ids, each unlike any other: a random start and a count. May be shared by threads.
#[derive(Debug)]
pub(crate) struct Ids {
    start: [u8; 16],
    count: AtomicU64,
}

impl Ids {
    /// `start` must be random, so that no two processes make the same ids.
    pub(crate) fn new(start: [u8; 16]) -> Self {
        Self { start, count: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> Urn {
        let mut sha1 = Sha1::new();
        sha1.update(self.start);
        sha1.update(self.count.fetch_add(1, Ordering::Relaxed).to_be_bytes());
        let mut id = [0; 16];
        id.copy_from_slice(&sha1.finalize()[..16]);
        id[6] = id[6] & 0x0f | 0x80; // version 8: made in a way of its own
        id[8] = id[8] & 0x3f | 0x80; // the RFC's variant
        Urn(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_never_the_same() {
        let ids = Ids::new([7; 16]);
        let (a, b) = (ids.next(), ids.next());
        assert!(a != b && a != Ids::new([8; 16]).next());
        let text = a.to_string();
        assert_eq!((text.len(), &text[..10], &text[24..25]), (47, "<urn:uuid:", "8"));
    }
}
