//! A web without an end: URL `i` is a function of `i`, so nobody has to remember any.
//!
//! Page `p` brings 80 links in random order. Half of them are new, the others were found before,
//! at random over all of the past: the frontier can foresee neither. The hosts take turns at
//! random, too. Link distance grows as it does where every page leads to others: a level is sixteen
//! times as large as the one before.

/// Links of a page.
pub const LINKS: u64 = 80;
/// Those of them that nobody knows yet.
pub const NEW: u64 = LINKS / 2;

/// Numbers of ten digits: each URL has its own.
const TEN_DIGITS: u64 = 10_000_000_000;
/// Has no factor in common with [`TEN_DIGITS`], so multiplying by it repeats no number.
const STRIDE: u64 = 6_180_339_887;

/// The web.
#[derive(Debug, Clone, Copy)]
pub struct Web {
    /// How many hosts it has.
    pub n_hosts: u64,
}

/// A page's links as texts; to be filled again and again.
#[derive(Debug, Default)]
pub struct Page {
    /// Its own address.
    pub url: String,
    /// Link distance of the page.
    pub depth: u32,
    texts: String,
    ends: Vec<usize>,
}

impl Page {
    /// Its links.
    pub fn links(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| &self.texts[start..end])
    }
}

impl Web {
    /// Writes the address of URL `i`.
    pub fn url(&self, i: u64, out: &mut String) {
        let chance = mix(i);
        out.push_str("http://h");
        push_number(out, chance % self.n_hosts, 5);
        out.push_str(".test/c/");
        push_number(out, (chance >> 40) % 90 + 10, 2);
        out.push_str("/p/");
        let number = u128::from(i) * u128::from(STRIDE) % u128::from(TEN_DIGITS);
        push_number(out, u64::try_from(number).expect("it has ten digits"), 10);
    }

    /// Makes page `p`, of which the new links are the URLs from `NEW * p` on.
    pub fn page(&self, p: u64, page: &mut Page) {
        page.url.clear();
        page.texts.clear();
        page.ends.clear();
        page.depth = (p + 1).ilog2() / 4;
        let mut chance = Chance(mix(!p));
        let first = NEW * p;
        let n_known = first.max(NEW);
        self.url(chance.below(n_known), &mut page.url);
        let (mut new, mut known) = (0, 0);
        while new + known < LINKS {
            let is_new = chance.below(LINKS - new - known) < NEW - new;
            let i = if is_new { first + new } else { chance.below(n_known) };
            (new, known) = (new + u64::from(is_new), known + u64::from(!is_new));
            self.url(i, &mut page.texts);
            page.ends.push(page.texts.len());
        }
    }
}

/// A seeded generator: SplitMix64 (Steele, Lea and Flood, 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(1);
        let scaled = u128::from(mix(self.0)) * u128::from(limit);
        u64::try_from(scaled >> 64).expect("it is below the limit")
    }
}

fn mix(x: u64) -> u64 {
    let x = x.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Decimal digits; `format!` would take as long as the parsing that is measured.
fn push_number(out: &mut String, mut number: u64, n_digits: usize) {
    const MOST: usize = 10;
    let mut digits = [b'0'; MOST];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
    out.push_str(std::str::from_utf8(&digits[MOST - n_digits..]).expect("digits are ASCII"));
}
