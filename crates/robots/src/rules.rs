//! The rules of one agent, compiled: what the frontier asks once per URL.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::matching::{Path, Sketch};
use crate::pattern::{Pattern, normal_path};

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
    /// By their heads (the literal before the first wildcard), then by rank: the rules whose head
    /// a path begins with are found by bisection, however many there are.
    rules: Box<[Rule]>,
    /// Of the tail of each rule; empty where there are too few wildcards to be worth it.
    sketches: Box<[Sketch]>,
    delay: Option<f64>,
}

#[derive(Debug)]
struct Rule {
    start: u32,
    /// Where in the text the head ends and the tail begins.
    head_end: u32,
    end: u32,
    /// How many rules go before this one: the most specific is 0, allow before disallow.
    rank: u32,
    anchored: bool,
    allow: bool,
}

/// Rules with wildcards from which on a sketch for each is kept.
const SKETCHED: usize = 64;

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
        let path = normal_path(path_and_query);
        if *path == *b"/robots.txt" {
            return true;
        }
        group.decide(&path).is_none_or(|rule| rule.allow)
    }

    /// Whether there is nothing to say: no rule, and no `Crawl-delay`.
    #[must_use]
    pub fn allows_all(&self) -> bool {
        self.group.is_none()
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

        let delay = written.delays.iter().filter_map(|text| seconds(text)).reduce(f64::max);
        if patterns.is_empty() && delay.is_none() {
            return Self::default();
        }
        Self { group: Some(Arc::new(Group::new(&patterns, delay))) }
    }
}

impl Group {
    /// `patterns` come the most specific first.
    fn new(patterns: &[(bool, Pattern)], delay: Option<f64>) -> Self {
        let mut text = Vec::with_capacity(patterns.iter().map(|(_, p)| p.text.len()).sum());
        let position = |at: usize| u32::try_from(at).expect("normal patterns are under 4 GB");
        let mut rules: Vec<Rule> = Vec::with_capacity(patterns.len());
        for (rank, (allow, pattern)) in patterns.iter().enumerate() {
            let start = text.len();
            text.extend_from_slice(&pattern.text);
            rules.push(Rule {
                start: position(start),
                head_end: position(start + pattern.head_len()),
                end: position(text.len()),
                rank: position(rank),
                anchored: pattern.anchored,
                allow: *allow,
            });
        }
        let (n_tailed, text) = (rules.iter().filter(|rule| rule.has_tail()).count(), text.into());
        let mut group = Self { text, rules: Box::default(), sketches: Box::default(), delay };
        rules.sort_unstable_by(|a, b| (group.head(a), a.rank).cmp(&(group.head(b), b.rank)));
        if n_tailed >= SKETCHED {
            let sketches = rules.iter().map(|rule| Sketch::of_literals(group.tail(rule)));
            group.sketches = sketches.collect();
        }
        group.rules = rules.into();
        group
    }

    /// The first by rank of the rules that match a normal path.
    fn decide(&self, path: &[u8]) -> Option<&Rule> {
        let sketch = (!self.sketches.is_empty()).then(|| Sketch::of(path));
        let prepared = if sketch.is_some() { Path::with_places(path) } else { Path::new(path) };
        let mut best: Option<&Rule> = None;
        // The heads of the rules in here begin with the first `depth` bytes of the path.
        let (mut low, mut high) = (0, self.rules.len());
        for depth in 0..=path.len() {
            let range = &self.rules[low..high];
            // Shorter heads come first, so the ones that end here do.
            let whole = range.partition_point(|rule| rule.head_len() == depth);
            for (at, rule) in range[..whole].iter().enumerate() {
                if best.is_some_and(|best| best.rank < rule.rank) {
                    break;
                }
                let is_covered =
                    sketch.is_none_or(|sketch| sketch.covers(&self.sketches[low + at]));
                if is_covered && prepared.tail_matches(self.tail(rule), rule.anchored, depth) {
                    best = Some(rule);
                    break;
                }
            }
            let Some(&byte) = path.get(depth) else { break };
            let longer = &range[whole..];
            let next = |rule: &Rule| self.text[rule.start as usize + depth];
            let before = longer.partition_point(|rule| next(rule) < byte);
            let with = longer[before..].partition_point(|rule| next(rule) == byte);
            low += whole + before;
            high = low + with;
            if with == 0 {
                break;
            }
        }
        best
    }

    fn head(&self, rule: &Rule) -> &[u8] {
        &self.text[rule.start as usize..rule.head_end as usize]
    }

    fn tail(&self, rule: &Rule) -> &[u8] {
        &self.text[rule.head_end as usize..rule.end as usize]
    }
}

impl Rule {
    fn head_len(&self) -> usize {
        (self.head_end - self.start) as usize
    }

    fn has_tail(&self) -> bool {
        self.head_end < self.end
    }
}

/// A finite number that is not negative.
fn seconds(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number.abs())
}
