//! The rules of one agent, compiled: what the frontier asks once per URL.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::pattern::{self, Pattern};

/// What one agent may do on one origin. Cheap to clone; keep it as long as the robots.txt holds.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// `None` where there is nothing to say, as for most hosts.
    group: Option<Arc<Group>>,
}

#[derive(Debug)]
struct Group {
    /// Normal patterns, one after another.
    text: Box<[u8]>,
    /// The most specific first, allow before disallow: the first match is the verdict.
    rules: Box<[Rule]>,
    delay: Option<f64>,
}

#[derive(Debug)]
struct Rule {
    start: u32,
    end: u32,
    anchored: bool,
    allow: bool,
}

/// A group's lines as they are written.
#[derive(Debug, Default)]
pub(crate) struct Written<'a> {
    /// Whether it allows, and the pattern.
    pub(crate) rules: Vec<(bool, &'a str)>,
    pub(crate) delays: Vec<&'a str>,
}

impl Rules {
    /// Allows everything: a robots.txt that does not exist (RFC 9309, section 2.3.1.3).
    #[must_use]
    pub fn allow_all() -> Self {
        Self::default()
    }

    /// Allows nothing but `/robots.txt`: one that cannot be reached (RFC 9309, section 2.3.1.4).
    #[must_use]
    pub fn disallow_all() -> Self {
        Self::compile(&Written { rules: vec![(false, "/")], delays: Vec::new() })
    }

    /// Whether `path_and_query` may be fetched. A fragment is ignored, a missing first `/` is
    /// assumed; any spelling of the same path gives the same answer.
    ///
    /// The longest pattern that matches decides; of two as long as each other the allowing one.
    /// Without a match all is allowed, and so is `/robots.txt` itself (RFC 9309, section 2.2.2).
    #[must_use]
    pub fn allows(&self, path_and_query: &str) -> bool {
        let Some(group) = self.group.as_deref().filter(|group| !group.rules.is_empty()) else {
            return true;
        };
        let path = pattern::normal_path(path_and_query);
        if *path == *b"/robots.txt" {
            return true;
        }
        let matches = |rule: &&Rule| {
            let text = &group.text[rule.start as usize..rule.end as usize];
            pattern::matches(text, rule.anchored, &path)
        };
        group.rules.iter().find(matches).is_none_or(|rule| rule.allow)
    }

    /// Seconds to rest between two requests, as the group's `Crawl-delay` asks; finite and not
    /// negative. `None` if it does not ask, or not with a number; of several, the longest.
    ///
    /// An extension in common use, not in RFC 9309. There is no upper bound: cap it.
    #[must_use]
    pub fn crawl_delay(&self) -> Option<f64> {
        self.group.as_ref()?.delay
    }

    pub(crate) fn compile(written: &Written<'_>) -> Self {
        let mut patterns: Vec<(bool, Pattern)> = written
            .rules
            .iter()
            .filter_map(|(allow, text)| Some((*allow, Pattern::new(text)?)))
            .collect();
        patterns.sort_by_key(|(allow, pattern)| (Reverse(pattern.octets), !allow));
        patterns.dedup();

        let mut text = Vec::with_capacity(patterns.iter().map(|(_, p)| p.text.len()).sum());
        let mut position = |pattern: &[u8]| {
            let start = text.len() as u32;
            text.extend_from_slice(pattern);
            (start, text.len() as u32)
        };
        let rules: Box<[Rule]> = patterns
            .iter()
            .map(|(allow, pattern)| {
                let (start, end) = position(&pattern.text);
                Rule { start, end, anchored: pattern.anchored, allow: *allow }
            })
            .collect();
        let delay = written.delays.iter().filter_map(|text| seconds(text)).reduce(f64::max);
        if rules.is_empty() && delay.is_none() {
            return Self::default();
        }
        Self { group: Some(Arc::new(Group { text: text.into(), rules, delay })) }
    }
}

/// A finite number that is not negative.
fn seconds(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number.abs())
}
