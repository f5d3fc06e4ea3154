//! References that lead to known URLs, by which they are told without being resolved.
//!
//! On a usual site a page has some hundred links, nearly all to URLs that are known, and mostly spelt
//! as on the page before. To resolve one, make it canonical and hash it costs twenty times what it
//! takes to see that the same reference led to a known URL lately. So a table of fixed size holds
//! hashes of such references, and of all that decides where they lead: of the base the scheme, the
//! authority and, for relative ones, the folder; the document's encoding, for queries are written in
//! it. References that need more of the base (`?page=2`, or none at all) are not remembered.
//!
//! Why a link may be dropped by it: only what [`View::known`](crawl_model::View::known) said of a URL
//! gets in, and to such a one no link says anything new, whatever its depth, its spider, its label or
//! its mark `nofollow` (which [`Parser::admit`](crate::Parser) drops just the same). A URL stays so
//! when it ends and when it is asked for again. The one thing that undoes it, the end of what waits
//! at a blocked host, changes [`View::era`](crawl_model::View::era), which goes into the hash: all
//! that was remembered is forgotten. The era is read before the page, so before `known` is asked.
//! Whatever is no plain request (a spider's own step, `dont_filter`, a body) is judged as ever.
//!
//! Why nothing is mistaken for another: 64 bits under a secret of this process. Of a hundred million
//! new links one is taken for one of the 32,768 in the table with a chance of one in five million. What
//! the base contributes is hashed by SipHash, so that a site could at best deceive itself. Where a
//! crawl has second fingerprints because 64 bits are not enough, there is no era, and no memory.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use crawl_model::WebUrl;
use crawl_spider::abi::wire::Mark;
use encoding_rs::Encoding;
use foldhash::SharedSeed;
use foldhash::quality::FoldHasher;

use super::reticence::Reticence;

/// Sets of places for hashes, 256 KiB in all. A hash may be in one of the places of its set.
const SETS: usize = 1 << 13;
const WAYS: usize = 4;

type Set = [AtomicU64; WAYS];

/// The table, shared by all CPU threads: nothing until something is learnt. No entry means more than
/// itself, so nothing is locked or ordered.
pub(crate) struct Memo {
    sets: OnceLock<Box<[Set]>>,
    secret: RandomState,
    seed: SharedSeed,
}

impl Memo {
    pub(crate) fn new() -> Self {
        let secret = RandomState::new();
        let seed = SharedSeed::from_u64(secret.hash_one("references"));
        Self { sets: OnceLock::new(), secret, seed }
    }

    /// Notes that the reference of this number leads to a known URL. Another one may be forgotten.
    pub(crate) fn learn(&self, number: NonZeroU64) {
        let make = || (0..SETS).map(|_| Set::default()).collect();
        let set = &self.sets.get_or_init(make)[set_of(number)];
        let empty = set.iter().find(|place| place.load(Relaxed) == 0);
        // By bits that the place of the set does not depend on.
        let last = &set[(number.get() >> 32) as usize % WAYS];
        empty.unwrap_or(last).store(number.get(), Relaxed);
    }

    fn holds(&self, number: NonZeroU64) -> bool {
        let Some(sets) = self.sets.get() else { return false };
        sets[set_of(number)].iter().any(|place| place.load(Relaxed) == number.get())
    }

    fn salt(&self, era: u64, encoding: &'static Encoding, base: &str) -> u64 {
        self.secret.hash_one((era, encoding.name(), base))
    }
}

fn set_of(number: NonZeroU64) -> usize {
    number.get() as usize % SETS
}

/// The table as it is asked in one era of the crawl.
#[derive(Clone)]
pub(crate) struct Recall {
    memo: Arc<Memo>,
    era: u64,
    reticence: Option<Arc<Reticence>>,
}

impl Recall {
    /// The era is to be that of the moment, or of one before.
    pub(crate) fn new(memo: Arc<Memo>, era: u64) -> Self {
        Self { memo, era, reticence: None }
    }

    /// Known links may be left as references.
    pub(crate) fn leaving(self, reticence: Arc<Reticence>) -> Self {
        Self { reticence: Some(reticence), ..self }
    }

    pub(super) fn reticence(&self) -> Option<&Arc<Reticence>> {
        self.reticence.as_ref()
    }

    /// For the references of a document with this base and encoding.
    pub(super) fn from(&self, base: WebUrl<&str>, encoding: &'static Encoding) -> Known<'_> {
        let salt = |base: &str| self.memo.salt(self.era, encoding, base);
        let (origin, folder) = (salt(base.before_path()), salt(base.folder()));
        Known { memo: &self.memo, origin, folder }
    }
}

/// The table as it is asked for one document.
pub(super) struct Known<'a> {
    memo: &'a Memo,
    origin: u64,
    folder: u64,
}

