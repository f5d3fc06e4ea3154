//! From what a callback wants followed to what is new: known links go before a request is made.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crawl_model::{FetchOptions, FilterReason, Fingerprint, Found, Look, Refusal, Request};
use crawl_spider::{Follow, RequestStep, Spider};

use crate::stage::parser::Parser;

impl Parser {
    /// Judges the requests of one callback of `spider`, found at link distance `depth` on the page of
    /// `request`. Of several with one fingerprint the first counts; those that are not to be
    /// followed (`nofollow`: none of the page's links is) count last.
    pub(crate) fn admit(
        &self,
        spider: &dyn Spider,
        mut follows: Vec<Follow>,
        request: &Request,
        nofollow: bool,
    ) -> Vec<Found> {
        let (deeper, referrer) = (request.depth + 1, Some(&request.url));
        let mut seen = HashSet::new();
        let mut numbers = None;
        let mut found = Vec::new();
        let is_marked = |follow: &Follow| {
            let is_marked = follow.is_nofollow() || (nofollow && follow.is_link());
            self.config.obey_nofollow && is_marked
        };
        let step = spider.request_step();
        if step.is_none() {
            // Whatever may be said of a link to them.
            follows.retain(|follow| !(follow.mark().is_known && follow.is_plain_get()));
        }
        let (marked, others): (Vec<_>, Vec<_>) = match self.config.obey_nofollow {
            true => follows.into_iter().partition(is_marked),
            false => (Vec::new(), follows),
        };
        let others = if step.is_none() { self.unknown(others) } else { others };
        let others = others.into_iter().map(|follow| (follow, false));
        for (follow, is_marked) in others.chain(marked.into_iter().map(|follow| (follow, true))) {
            let depth = if follow.is_seed() { 0 } else { deeper };
            let print = |follow: &Follow| self.view.fingerprint(follow.url_text());
            let mut refused = None;
            let (print, made) = if step.is_none() && follow.is_plain_get() {
                (print(&follow), Err(follow))
            } else {
                let mut made = follow.into_request(depth, referrer);
                if let Some(step) = step {
                    refused = pass(step, &mut made).err();
                    // These are not the spider's to say.
                    (made.depth, made.referrer) = (depth, referrer.cloned());
                }
                if is_unnumbered(&made) {
                    let numbers = numbers
                        .get_or_insert_with(|| Numbers::new(self.view.fingerprint_of(request)));
                    numbers.number(&mut made, |made| self.view.fingerprint_of(made));
                }
                (self.view.fingerprint_of(&made), Ok(made))
            };
            let url = made.as_ref().map_or_else(Follow::url, |made| &made.url);
            if !seen.insert((print, self.view.second(url))) {
                continue;
            }
            let is_sitemap = match &made {
                Ok(made) => made.is_sitemap(),
                Err(follow) => follow.is_sitemap(),
            };
            let look = match (&refused, is_marked) {
                (Some(_), _) => self.view.look_refused(print, url, depth),
                (None, _) if is_sitemap => self.view.look_sitemap(print, url, depth),
                (None, true) => self.view.look_nofollow(print, url, depth),
                (None, false) => self.view.look(print, url, depth),
            };
            let filtered = match look {
                Look::Known => continue,
                Look::Admit => None,
                Look::Filter(reason) => Some(reason),
            };
            if let Some(why) = refused.filter(|_| filtered == Some(FilterReason::Refused)) {
                self.count(BTreeMap::from([(format!("refused: {why}"), 1)]));
            }
            let request = made.unwrap_or_else(|follow| follow.into_request(depth, referrer));
            found.push(Found { print, request, filtered, renews: false });
        }
        found
    }

    /// Leaves out the plain links to URLs that are known: most of a page's, whose texts are enough
    /// for that. The others get URLs of their own.
    fn unknown(&self, mut follows: Vec<Follow>) -> Vec<Follow> {
        let plain = follows.iter().filter(|follow| follow.is_plain_get());
        let prints: Vec<_> = plain.map(|follow| self.view.fingerprint(follow.url_text())).collect();
        let mut known = self.view.known(&prints).into_iter();
        follows.retain(|follow| {
            let is_known = follow.is_plain_get() && known.next() == Some(true);
            if let Some(number) = follow.mark().number.filter(|_| is_known) {
                self.memo.learn(number);
            }
            !is_known
        });
        follows.iter_mut().for_each(Follow::detach);
        follows
    }
}

/// Sends a request through the spider's own step; a panic of it refuses the request. Its message
/// has gone to stderr by then.
fn pass(step: &dyn RequestStep, request: &mut Request) -> Result<(), Refusal> {
    catch_unwind(AssertUnwindSafe(|| step.process(request)))
        .unwrap_or_else(|_| Err(Refusal::new(format!("{} panicked", step.name()))))
}

/// Whether it is to be one of its own, and nobody has said which.
fn is_unnumbered(request: &Request) -> bool {
    request.options().unique == Some(FetchOptions::UNNUMBERED)
}

/// Chooses the numbers of one callback's requests that are not filtered: by the page that asks
/// for them and by how many of their kind came before. So a page that is fetched again after a
/// kill makes the same requests, even if it has other links by then.
struct Numbers {
    from: Fingerprint,
    counts: HashMap<Fingerprint, u64>,
}

impl Numbers {
    fn new(from: Fingerprint) -> Self {
        Self { from, counts: HashMap::new() }
    }

    fn number(&mut self, request: &mut Request, print: impl Fn(&Request) -> Fingerprint) {
        request.options_mut().unique = None;
        let count = self.counts.entry(print(request)).or_default();
        request.options_mut().unique = Some(self.from.number(*count));
        *count += 1;
    }
}

/// Numbers what a spider begins with, by its place: [`Spider::start`](crawl_spider::Spider::start)
/// of a resumed crawl makes the same requests.
pub(crate) fn number_all(requests: &mut [Request]) {
    let from = Fingerprint(0);
    for (n, request) in (0..).zip(requests).filter(|(_, request)| is_unnumbered(request)) {
        request.options_mut().unique = Some(from.number(n));
    }
}
