//! From bytes to groups (RFC 9309, sections 2.1 and 2.2).
//!
//! Values stay as written, in one buffer: a group is compiled when an agent asks for it, and few
//! of the groups of a robots.txt are ever asked for.

use std::collections::HashSet;
use std::ops::Range;

use crate::line::{self, Line};
use crate::product_token;
use crate::rules::{Rules, Written};

/// Bytes of a robots.txt that are read; the rest is ignored. RFC 9309, section 2.5, asks for
/// 500 KiB at least.
pub const MAX_BYTES: usize = 512 * 1024;

/// A parsed robots.txt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Robots {
    /// Tokens, patterns and delays, one after another.
    text: String,
    entries: Vec<Entry>,
    sitemaps: Vec<String>,
}

/// One line of a group, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    kind: Kind,
    /// Where its value is in `Robots::text`; the text is at most [`MAX_BYTES`] long.
    start: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// First user-agent line of a group.
    Group,
    /// One more user-agent line of the same group.
    Agent,
    Allow,
    Disallow,
    Delay,
}

impl Robots {
    /// Reads a robots.txt. Anything is a robots.txt; one without rules allows all.
    ///
    /// Of more than [`MAX_BYTES`] the beginning is read, up to the last whole line: half a
    /// pattern would forbid more than was meant.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let mut robots = Self::default();
        let mut seen = HashSet::new();
        let mut in_agents = false;
        let mut in_group = false;
        for line in line::lines(within_limit(bytes)).filter_map(line::read) {
            match line {
                Line::UserAgent(value) => {
                    let kind = if in_agents { Kind::Agent } else { Kind::Group };
                    robots.push(kind, product_token(value));
                    (in_agents, in_group) = (true, true);
                }
                Line::Allow(pattern) | Line::Disallow(pattern) if in_group => {
                    let allow = matches!(line, Line::Allow(_));
                    robots.push(if allow { Kind::Allow } else { Kind::Disallow }, pattern);
                    in_agents = false;
                }
                Line::CrawlDelay(value) if in_group => robots.push(Kind::Delay, value),
                Line::Allow(_) | Line::Disallow(_) | Line::CrawlDelay(_) => {}
                Line::Sitemap(url) => {
                    if !url.is_empty() && seen.insert(url) {
                        robots.sitemaps.push(url.to_owned());
                    }
                }
            }
        }
        robots
    }

    /// Returns the rules for `agent`, a product token or `*`, merged over all its groups and
    /// compiled; of a whole `User-Agent` value the leading token counts.
    ///
    /// Tokens are compared whole, in any case. An agent without a group of its own is ruled by the
    /// groups of `*`; without those, all is allowed.
    #[must_use]
    pub fn rules(&self, agent: &str) -> Rules {
        let token = product_token(agent);
        self.merged(token).or_else(|| self.merged("*")).unwrap_or_default()
    }

    /// URLs of the `Sitemap` lines as they are written, in order, without repeats. They belong to
    /// no group.
    #[must_use]
    pub fn sitemaps(&self) -> &[String] {
        &self.sitemaps
    }

    /// Everything said to `token`; `None` if no group names it.
    fn merged(&self, token: &str) -> Option<Rules> {
        if token.is_empty() {
            return None;
        }
        let mut written = Written::default();
        let (mut mine, mut found) = (false, false);
        // Delays that stand before a later name of the same group are said to that one, too.
        let mut earlier = Vec::new();
        for entry in &self.entries {
            let value = &self.text[entry.range()];
            match entry.kind {
                Kind::Group => {
                    mine = value.eq_ignore_ascii_case(token);
                    earlier.clear();
                }
                Kind::Agent if !mine && value.eq_ignore_ascii_case(token) => {
                    mine = true;
                    written.delays.append(&mut earlier);
                }
                Kind::Allow | Kind::Disallow if mine => {
                    written.rules.push((entry.kind == Kind::Allow, value));
                }
                Kind::Delay if mine => written.delays.push(value),
                Kind::Delay => earlier.push(value),
                Kind::Agent | Kind::Allow | Kind::Disallow => {}
            }
            found |= mine;
        }
        found.then(|| Rules::compile(&written))
    }

    fn push(&mut self, kind: Kind, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        let position = |at: usize| u32::try_from(at).expect("the text is within MAX_BYTES");
        self.entries.push(Entry { kind, start: position(start), end: position(self.text.len()) });
    }
}

impl Entry {
    fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// The part of `bytes` that is read: no byte order mark, whole lines up to the limit.
fn within_limit(bytes: &[u8]) -> &[u8] {
    let kept = match bytes.get(..MAX_BYTES) {
        Some(head) if bytes.len() > MAX_BYTES => {
            let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
            let whole = is_break(&bytes[MAX_BYTES]);
            let end = if whole { Some(MAX_BYTES) } else { head.iter().rposition(is_break) };
            &head[..end.unwrap_or(0)]
        }
        _ => bytes,
    };
    kept.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(kept)
}
