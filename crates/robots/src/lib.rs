//! RFC 9309: robots.txt bytes in, verdicts out.
//!
//! A robots.txt is written by hand, by strangers, and served by anything that answers at that
//! path. So nothing in here fails: what cannot be understood is skipped, line by line, and what is
//! left holds. It is also read by an opponent now and then, so every step is linear in its input.
//!
//! ```
//! use crawl_robots::Robots;
//! let robots = Robots::parse(b"User-agent: *\nDisallow: /private/\nAllow: /private/faq$\n");
//! let rules = robots.rules("ExampleBot");
//! assert!(rules.allows("/private/faq"));
//! assert!(!rules.allows("/private/faq?all"));
//! ```
//!
//! The way through: [`Robots::parse`] reads lines (`line`) into groups; [`Robots::rules`] merges the
//! groups of one agent and compiles their patterns (`pattern`); [`Rules::allows`] is the hot path
//! (`rules`, `matching`).
//!
//! Not here: fetching, caching, status codes, the cap on crawl-delays. Those are decided by who
//! asks for the file.

#![forbid(unsafe_code)]

mod line;
mod parse;

mod matching;
mod pattern;
mod rules;

pub use parse::{MAX_BYTES, Robots};
pub use rules::Rules;

/// Returns the product token that `user_agent` begins with: what robots.txt groups are looked up
/// by (RFC 9309, section 2.2.1).
///
/// That is everything up to the first character that is no ASCII letter, digit, `-`, `_` or `.`;
/// the RFC itself knows letters, `-` and `_` only, but names like `bot2.0` are in use. `*` is its
/// own token if nothing of a name follows. Empty if there is no token.
///
/// # Examples
/// ```
/// assert_eq!(crawl_robots::product_token("ExampleBot/1.2 (+https://example.org/bot)"), "ExampleBot");
/// assert_eq!(crawl_robots::product_token("*"), "*");
/// ```
#[must_use]
pub fn product_token(user_agent: &str) -> &str {
    let text = user_agent.trim_start_matches([' ', '\t']);
    let token = |text: &str| {
        text.bytes()
            .position(|b| !(b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')))
            .unwrap_or(text.len())
    };
    match text.strip_prefix('*') {
        Some(rest) if token(rest) == 0 => &text[..1],
        _ => &text[..token(text)],
    }
}

#[cfg(test)]
mod tests;
