//! Settings by host: which of several tables holds for a host name.
//!
//! The config's `[[host]]` tables and `[fetch.resolve]` are looked up alike: the exact name wins,
//! then the longest `*.` pattern. So the order in which tables are written means nothing, and one
//! lookup costs as many hash look-ups as the name has dots, however many tables there are.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use crate::CanonicalUrl;

/// Which hosts are meant: `shop.test` only itself, `*.shop.test` itself and all below it.
///
/// Names are compared as they stand in URLs: `*.BÜCHER.example` is `*.xn--bcher-kva.example`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostPattern {
    name: Box<str>,
    with_subdomains: bool,
}

/// Why a text is no [`HostPattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a host name like `shop.test`, or `*.test` for a domain and all below it")]
pub struct NoHostPattern;

impl FromStr for HostPattern {
    type Err = NoHostPattern;

    /// Reads a pattern; a final dot is ignored.
    fn from_str(text: &str) -> Result<Self, NoHostPattern> {
        let (name, with_subdomains) = match text.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (text, false),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.contains(|c: char| c.is_whitespace() || "/?#@*\\".contains(c)) {
            return Err(NoHostPattern);
        }
        // Read as a URL's host is read, so that spellings agree.
        let url = CanonicalUrl::parse(&format!("http://{name}/")).map_err(|_| NoHostPattern)?;
        let is_address =
            name.starts_with('[') || url.host_str().parse::<std::net::Ipv4Addr>().is_ok();
        let has_port = url.authority() != url.host_str() || name.ends_with(":80");
        if has_port || name.ends_with(':') || (is_address && with_subdomains) {
            return Err(NoHostPattern);
        }
        Ok(Self { name: url.host_str().into(), with_subdomains })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.with_subdomains { "*." } else { "" })?;
        f.write_str(&self.name)
    }
}

/// Values by host.
///
/// # Examples
/// ```
/// use crawl_model::HostTable;
///
/// let mut delays = HostTable::default();
/// delays.insert(["*.test".parse()?], 5).unwrap();
/// delays.insert(["shop.test".parse()?], 1).unwrap();
/// assert_eq!(delays.get("shop.test"), Some(&1));
/// assert_eq!(delays.get("a.shop.test"), Some(&5));
/// assert_eq!(delays.get("shop.example"), None);
/// # Ok::<(), crawl_model::NoHostPattern>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HostTable<T> {
    values: Vec<T>,
    /// Index into `values` by name.
    exact: HashMap<Box<str>, usize>,
    /// The same by what stands after `*.`.
    below: HashMap<Box<str>, usize>,
}

impl<T> Default for HostTable<T> {
    fn default() -> Self {
        Self { values: Vec::new(), exact: HashMap::new(), below: HashMap::new() }
    }
}

impl<T> HostTable<T> {
    /// Lets `value` hold for the hosts of `patterns`.
    ///
    /// # Errors
    /// A pattern that has a value already: neither would be more right.
    pub fn insert(
        &mut self,
        patterns: impl IntoIterator<Item = HostPattern>,
        value: T,
    ) -> Result<(), HostPattern> {
        let index = self.values.len();
        self.values.push(value);
        for pattern in patterns {
            let names = if pattern.with_subdomains { &mut self.below } else { &mut self.exact };
            if names.get(&pattern.name).is_some_and(|&other| other != index) {
                return Err(pattern);
            }
            names.insert(pattern.name, index);
        }
        Ok(())
    }

    /// What holds for `host`, as it stands in a [`CanonicalUrl`]; `None` if no pattern fits.
    #[must_use]
    pub fn get(&self, host: &str) -> Option<&T> {
        self.position(host).map(|index| &self.values[index])
    }

    /// The place of [`get`](Self::get)'s answer in [`values`](Self::values).
    #[must_use]
    pub fn position(&self, host: &str) -> Option<usize> {
        if self.values.is_empty() {
            return None;
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        self.exact.get(host).or_else(|| self.longest_below(host)).copied()
    }

    fn longest_below(&self, host: &str) -> Option<&usize> {
        if self.below.is_empty() {
            return None;
        }
        let parents = host.match_indices('.').map(|(dot, _)| &host[dot + 1..]);
        std::iter::once(host).chain(parents).find_map(|domain| self.below.get(domain))
    }

    /// All values, in the order they were inserted.
    #[must_use]
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The same, to be changed in place.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// The same patterns with other values.
    ///
    /// # Errors
    /// The first of `change`.
    pub fn try_map<U, E>(self, change: impl FnMut(T) -> Result<U, E>) -> Result<HostTable<U>, E> {
        let Self { values, exact, below } = self;
        Ok(HostTable {
            values: values.into_iter().map(change).collect::<Result<_, E>>()?,
            exact,
            below,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let pattern = text.parse::<HostPattern>().ok().map(|pattern| pattern.to_string());
        assert_eq!(pattern.as_deref(), expected, "{text}");
    }

    #[test]
    fn patterns_are_names_with_or_without_a_star() {
        check("shop.test", Some("shop.test"));
        check("*.Shop.TEST.", Some("*.shop.test"));
        check("*.bücher.example", Some("*.xn--bcher-kva.example"));
        check("127.0.0.1", Some("127.0.0.1"));
        check("[::1]", Some("[::1]"));
        check("localhost", Some("localhost"));
        for wrong in [
            "",
            "*",
            "*.",
            ".",
            "*.*.test",
            "a.*.test",
            "http://a.test",
            "a.test/",
            "a.test:80",
            "a.test:8080",
            "a.test:",
            "u@a.test",
            "a b",
            "*.127.0.0.1",
            "*.[::1]",
            "a?b",
            "a#b",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn the_exact_name_wins_then_the_longest_suffix() {
        let mut table = HostTable::default();
        let patterns = |list: &[&str]| -> Vec<HostPattern> {
            list.iter().map(|text| text.parse().unwrap()).collect()
        };
        table.insert(patterns(&["*.test"]), "all").unwrap();
        table.insert(patterns(&["*.b.test", "a.b.test", "[::1]"]), "b").unwrap();
        table.insert(patterns(&["x.b.test"]), "x").unwrap();
        for (host, expected) in [
            ("test", Some("all")),
            ("c.test", Some("all")),
            ("c.test.", Some("all")),
            ("bb.test", Some("all")),
            ("b.test", Some("b")),
            ("z.y.b.test", Some("b")),
            ("x.b.test", Some("x")),
            ("y.x.b.test", Some("b")),
            ("[::1]", Some("b")),
            ("tests", None),
            ("xtest", None),
            ("", None),
        ] {
            assert_eq!(table.get(host).copied(), expected, "{host}");
        }
        let twice = table.insert(patterns(&["new.test", "*.b.test"]), "c").unwrap_err();
        assert_eq!(twice.to_string(), "*.b.test");
    }
}
