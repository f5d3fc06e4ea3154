//! What belongs to the crawl: the judgement that needs nothing but the URL and its depth.
//!
//! Pure and shared by the parser's threads, which judge every link where it is found. Budgets
//! and robots.txt depend on the crawl's course and are not here.

use std::collections::HashSet;
use std::sync::Arc;

use crawl_model::{CanonicalUrl, FilterReason, Host};
use regex::RegexSet;

use crate::config::{FrontierError, ScopeConfig, TrapsConfig};
use crate::domain::{Blocklist, Domain};
use crate::seed_hosts::SeedHosts;
use crate::traps::path;

/// Longest extension that is looked up, in bytes: longer ones are no extensions.
const MAX_EXTENSION_BYTES: usize = 16;

/// The `[scope]` table, compiled.
#[derive(Debug)]
pub(crate) struct Scope {
    /// Hosts and domains that are allowed.
    domains: HashSet<Box<str>>,
    /// Whether an entry of `domains` covers its subdomains.
    with_subdomains: bool,
    /// What came into the scope with later seeds; `None` if the config names the domains.
    seed_hosts: Option<Arc<SeedHosts>>,
    /// What was blocked, whatever the config says.
    pub(crate) blocks: Blocklist,
    include: Option<RegexSet>,
    exclude: Option<RegexSet>,
    extensions: HashSet<Box<str>>,
    max_depth: u32,
    traps: TrapsConfig,
}

impl Scope {
    /// Compiles `config`; `seed_hosts` are the scope if it names no domains.
    pub(crate) fn new(config: &ScopeConfig, seed_hosts: &[Host]) -> Result<Self, FrontierError> {
        let with_subdomains = !config.allowed_domains.is_empty();
        let domains = if with_subdomains {
            let read = |text: &String| match Domain::parse(text) {
                Ok(domain) => Ok(domain.as_str().into()),
                Err(_) => Err(FrontierError::Domain(text.clone())),
            };
            config.allowed_domains.iter().map(read).collect::<Result<_, _>>()?
        } else {
            seed_hosts.iter().flat_map(|host| twins(host.as_str())).collect()
        };
        let extensions = config.skip_extensions.iter();
        Ok(Self {
            domains,
            with_subdomains,
            seed_hosts: None,
            blocks: Blocklist::default(),
            include: patterns("scope.include", &config.include)?,
            exclude: patterns("scope.exclude", &config.exclude)?,
            extensions: extensions
                .map(|text| text.trim_start_matches('.').to_ascii_lowercase().into())
                .collect(),
            max_depth: config.max_depth,
            traps: TrapsConfig::default(),
        })
    }

    /// Also lets hosts in that come with later seeds, unless the config names the domains.
    pub(crate) fn with_seed_hosts(mut self, hosts: Arc<SeedHosts>) -> Self {
        self.seed_hosts = (!self.with_subdomains).then_some(hosts);
        self
    }

    /// Where hosts of later seeds are to be told of; `None` if they make no difference.
    pub(crate) fn seed_hosts(&self) -> Option<Arc<SeedHosts>> {
        self.seed_hosts.clone()
    }

    /// Refuses paths that look endless, too.
    pub(crate) fn with_traps(self, traps: TrapsConfig) -> Self {
        Self { traps, ..self }
    }

    /// As [`judge`](Self::judge), for a sitemap: what selects pages does not hold for it.
    pub(crate) fn judge_sitemap(&self, url: &CanonicalUrl, depth: u32) -> Option<FilterReason> {
        match self.judge(url, depth) {
            Some(
                FilterReason::NotIncluded
                | FilterReason::Extension
                | FilterReason::TrapRepeats
                | FilterReason::TrapLongPath,
            ) => self.is_too_deep(depth).then_some(FilterReason::TooDeep),
            other => other,
        }
    }

    /// As [`judge`](Self::judge), for a file that an item asks for. It was asked for by name,
    /// wherever it lies, so only what keeps a URL out whatever it is holds for it.
    pub(crate) fn judge_file(&self, url: &CanonicalUrl) -> Option<FilterReason> {
        if self.blocks.covers(url.host_str()) {
            Some(FilterReason::Blocked)
        } else {
            let is_excluded = self.exclude.as_ref().is_some_and(|set| set.is_match(url.as_str()));
            is_excluded.then_some(FilterReason::Excluded)
        }
    }

    fn is_too_deep(&self, depth: u32) -> bool {
        self.max_depth != 0 && depth > self.max_depth
    }

