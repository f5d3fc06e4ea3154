//! The window through which links are judged where they are found: scope and the seen set.
//!
//! Not here: which patterns refuse what (`scope`), what is known (`seen`).

use std::sync::Arc;

use crawl_model::{
    CanonicalUrl, FilterReason, Fingerprint, Fingerprinter, Found, Look, Request, View,
};

use crate::scope::Scope;
use crate::seen::{Seen, Standing};

/// The window through which the parser judges links.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) prints: Fingerprinter,
    pub(crate) scope: Arc<Scope>,
    pub(crate) seen: Arc<Seen>,
}

impl Window {
    /// Finds out what a URL is called that is taken in now: another one with its first fingerprint
    /// may have come since it was found.
    pub(crate) fn name(&self, found: &mut Found) {
        let second = self.prints.second(&found.request);
        if second.is_some() {
            found.print = self.fingerprint_of(&found.request);
            self.seen.mark(found.print, second);
        }
    }
}

impl View for Window {
    fn fingerprint(&self, url: &str) -> Fingerprint {
        self.seen.known_as(self.prints.get_text(url), self.prints.second_get_text(url))
    }

    fn fingerprint_of(&self, request: &Request) -> Fingerprint {
        self.seen.known_as(self.prints.request(request), self.prints.second(request))
    }

    fn second(&self, url: &CanonicalUrl) -> Option<Fingerprint> {
        self.prints.second_get(url)
    }

    fn known(&self, prints: &[Fingerprint]) -> Vec<bool> {
        let mut standings = Vec::new();
        self.seen.get_many(prints, &mut standings);
        let is_known = |standing| matches!(standing, Some(Standing::Queued | Standing::Ended(_)));
        standings.into_iter().map(is_known).collect()
    }

    fn era(&self) -> Option<u64> {
        // Where a fingerprint alone is not enough to tell URLs apart, nothing less is.
        (!self.prints.has_second()).then(|| self.seen.era())
    }

    fn look(&self, print: Fingerprint, url: &CanonicalUrl, depth: u32) -> Look {
        let before = match self.seen.get(print) {
            None => None,
            // A link without the mark: it belongs to the crawl after all. And one that the spider's
            // step lets pass, that stands on a page that is no copy, or whose host was unblocked or
            // came into the scope with a seed.
            Some(Standing::Filtered(
                FilterReason::NoFollow
                | FilterReason::Refused
                | FilterReason::TrapDuplicates
                | FilterReason::TrapNearDuplicates
                | FilterReason::Blocked
                | FilterReason::OffDomain,
                _,
            )) => {
                let refused = self.scope.judge(url, depth).is_some();
                return if refused { Look::Known } else { Look::Admit };
            }
            // A shorter path can change nothing but the depth.
            Some(Standing::Filtered(FilterReason::TooDeep, before)) => Some(before),
            Some(_) => return Look::Known,
        };
        match (self.scope.judge(url, depth), before) {
            (None, _) => Look::Admit,
            (Some(reason), None) => Look::Filter(reason),
            // Recorded again, so that a later run with a higher limit knows the least depth.
            (Some(FilterReason::TooDeep), Some(before)) if depth < before => {
                Look::Filter(FilterReason::TooDeep)
            }
            (Some(_), Some(_)) => Look::Known,
        }
    }

    fn look_sitemap(&self, print: Fingerprint, url: &CanonicalUrl, depth: u32) -> Look {
        let is_filtered = match self.seen.get(print) {
            None => false,
            // Refused as a page that it is not, or by a depth that may be less now.
            Some(Standing::Filtered(
                FilterReason::NotIncluded
                | FilterReason::Extension
                | FilterReason::NoFollow
                | FilterReason::Refused
                | FilterReason::Blocked
                | FilterReason::OffDomain
                | FilterReason::TrapRepeats
                | FilterReason::TrapLongPath
                | FilterReason::TrapDuplicates
                | FilterReason::TrapNearDuplicates
                | FilterReason::TooDeep,
                _,
            )) => true,
            Some(_) => return Look::Known,
        };
        match self.scope.judge_sitemap(url, depth) {
            None => Look::Admit,
            Some(_) if is_filtered => Look::Known,
            Some(reason) => Look::Filter(reason),
        }
    }

    fn look_file(&self, print: Fingerprint, url: &CanonicalUrl) -> Look {
        let is_filtered = match self.seen.get(print) {
            None => false,
            Some(Standing::Filtered(..)) => true,
            Some(_) => return Look::Known,
        };
        match self.scope.judge_file(url) {
            None => Look::Admit,
            Some(_) if is_filtered => Look::Known,
            Some(reason) => Look::Filter(reason),
        }
    }

    fn keeps_file_out(&self, url: &CanonicalUrl) -> Option<FilterReason> {
        self.scope.judge_file(url)
    }

    fn look_nofollow(&self, print: Fingerprint, url: &CanonicalUrl, depth: u32) -> Look {
        match self.seen.get(print) {
            Some(_) => Look::Known,
            None => Look::Filter(self.scope.judge(url, depth).unwrap_or(FilterReason::NoFollow)),
        }
    }

    fn look_refused(&self, print: Fingerprint, url: &CanonicalUrl, depth: u32) -> Look {
        match self.seen.get(print) {
            Some(_) => Look::Known,
            None => Look::Filter(self.scope.judge(url, depth).unwrap_or(FilterReason::Refused)),
        }
    }
}

#[cfg(test)]
mod tests {
    use crawl_model::Host;

