//! What a page says about indexing it and following its links: `X-Robots-Tag` fields and robots
//! meta tags.
//!
//! No RFC has it; this is Google's documentation of both forms. Directives for other crawlers do
//! not count; of those for all and those for us the stricter ones hold.

use bytes::Bytes;

/// Directives that take a value after a colon, which is no crawler's name then.
const WITH_VALUE: [&str; 4] =
    ["unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"];

/// Most tags of one document that count.
pub(super) const MAX_TAGS: usize = 64;

/// What a crawler is asked not to do with a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Directives {
    /// Not to follow its links.
    pub(crate) nofollow: bool,
    /// Not to keep it.
    pub(crate) noindex: bool,
}

impl Directives {
    /// Reads a list of directives. They are separated by commas; blanks are forgiven.
    pub(crate) fn of_list(list: &str) -> Self {
        let mut directives = Self::default();
        for word in list.split(|c: char| c == ',' || c.is_ascii_whitespace()) {
            let is = |name: &str| word.eq_ignore_ascii_case(name);
            directives.nofollow |= is("nofollow") || is("none");
            directives.noindex |= is("noindex") || is("none");
        }
        directives
    }

    /// Reads the values of `X-Robots-Tag` fields for the crawler `agent`. A name with a colon
    /// before a directive says whom it, and what follows it in the field, is for.
    pub(crate) fn of_fields<'v>(values: impl Iterator<Item = &'v Bytes>, agent: &str) -> Self {
        let mut directives = Self::default();
        for value in values {
            let value = String::from_utf8_lossy(value);
            let mut is_for_us = true;
            for part in value.split(',') {
                let list = match part.split_once(':') {
                    Some((name, rest)) if is_agent(name.trim()) => {
                        is_for_us = is_agent_of(name, agent);
                        rest
                    }
                    _ => part,
                };
                if is_for_us {
                    directives.add(Self::of_list(list));
                }
            }
        }
        directives
    }

    /// Holds both.
    pub(crate) fn add(&mut self, other: Self) {
        self.nofollow |= other.nofollow;
        self.noindex |= other.noindex;
    }

    /// Whether there is anything in it.
    pub(crate) fn is_some(self) -> bool {
        self != Self::default()
    }
}

/// Whether a meta tag of this name, or a field's prefix, speaks to us.
pub(crate) fn is_agent_of(name: &str, agent: &str) -> bool {
    let name = name.trim();
    name.eq_ignore_ascii_case("robots") || name == "*" || name.eq_ignore_ascii_case(agent)
}

/// Whether what stands before a colon can be a crawler's name.
fn is_agent(name: &str) -> bool {
    let is_value = WITH_VALUE.iter().any(|directive| name.eq_ignore_ascii_case(directive));
    !name.is_empty() && !is_value && !name.contains(|c: char| c.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&'static str], nofollow: bool, noindex: bool) {
        let values: Vec<Bytes> =
            values.iter().map(|value| Bytes::from_static(value.as_bytes())).collect();
        let read = Directives::of_fields(values.iter(), "mybot");
        assert_eq!(read, Directives { nofollow, noindex }, "{values:?}");
    }

    #[test]
    fn all_fields_count_and_those_for_others_do_not() {
        check(&[], false, false);
        check(&["noindex"], false, true);
        check(&["NoFollow , archive"], true, false);
        check(&["none"], true, true);
        check(&["noindex", "nofollow"], true, true);
        check(&["otherbot: noindex, nofollow"], false, false);
        check(&["otherbot: nofollow", "noindex"], false, true);
        check(&["MyBot: nofollow"], true, false);
        check(&["mybot:none"], true, true);
        check(&["*: noindex"], false, true);
        check(&["otherbot: nofollow, mybot: noindex"], false, true);
        check(&["mybot: nofollow, otherbot: noindex"], true, false);
        check(&["noindex, otherbot: nofollow"], false, true);
        check(&["unavailable_after: 25 Jun 2010 15:00:00 PST, noindex"], false, true);
        check(&["unavailable_after: Fri, 25 Jun 2010 15:00:00 PST"], false, false);
        check(&["max-snippet:20, max-image-preview: large, nofollow"], true, false);
        check(&["noindex nofollow"], true, true);
        check(&["noindexed, xnofollow, all, index, follow, "], false, false);
        check(&[": nofollow"], true, false);
    }
}
