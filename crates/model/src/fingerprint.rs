//! Eight bytes that stand for a request wherever duplicates are told.

use std::fmt;
use std::hash::Hasher;
use std::sync::Arc;

use siphasher::sip::SipHasher13;
use twox_hash::XxHash3_64;

use crate::{CanonicalUrl, FingerprintBits, KeyRules, Method, Request};

/// Stands for one request: method, canonical URL, body, [`FetchOptions::unique`], and whether it is
/// for a file that an item asks for, hashed under the crawl's secret.
///
/// [`FetchOptions::unique`]: crate::FetchOptions::unique
///
/// 64 bits: among a hundred million URLs the chance that any two collide is 0.03 %. Where that is
/// too much, a second one beside it tells them apart: see [`Fingerprinter::second`].
#[derive(
    Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct Fingerprint(pub u64);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Fingerprint {
    /// A number for the `n`-th request of one kind that the page of this fingerprint asks for
    /// beyond the known ones ([`FetchOptions::unique`]): the same whenever the page is read.
    ///
    /// The finisher of SplitMix64 (Steele, Lea and Flood, 2014). Fingerprints are hashes under a
    /// secret already, so there is nothing to be guessed.
    ///
    /// [`FetchOptions::unique`]: crate::FetchOptions::unique
    #[must_use]
    pub fn number(self, n: u64) -> u64 {
        let mix = |mut bits: u64| {
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            bits ^ (bits >> 31)
        };
        let number = mix(self.0 ^ mix(n.wrapping_add(0x9e37_79b9_7f4a_7c15)));
        // What means that no number was chosen is none.
        number.min(crate::FetchOptions::UNNUMBERED - 1)
    }
}

/// Makes [`Fingerprint`]s under one crawl's secret, so that no site can prepare collisions.
///
/// SipHash-1-3 (Aumasson and Bernstein, 2012): keyed, and fast on texts as short as URLs.
#[derive(Clone)]
pub struct Fingerprinter {
    secret: [u8; 16],
    /// What does not count, if anything does not.
    rules: Option<Arc<KeyRules>>,
    /// Under which the second fingerprint is made, if there is one.
    second: Option<[u8; 16]>,
    /// Bits of the first one that are kept.
    mask: u64,
}

/// Set in all second fingerprints, and in no first one where there are second ones.
const SECOND: u64 = 1;

impl Fingerprinter {
    /// Takes the crawl's secret, which the store keeps. Every difference between URLs counts.
    #[must_use]
    pub fn new(secret: [u8; 16]) -> Self {
        Self { secret, rules: None, second: None, mask: u64::MAX }
    }

    /// Overlooks what `rules` say does not count, and has the bits that they say.
    #[must_use]
    pub fn under(self, rules: KeyRules) -> Self {
        let prints = match rules.bits {
            FingerprintBits::Bits64 => self,
            FingerprintBits::Bits128 => self.with_second(),
        };
        Self { rules: Some(Arc::new(rules)), ..prints }
    }

    /// Has a second fingerprint for each request.
    fn with_second(self) -> Self {
        let halves = ["\u{1}", "\u{2}"].map(|n| self.of_text(["second fingerprint", n]));
        let mut key = [0; 16];
        key[..8].copy_from_slice(&halves[0].to_le_bytes());
        key[8..].copy_from_slice(&halves[1].to_le_bytes());
        Self { second: Some(key), mask: self.mask & !SECOND, ..self }
    }

    /// Keeps only these bits of first fingerprints, so that a test has collisions.
    #[doc(hidden)]
    #[must_use]
    pub fn weakened(self, mask: u64) -> Self {
        Self { mask: self.mask & mask, ..self }
    }

    /// A second fingerprint of a request, which has nothing to do with the first: two requests that
    /// have both in common are one, for all the URLs there are. `None` if the first is to be
    /// enough ([`IdentityConfig::fingerprint_bits`](crate::IdentityConfig::fingerprint_bits)).
    ///
    /// No first fingerprint is a second one, and the other way round.
    #[must_use]
    pub fn second(&self, request: &Request) -> Option<Fingerprint> {
        let text = request.url.as_str();
        let hash = self.hash(&self.second?, request.method, text, &request.body, request.number());
        Some(Fingerprint(hash | SECOND))
    }

