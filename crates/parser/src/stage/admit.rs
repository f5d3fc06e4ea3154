//! From what a callback wants followed to what is new: known links go before a request is made.

use std::collections::HashSet;

use crawl_model::{CanonicalUrl, Found, Look};
use crawl_spider::Follow;

use crate::stage::parser::Parser;

impl Parser {
    /// Judges the requests of one callback, found at link distance `depth` on `referrer`. Of
    /// several with one fingerprint the first counts.
    pub(crate) fn admit(
        &self,
        follows: Vec<Follow>,
        depth: u32,
        referrer: &CanonicalUrl,
    ) -> Vec<Found> {
        let mut seen = HashSet::with_capacity(follows.len());
        let mut found = Vec::new();
        for follow in follows {
            if self.config.obey_nofollow && follow.is_nofollow() {
                continue;
            }
            if follow.is_plain_get() {
                let print = self.view.fingerprint(follow.url());
                if !seen.insert(print) {
                    continue;
                }
                let filtered = match self.view.look(print, follow.url(), depth) {
                    Look::Known => continue,
                    Look::Admit => None,
                    Look::Filter(reason) => Some(reason),
                };
                let request = follow.into_request(depth, Some(referrer));
                found.push(Found { print, request, filtered });
            } else {
                let request = follow.into_request(depth, Some(referrer));
                let print = self.view.fingerprint_of(&request);
                if !seen.insert(print) {
                    continue;
                }
                let filtered = match self.view.look(print, &request.url, depth) {
                    Look::Known => continue,
                    Look::Admit => None,
                    Look::Filter(reason) => Some(reason),
                };
                found.push(Found { print, request, filtered });
            }
        }
        found
    }
}
