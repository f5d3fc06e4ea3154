//! A hash of a page's text of which most bits stay the same if most of the text does.
//!
//! Charikar's simhash (STOC 2002) of a page's words, as Manku, Jain and Das Sarma found pages of the
//! web that are nearly duplicates (WWW 2007): of two pages that have most of their sequences of three
//! words in common all but a few of the 64 bits are the same. Digits count as one digit, since numbers
//! are what a site without end counts with. A page of few words says too little to be taken for
//! another, and has no hash.

use super::scan::{Scanner, Token};

/// Words of one sequence.
const SHINGLE: usize = 3;
/// Fewer sequences say nothing.
const LEAST_SHINGLES: u32 = 16;

/// The simhash of an HTML document's text; `None` if it has too few words.
pub(crate) fn of_html(text: &str) -> Option<u64> {
    let mut sum = Sum::default();
    for token in Scanner::html(text) {
        if let Token::Text(text) = token {
            sum.text(text);
        }
    }
    sum.hash()
}

/// The same of a text without markup.
pub(crate) fn of_text(text: &str) -> Option<u64> {
    let mut sum = Sum::default();
    sum.text(text);
    sum.hash()
}

/// For each bit of the hash, how many sequences have it.
struct Sum {
    /// The 64 numbers, the lowest bit of each in the first word: so one addition to all of them
    /// takes two steps on average.
    planes: [u64; 32],
    n: u32,
    /// The last words, the latest first.
    last: [u64; SHINGLE],
    n_words: usize,
}

impl Default for Sum {
    fn default() -> Self {
        Self { planes: [0; 32], n: 0, last: [0; SHINGLE], n_words: 0 }
    }
}

impl Sum {
    /// Adds the words of a piece of text. A word ends where the piece does.
    fn text(&mut self, text: &str) {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.for_each(|text| self.word(word(text)));
    }

    fn word(&mut self, word: u64) {
        self.last.rotate_right(1);
        self.last[0] = word;
        self.n_words += 1;
        if self.n_words < SHINGLE {
            return;
        }
        let joined = self.last.iter().fold(0_u64, |all, word| all.rotate_left(21) ^ word);
        self.n = self.n.saturating_add(1);
        let mut carry = mix(joined);
        for plane in &mut self.planes {
            (*plane, carry) = (*plane ^ carry, *plane & carry);
            if carry == 0 {
                break;
            }
        }
    }

    fn hash(&self) -> Option<u64> {
        let number = |bit: u32| {
            let planes = self.planes.iter().enumerate();
            planes.fold(0, |number, (n, plane)| number | (plane >> bit & 1) << n)
        };
        let is_set = |bit: &u32| 2 * number(*bit) > u64::from(self.n);
        let hash = (0..u64::BITS).filter(is_set).fold(0, |hash, bit| hash | 1_u64 << bit);
        (self.n >= LEAST_SHINGLES).then_some(hash)
    }
}

/// A word's hash: case does not count, and digits in a row are one. Who makes words that collide
/// cheats nobody but his own host. (FNV-1a, with a finish.)
fn word(text: &str) -> u64 {
    let mut was_digit = false;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in text.bytes() {
        let is_digit = byte.is_ascii_digit();
        if is_digit && was_digit {
            continue;
        }
        was_digit = is_digit;
        let byte = if is_digit { b'0' } else { byte.to_ascii_lowercase() };
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    mix(hash)
}

/// Spreads a number's bits: the finisher of SplitMix64 (Steele, Lea and Flood, 2014).
fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An article of so many words out of a few thousand.
    pub(crate) fn article(seed: u64, n_words: u64) -> String {
        let word = |n| mix(mix(seed) ^ n) % 4000;
        (0..n_words)
            .map(|n| format!("w{} ", "abcdefghij".repeat(word(n) as usize % 3) + &letters(word(n))))
            .collect()
    }

    fn letters(mut n: u64) -> String {
        let mut out = String::new();
        while n > 0 {
            out.push(char::from(b'a' + (n % 26) as u8));
            n /= 26;
        }
        out
    }

    pub(crate) fn page(text: &str, day: u64) -> String {
        format!(
            "<html><head><title>Day {day}</title><script>var t = {day}{day};</script></head><body>\
             <p>Today is 2026-{:02}-{:02}, you are visitor {}.</p><p>{text}</p>\
             <a href='{}'>tomorrow</a></body></html>",
            day % 12 + 1,
            day % 28 + 1,
            day * 7919,
            day + 1
        )
    }

    #[test]
    fn one_article_with_other_numbers_has_one_hash_and_others_have_others() {
        let text = article(1, 200);
        let first = of_html(&page(&text, 1)).unwrap();
        for day in 2..400 {
            assert_eq!(of_html(&page(&text, day)), Some(first), "numbers do not count");
        }
        // A few words of two hundred.
        let near = of_html(&page(&text, 1).replace("tomorrow", "the day after that")).unwrap();
        assert!((first ^ near).count_ones() <= 6, "{}", (first ^ near).count_ones());
        let hashes: Vec<u64> =
            (0..300).map(|n| of_html(&page(&article(n, 200), n)).unwrap()).collect();
        for (n, a) in hashes.iter().enumerate() {
            let nearest = hashes[..n].iter().map(|b| (a ^ b).count_ones()).min();
            assert!(nearest.is_none_or(|distance| distance > 6), "{nearest:?}");
        }
    }

    #[test]
    fn markup_scripts_and_case_do_not_count_and_few_words_say_nothing() {
        let text = article(3, 60);
        let html = format!("<style>p {{}}</style><p class=x>{}<!-- y --></p>", text.to_uppercase());
        assert_eq!(of_html(&html), of_text(&text));
        assert_eq!(of_text(&article(3, 17)), None);
        assert_eq!(of_html(""), None);
    }
}
