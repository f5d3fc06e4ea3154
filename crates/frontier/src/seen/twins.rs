//! URLs whose first fingerprints are the same, told apart by their second ones.
//!
//! With `scope.identity.fingerprint-bits = 128` a URL has two fingerprints under keys of their own,
//! and both are in the set: at the first is where it stands, at the second a mark. It is known if
//! both are there. One whose first is there and whose second is not is another URL that happens to
//! have the same first, a *twin*; it stands at its second from then on, which is what it is called by
//! everywhere: in tickets, records and the log. So all else has 64 bits to work with, and what does
//! not ask for more pays nothing.
//!
//! That a URL is taken for another needs both fingerprints to be somebody's: for `n` URLs the chance
//! is `n` times `(n / 2^63)` squared, one in a hundred million at ten billion.

use crawl_model::Fingerprint;

use super::{Seen, Standing};

impl Seen {
    /// By which of its two fingerprints a URL is known, or will be.
    pub(crate) fn known_as(&self, first: Fingerprint, second: Option<Fingerprint>) -> Fingerprint {
        let Some(second) = second else { return first };
        match self.get(second) {
            Some(Standing::Second) => first,
            // Its own, or else its second is some twin's.
            Some(_) | None if self.get(first).is_some() => second,
            Some(_) | None => first,
        }
    }

    /// Marks the second fingerprint of a URL that is being learnt as `print`. Only the frontier may.
    pub(crate) fn mark(&self, print: Fingerprint, second: Option<Fingerprint>) {
        if let Some(second) = second.filter(|&second| second != print && self.get(second).is_none())
        {
            self.set(second, Standing::Second);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen::Learnt;

    fn learn(seen: &Seen, first: u64, second: u64) -> (Fingerprint, Learnt) {
        let second = Some(Fingerprint(second));
        let print = seen.known_as(Fingerprint(first), second);
        seen.mark(print, second);
        (print, seen.learn(print, None, 0, false))
    }

    #[test]
    fn a_twin_stands_at_its_second_fingerprint() {
        let seen = Seen::default();
        for _ in 0..2 {
            let learnt = |is_new| if is_new { Learnt::New } else { Learnt::Nothing };
            let is_new = seen.get(Fingerprint(2)).is_none();
            assert_eq!(learn(&seen, 2, 11), (Fingerprint(2), learnt(is_new)));
            assert_eq!(learn(&seen, 2, 13), (Fingerprint(13), learnt(is_new)));
            assert_eq!(learn(&seen, 2, 15), (Fingerprint(15), learnt(is_new)));
            // Another's second, and a first of its own.
            assert_eq!(learn(&seen, 4, 11), (Fingerprint(4), learnt(is_new)));
        }
        assert_eq!(seen.known_as(Fingerprint(2), None), Fingerprint(2));
    }
}