    /// Whether there are second fingerprints.
    #[must_use]
    pub fn has_second(&self) -> bool {
        self.second.is_some()
    }

    /// The second fingerprint of a plain GET.
    #[must_use]
    pub fn second_get(&self, url: &CanonicalUrl) -> Option<Fingerprint> {
        self.second_get_text(url.as_str())
    }

    /// The same of the URL that has this text; see [`get_text`](Self::get_text).
    #[must_use]
    pub fn second_get_text(&self, text: &str) -> Option<Fingerprint> {
        let hash = self.hash(&self.second?, Method::Get, text, &[], None);
        Some(Fingerprint(hash | SECOND))
    }

    /// A number for any text, under the same secret: for tables that are to outlive the process.
    #[must_use]
    pub fn of_text<'a>(&self, pieces: impl IntoIterator<Item = &'a str>) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        for piece in pieces {
            hasher.write(piece.as_bytes());
            hasher.write(&[0xff]); // no text has it, so pieces do not run together
        }
        hasher.finish()
    }

    /// Fingerprint of a plain GET.
    #[must_use]
    pub fn get(&self, url: &CanonicalUrl) -> Fingerprint {
        self.get_text(url.as_str())
    }

    /// Fingerprint of a plain GET of the URL that has this text. That it is canonical is taken on
    /// trust: it was a [`CanonicalUrl`]'s, or might be.
    #[must_use]
    pub fn get_text(&self, text: &str) -> Fingerprint {
        self.first(Method::Get, text, &[], None)
    }

    /// The same with no regard to what does not count: every difference between URLs does.
    #[must_use]
    pub fn canonical(&self, text: &str) -> Fingerprint {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        crate::url::key_pieces(text, |piece| hasher.write(piece.as_bytes()));
        Fingerprint(hasher.finish())
    }

    /// Fingerprint of any request.
    #[must_use]
    pub fn request(&self, request: &Request) -> Fingerprint {
        self.first(request.method, request.url.as_str(), &request.body, request.number())
    }

    /// Fingerprint of a host's name, for sets of many of them.
    #[must_use]
    pub fn host(&self, name: &str) -> Fingerprint {
        let mut hasher = SipHasher13::new_with_key(&self.secret);
        // Stands in no URL, so a host is not taken for one.
        hasher.write(&[0xff]);
        hasher.write(name.as_bytes());
        Fingerprint(hasher.finish())
    }

    fn first(&self, method: Method, text: &str, body: &[u8], unique: Option<u64>) -> Fingerprint {
        Fingerprint(self.hash(&self.secret, method, text, body, unique) & self.mask)
    }

    fn hash(
        &self,
        key: &[u8; 16],
        method: Method,
        text: &str,
        body: &[u8],
        unique: Option<u64>,
    ) -> u64 {
        let is_plain = method == Method::Get && body.is_empty() && unique.is_none();
        let is_key = || match &self.rules {
            Some(rules) => rules.is_idle_on(text),
            None => crate::url::is_idle_on(text),
        };
        if is_plain && is_key() {
            // Nearly every link: its text is its key, and hashing that in one go costs a third.
            return SipHasher13::new_with_key(key).hash(text.as_bytes());
        }
        let mut hasher = SipHasher13::new_with_key(key);
        match &self.rules {
            Some(rules) => rules.key_pieces(text, |piece| hasher.write(piece.as_bytes())),
            None => crate::url::key_pieces(text, |piece| hasher.write(piece.as_bytes())),
        }
        if let Some(number) = unique {
            // Nor does 0xfe.
            hasher.write(&[0xfe]);
            hasher.write(&number.to_le_bytes());
        }
        if method != Method::Get || !body.is_empty() {
            // 0xff occurs in no URL, so nothing else hashes alike.
            hasher.write(&[0xff, method as u8]);
            hasher.write(body);
        }
        hasher.finish()
    }
}