    use super::*;
    use crate::config::ScopeConfig;
    use crate::seen::Learnt;

    #[test]
    fn a_url_too_deep_is_judged_again_on_a_shorter_path() {
        let config = ScopeConfig { max_depth: 2, ..Default::default() };
        let url = CanonicalUrl::parse("http://h/x").unwrap();
        let scope = Arc::new(Scope::new(&config, &[url.host()]).unwrap());
        let seen = Arc::new(Seen::default());
        let window = Window { prints: Fingerprinter::new([1; 16]), scope, seen: seen.clone() };
        let print = window.fingerprint(url.as_str());
        let deep = FilterReason::TooDeep;
        assert_eq!(window.look(print, &url, 5), Look::Filter(deep));
        assert_eq!(seen.learn(print, Some(deep), 5, false), Learnt::New);
        assert_eq!(window.look(print, &url, 6), Look::Known);
        assert_eq!(window.look(print, &url, 4), Look::Filter(deep));
        assert_eq!(seen.learn(print, Some(deep), 4, false), Learnt::Nearer);
        assert_eq!(window.look(print, &url, 2), Look::Admit);
        assert_eq!(seen.learn(print, None, 2, false), Learnt::Readmitted(deep));
        assert_eq!(window.look(print, &url, 1), Look::Known);
        assert_eq!(seen.learn(print, Some(deep), 1, false), Learnt::Nothing);
    }

    #[test]
    fn what_may_be_wanted_again_is_what_ends_an_era() {
        // Of all that a link is looked at for, with a scope in which it is.
        let url = CanonicalUrl::parse("http://h/x").unwrap();
        let scope = Arc::new(Scope::new(&ScopeConfig::default(), &[url.host()]).unwrap());
        for &reason in FilterReason::ALL {
            let seen = Arc::new(Seen::default());
            let (scope, prints) = (scope.clone(), Fingerprinter::new([1; 16]));
            let window = Window { prints, scope, seen: seen.clone() };
            let print = window.fingerprint(url.as_str());
            seen.set(print, Standing::Filtered(reason, 9));
            let looks = [
                window.look(print, &url, 1),
                window.look_sitemap(print, &url, 1),
                window.look_nofollow(print, &url, 1),
            ];
            let is_wanted = looks.iter().any(|look| *look != Look::Known);
            assert_eq!(is_wanted, window.era() == Some(1), "{}", reason.name());
        }
    }

    #[test]
    fn a_sitemap_that_was_refused_as_a_page_is_admitted_as_a_sitemap() {
        let url = CanonicalUrl::parse("http://h/s.xml.gz").unwrap();
        let scope = Arc::new(Scope::new(&ScopeConfig::default(), &[url.host()]).unwrap());
        let seen = Arc::new(Seen::default());
        let window = Window { prints: Fingerprinter::new([1; 16]), scope, seen: seen.clone() };
        let print = window.fingerprint(url.as_str());
        let reason = FilterReason::Extension;
        assert_eq!(window.look(print, &url, 1), Look::Filter(reason));
        assert_eq!(seen.learn(print, Some(reason), 1, false), Learnt::New);
        assert_eq!(window.look_sitemap(print, &url, 0), Look::Admit);
        assert_eq!(seen.learn(print, None, 0, false), Learnt::Readmitted(reason));
        assert_eq!(window.look_sitemap(print, &url, 0), Look::Known);
        seen.set(print, Standing::Filtered(FilterReason::Robots, 0));
        assert_eq!(window.look_sitemap(print, &url, 0), Look::Known);
    }

    #[test]
    fn a_url_that_only_marked_links_led_to_is_admitted_by_another() {
        let url = CanonicalUrl::parse("http://h/x").unwrap();
        let scope = Arc::new(Scope::new(&ScopeConfig::default(), &[url.host()]).unwrap());
        let seen = Arc::new(Seen::default());
        let window = Window { prints: Fingerprinter::new([1; 16]), scope, seen: seen.clone() };
        let print = window.fingerprint(url.as_str());
        let marked = FilterReason::NoFollow;
        assert_eq!(window.look_nofollow(print, &url, 1), Look::Filter(marked));
        assert_eq!(seen.learn(print, Some(marked), 1, false), Learnt::New);
        assert_eq!(window.look_nofollow(print, &url, 0), Look::Known);
        assert_eq!(window.look(print, &url, 9), Look::Admit);
        assert_eq!(seen.learn(print, None, 9, false), Learnt::Readmitted(marked));
        assert_eq!(window.look(print, &url, 9), Look::Known);
        let other = CanonicalUrl::parse("http://other/").unwrap();
        let print = window.fingerprint(other.as_str());
        assert_eq!(
            window.look_nofollow(print, &other, 1),
            Look::Filter(FilterReason::OffDomain),
            "scope goes first"
        );
    }

    #[test]
    fn what_no_path_can_change_is_recorded_once() {
        let url = CanonicalUrl::parse("http://other/x").unwrap();
        let scope = Arc::new(Scope::new(&ScopeConfig::default(), &[Host::new("h")]).unwrap());
        let seen = Arc::new(Seen::default());
        let window = Window { prints: Fingerprinter::new([1; 16]), scope, seen: seen.clone() };
        let print = window.fingerprint(url.as_str());
        assert_eq!(window.look(print, &url, 1), Look::Filter(FilterReason::OffDomain));
        seen.learn(print, Some(FilterReason::OffDomain), 1, false);
        assert_eq!(window.look(print, &url, 0), Look::Known);
    }
}