impl Known<'_> {
    /// What stands for a reference here; `None` if it is not remembered.
    fn number(&self, href: &str) -> Option<NonZeroU64> {
        let salt = match *href.as_bytes() {
            // They lead where the whole base says.
            [] | [b'?' | b'#', ..] => return None,
            [b'/', ..] => self.origin,
            [b'h' | b'H', ..] if href.starts_with("http://") || href.starts_with("https://") => {
                self.origin
            }
            // `http:?x` is relative to a base of that scheme.
            [b'h' | b'H', ..] if href.contains(':') => return None,
            _ => self.folder,
        };
        let mut hasher = FoldHasher::with_seed(salt, &self.memo.seed);
        hasher.write(href.as_bytes());
        NonZeroU64::new(hasher.finish())
    }

    /// What a link is remembered by, and whether it is.
    pub(super) fn mark(&self, href: &str) -> Mark {
        let number = self.number(href);
        Mark { number, is_known: number.is_some_and(|number| self.memo.holds(number)) }
    }
}

impl fmt::Debug for Recall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recall").field(&self.era).finish() // no secrets
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{UTF_8, WINDOWS_1252};

    use super::*;

    fn number(recall: &Recall, base: &str, encoding: &'static Encoding, href: &str) -> Option<u64> {
        let base = WebUrl::parse(base, None).unwrap();
        recall.from(base.view(), encoding).number(href).map(NonZeroU64::get)
    }

    #[test]
    fn a_reference_is_the_same_where_it_leads_to_the_same() {
        let recall = Recall::new(Arc::new(Memo::new()), 0);
        let of = |base: &str, href: &str| number(&recall, base, UTF_8, href).unwrap();
        for href in ["/x", "//h/x", "http://h/x", "https://h/x?y"] {
            assert_eq!(of("http://h/a/b?c", href), of("http://h/d/e#f", href), "{href}");
            for other in ["http://g/a/b", "https://h/a/b", "http://h:81/", "http://u@h/"] {
                assert_ne!(of("http://h/a/b", href), of(other, href), "{href} {other}");
            }
        }
        for href in ["x", "x?y", "./x", "../x", "xhttp:", "h", "hx?y"] {
            assert_eq!(of("http://h/a/b?c/d", href), of("http://h/a/e#/f", href), "{href}");
            assert_ne!(of("http://h/a/b", href), of("http://h/a/b/", href), "{href}");
            assert_ne!(of("http://h/a/b", href), of("http://h/b", href), "{href}");
        }
        assert_ne!(of("http://h/a", "/x"), of("http://h/a", "x"));
    }

    #[test]
    fn what_needs_the_whole_base_is_not_remembered() {
        let recall = Recall::new(Arc::new(Memo::new()), 0);
        for href in ["", "?x", "#x", "http:", "http:?x", "HTTP:x", "h\nttp:?x", "https:x"] {
            assert_eq!(number(&recall, "http://h/a", UTF_8, href), None, "{href:?}");
        }
    }

    #[test]
    fn encodings_eras_and_secrets_make_other_numbers() {
        let memo = Arc::new(Memo::new());
        let of = |memo: &Arc<Memo>, era, encoding| {
            number(&Recall::new(memo.clone(), era), "http://h/", encoding, "/x?é").unwrap()
        };
        let first = of(&memo, 0, UTF_8);
        assert_eq!(of(&memo, 0, UTF_8), first);
        for other in
            [of(&memo, 1, UTF_8), of(&memo, 0, WINDOWS_1252), of(&Arc::new(Memo::new()), 0, UTF_8)]
        {
            assert_ne!(other, first);
        }
    }

    #[test]
    fn what_is_learnt_is_held_and_nothing_else_and_the_table_does_not_grow() {
        let memo = Memo::new();
        let mix = |n: u64| NonZeroU64::new(crawl_model::Fingerprint(n).number(1)).unwrap();
        assert!(!memo.holds(mix(1)));
        const PLACES: usize = SETS * WAYS;
        let many = 8 * PLACES as u64;
        for n in 0..many {
            memo.learn(mix(n));
            assert!(memo.holds(mix(n)) && !memo.holds(mix(n + many)));
        }
        let held = (0..many).filter(|&n| memo.holds(mix(n))).count();
        assert!(held <= PLACES && held > PLACES * 9 / 10, "{held}");
        // All in one set: the places of a set are all that there is of it.
        let alike = |n: u64| NonZeroU64::new((n << 32) | 5).unwrap();
        for n in 1..5000 {
            memo.learn(alike(n));
            assert!(memo.holds(alike(n)));
        }
        assert!((1..5000).filter(|&n| memo.holds(alike(n))).count() <= WAYS);
    }
}