/// Sixteen hexadecimal digits that tell whether a body is the one of the last visit; empty for an
/// empty one. XXH3 without a key: it reads a page in a tenth of the time of SipHash, and a site that
/// lets two of its own pages look alike deceives nobody but itself.
#[must_use]
pub fn digest(body: &[u8]) -> String {
    if body.is_empty() {
        return String::new();
    }
    format!("{:016x}", XxHash3_64::oneshot(body))
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinter(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_count_makes_no_other_fingerprint() {
        let prints = Fingerprinter::new([7; 16]);
        let rules = KeyRules::new(&crate::IdentityConfig::default()).unwrap();
        let under = prints.clone().under(rules);
        let url = |text: &str| CanonicalUrl::parse(text).unwrap();
        let (plain, marked) = (url("http://h/a?b=1"), url("http://h/a?b=1&utm_id=2"));
        assert_eq!(under.get(&plain), prints.get(&plain));
        assert_eq!(under.get(&marked), under.get(&plain));
        assert_ne!(prints.get(&marked), prints.get(&plain));
    }

    #[test]
    fn a_url_that_is_its_own_key_hashes_as_its_pieces_do() {
        let prints = Fingerprinter::new([7; 16]);
        let under = prints.clone().under(KeyRules::new(&crate::IdentityConfig::default()).unwrap());
        for text in ["http://h/", "https://example.org:8080/p/17", "http://h/~a;b", "http://h/%C3"]
        {
            let url = CanonicalUrl::parse(text).unwrap();
            assert_eq!(prints.get(&url), prints.canonical(url.as_str()), "{text}");
            assert_eq!(under.get(&url), prints.get(&url), "{text}");
        }
    }

    #[test]
    fn a_second_fingerprint_is_another_hash_and_never_a_first() {
        let plain = Fingerprinter::new([7; 16]);
        let config = crate::IdentityConfig {
            fingerprint_bits: FingerprintBits::Bits128,
            ..crate::IdentityConfig::default()
        };
        let prints = plain.clone().under(KeyRules::new(&config).unwrap());
        let mut seconds = std::collections::HashSet::new();
        for n in 0..1000 {
            let url = CanonicalUrl::parse(&format!("http://h/{n}")).unwrap();
            let request = Request::get(url.clone());
            assert_eq!(plain.second(&request), None);
            let (first, second) = (prints.get(&url), prints.second(&request).unwrap());
            assert_eq!(first.0, plain.get(&url).0 & !1);
            assert_eq!((prints.second_get(&url), second.0 & 1), (Some(second), 1));
            assert_ne!(first.0 >> 1, second.0 >> 1);
            assert!(seconds.insert(second));
        }
        let weak = prints.weakened(0);
        assert_eq!(weak.get(&CanonicalUrl::parse("http://h/1").unwrap()), Fingerprint(0));
        assert_eq!(FingerprintBits::try_from(128), Ok(FingerprintBits::Bits128));
        assert!(FingerprintBits::try_from(96).is_err());
    }

    #[test]
    fn numbers_of_a_page_are_its_own_and_come_again() {
        let mut numbers: Vec<u64> =
            (0..100).flat_map(|page| (0..100).map(move |n| Fingerprint(page).number(n))).collect();
        assert_eq!(numbers[101], Fingerprint(1).number(1));
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 10_000);
    }

    #[test]
    fn method_and_body_make_a_difference_and_spelling_does_not() {
        let prints = Fingerprinter::new([7; 16]);
        let url = CanonicalUrl::parse("http://h/~a").unwrap();
        let get = Request::get(url.clone());
        let mut post = get.clone();
        post.method = Method::Post;
        let mut form = post.clone();
        form.body = b"a=1".to_vec();
        assert_eq!(
            prints.get(&CanonicalUrl::parse("http://h/%7ea").unwrap()),
            prints.request(&get)
        );
        assert_ne!(prints.request(&get), prints.request(&post));
        assert_ne!(prints.request(&post), prints.request(&form));
        let mut again = get.clone();
        again.options_mut().unique = Some(1);
        assert_ne!(prints.request(&get), prints.request(&again));
        assert_ne!(Fingerprinter::new([8; 16]).get(&url), prints.get(&url));
        assert_eq!(prints.canonical(get.url.as_str()), prints.request(&get));
    }
}