    /// What each rule says of `url` at link distance `depth`, one after the other: whether it
    /// refuses it.
    pub(crate) fn each(&self, url: &CanonicalUrl, depth: u32) -> Vec<(FilterReason, bool)> {
        let is_off = |set: &Option<RegexSet>, wanted: bool| {
            set.as_ref().is_some_and(|set| set.is_match(url.as_str()) == wanted)
        };
        let trap = if depth == 0 { None } else { path::judge(url.path(), &self.traps) };
        vec![
            (FilterReason::OffDomain, !self.covers(url.host_str())),
            (FilterReason::Blocked, self.blocks.covers(url.host_str())),
            (FilterReason::Excluded, is_off(&self.exclude, true)),
            (FilterReason::NotIncluded, is_off(&self.include, false)),
            (FilterReason::Extension, self.skips(url.path())),
            (FilterReason::TooDeep, self.is_too_deep(depth)),
            (FilterReason::TrapLongPath, trap == Some(FilterReason::TrapLongPath)),
            (FilterReason::TrapRepeats, trap == Some(FilterReason::TrapRepeats)),
        ]
    }

    /// The first rule that refuses `url` at link distance `depth`; `None` if none does.
    pub(crate) fn judge(&self, url: &CanonicalUrl, depth: u32) -> Option<FilterReason> {
        if !self.covers(url.host_str()) {
            Some(FilterReason::OffDomain)
        } else if self.blocks.covers(url.host_str()) {
            Some(FilterReason::Blocked)
        } else if self.exclude.as_ref().is_some_and(|set| set.is_match(url.as_str())) {
            Some(FilterReason::Excluded)
        } else if self.include.as_ref().is_some_and(|set| !set.is_match(url.as_str())) {
            Some(FilterReason::NotIncluded)
        } else if self.skips(url.path()) {
            Some(FilterReason::Extension)
        } else if self.is_too_deep(depth) {
            Some(FilterReason::TooDeep)
        } else if depth == 0 {
            None // seeds are what was asked for
        } else {
            path::judge(url.path(), &self.traps)
        }
    }

    fn covers(&self, host: &str) -> bool {
        if self.domains.contains(host) {
            return true;
        }
        if let Some(hosts) = &self.seed_hosts {
            return hosts.covers(host);
        }
        // An IPv6 address has no dots; the tail of an IPv4 address is no domain that
        // `Domain::parse` would have let in.
        self.with_subdomains
            && host.match_indices('.').any(|(dot, _)| self.domains.contains(&host[dot + 1..]))
    }

    fn skips(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or_default();
        let Some((_, extension)) = name.rsplit_once('.') else { return false };
        let mut lower = [0; MAX_EXTENSION_BYTES];
        let Some(lower) = lower.get_mut(..extension.len()) else { return false };
        lower.copy_from_slice(extension.as_bytes());
        lower.make_ascii_lowercase();
        std::str::from_utf8(lower).is_ok_and(|extension| self.extensions.contains(extension))
    }
}

/// A host with and without `www.`: sites move visitors from one to the other.
fn twins(host: &str) -> [Box<str>; 2] {
    let twin = host.strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned);
    [host.into(), twin.into()]
}

/// Compiles a list of patterns; `None` if it is empty.
fn patterns(key: &'static str, list: &[String]) -> Result<Option<RegexSet>, FrontierError> {
    if list.is_empty() {
        return Ok(None);
    }
    RegexSet::new(list).map(Some).map_err(|source| {
        // The set does not say which of its patterns failed.
        let bad = list.iter().find(|pattern| regex::Regex::new(pattern).is_err());
        let pattern = bad.cloned().unwrap_or_else(|| list.join("|"));
        FrontierError::Pattern { key, pattern, source: Box::new(source) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(change: impl FnOnce(&mut ScopeConfig)) -> Scope {
        let mut config = ScopeConfig::default();
        change(&mut config);
        Scope::new(&config, &[Host::new("h")]).unwrap()
    }

    #[track_caller]
    fn check(scope: &Scope, url: &str, depth: u32, expected: Option<FilterReason>) {
        let url = CanonicalUrl::parse(url).unwrap();
        assert_eq!(scope.judge(&url, depth), expected, "{url}");
        let first = scope.each(&url, depth).into_iter().find(|(_, refuses)| *refuses);
        assert_eq!(first.map(|(reason, _)| reason), expected, "{url}");
    }

    #[test]
    fn a_domain_covers_its_subdomains_and_nothing_that_only_ends_alike() {
        let scope = scope(|c| c.allowed_domains = vec!["Example.org".into(), "[::1]".into()]);
        check(&scope, "http://example.org/", 0, None);
        check(&scope, "http://a.b.example.org:8080/", 0, None);
        check(&scope, "http://[::1]:99/", 0, None);
        check(&scope, "http://badexample.org/", 0, Some(FilterReason::OffDomain));
        check(&scope, "http://org/", 0, Some(FilterReason::OffDomain));
    }

    #[test]
    fn the_first_rule_that_refuses_is_the_reason() {
        let scope = scope(|c| {
            c.exclude = vec!["/private".into()];
            c.include = vec!["/p".into()];
            c.max_depth = 2;
        });
        check(&scope, "http://x/private/a.jpg", 9, Some(FilterReason::OffDomain));
        check(&scope, "http://h/private/a.jpg", 9, Some(FilterReason::Excluded));
        check(&scope, "http://h/a.jpg", 9, Some(FilterReason::NotIncluded));
        check(&scope, "http://h/p/a.JPG", 9, Some(FilterReason::Extension));
        check(&scope, "http://h/p/a", 3, Some(FilterReason::TooDeep));
        check(&scope, "http://h/p/a", 2, None);
    }

    #[test]
    fn a_sitemap_need_not_look_like_a_page() {
        let scope = scope(|c| {
            c.exclude = vec!["/private".into()];
            c.include = vec!["/p/".into()];
            c.max_depth = 1;
        });
        let judge =
            |url: &str, depth| scope.judge_sitemap(&CanonicalUrl::parse(url).unwrap(), depth);
        assert_eq!(judge("http://h/sitemap.xml.gz", 1), None);
        assert_eq!(judge("http://h/sitemap.xml.gz", 2), Some(FilterReason::TooDeep));
        assert_eq!(judge("http://h/private/s.xml", 0), Some(FilterReason::Excluded));
        assert_eq!(judge("http://x/s.xml", 0), Some(FilterReason::OffDomain));
    }

    #[test]
    fn a_file_that_is_asked_for_may_lie_anywhere_but_where_nothing_may() {
        let scope = scope(|c| {
            c.exclude = vec!["/private".into()];
            c.include = vec!["/p/".into()];
            c.max_depth = 1;
        });
        scope.blocks.insert(Domain::parse("blocked.test").unwrap());
        let judge = |url: &str| scope.judge_file(&CanonicalUrl::parse(url).unwrap());
        assert_eq!(judge("http://cdn.example/a/a/a/a/a/a/a/cover.jpg"), None);
        assert_eq!(judge("http://h/private/a.jpg"), Some(FilterReason::Excluded));
        assert_eq!(judge("http://x.blocked.test/a.jpg"), Some(FilterReason::Blocked));
    }

    #[test]
    fn only_the_last_segment_has_an_extension() {
        let scope = scope(|_| ());
        check(&scope, "http://h/a.zip/index", 0, None);
        check(&scope, "http://h/download?file=a.zip", 0, None);
        check(&scope, "http://h/a.tar.gz?x=1", 0, Some(FilterReason::Extension));
        check(&scope, "http://h/a.averyveryverylongextension", 0, None);
    }

    #[test]
    fn bad_limits_are_named() {
        let mut config =
            ScopeConfig { exclude: vec!["ok".into(), "(".into()], ..Default::default() };
        let error = Scope::new(&config, &[]).unwrap_err().to_string();
        assert_eq!(error, "scope.exclude: `(` is not a regular expression");
        for bad in ["", "http://a.b", "a.b:80", "a.b:8080", "a.b/c", "a b", "u@a.b"] {
            config = ScopeConfig { allowed_domains: vec![bad.into()], ..Default::default() };
            assert!(matches!(Scope::new(&config, &[]), Err(FrontierError::Domain(_))), "{bad}");
        }
    }

    #[test]
    fn without_domains_the_seeds_hosts_and_their_www_twins_are_the_scope() {
        let hosts = [Host::new("example.org"), Host::new("www.shop.test")];
        let scope = Scope::new(&ScopeConfig::default(), &hosts).unwrap();
        let judge = |url| scope.judge(&CanonicalUrl::parse(url).unwrap(), 0);
        for url in ["http://example.org/", "http://www.example.org/", "http://shop.test/"] {
            assert_eq!(judge(url), None, "{url}");
        }
        assert_eq!(judge("http://blog.example.org/"), Some(FilterReason::OffDomain));
    }
}
