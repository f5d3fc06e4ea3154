//! Feeds that wait for what they write to, for whoever watches the crawl.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::watch;

use crate::FeedError;

/// A feed that waits: a database that is down, an object store away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outage {
    /// What went wrong at the last try, for people.
    pub what: String,
    /// What to do about it, for people.
    pub hint: String,
    /// Since when: milliseconds since the Unix epoch.
    pub since_ms: u64,
    /// When it is tried again, same clock.
    pub next_try_ms: u64,
    /// How often it has been tried since.
    pub tries: u64,
}

/// The feeds of a crawl that wait, by name. Clones tell of the same crawl.
#[derive(Debug, Clone)]
pub struct Outages(Arc<watch::Sender<BTreeMap<Arc<str>, Outage>>>);

impl Default for Outages {
    fn default() -> Self {
        Self(Arc::new(watch::channel(BTreeMap::new()).0))
    }
}

impl Outages {
    /// Those that wait now.
    #[must_use]
    pub fn get(&self) -> BTreeMap<Arc<str>, Outage> {
        self.0.borrow().clone()
    }

    /// Tells of each change; several that follow one another closely may be seen as one.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<BTreeMap<Arc<str>, Outage>> {
        self.0.subscribe()
    }

    /// A try has failed; the next one is after `pause`.
    pub(crate) fn failed(&self, feed: &Arc<str>, error: &FeedError, pause: Duration) {
        let now_ms = now_ms();
        let pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        self.0.send_modify(|outages| {
            let outage = outages.entry(feed.clone()).or_insert_with(|| Outage {
                what: String::new(),
                hint: error.hint().unwrap_or_default(),
                since_ms: now_ms,
                next_try_ms: 0,
                tries: 0,
            });
            outage.what = with_causes(error);
            outage.next_try_ms = now_ms.saturating_add(pause_ms);
            outage.tries += 1;
        });
    }

    /// The feed goes on, or has ended.
    pub(crate) fn over(&self, feed: &str) {
        self.0.send_if_modified(|outages| outages.remove(feed).is_some());
    }
}

/// An error and what caused it, in a line.
fn with_causes(error: &FeedError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_outage_is_one_however_often_it_is_tried() {
        let outages = Outages::default();
        let mut seen = outages.subscribe();
        let name: Arc<str> = "postgres://h/db".into();
        let refused = || FeedError::Unreachable {
            name: "postgres://h/db".to_owned(),
            source: io::Error::other("connection refused").into(),
        };
        outages.failed(&name, &refused(), Duration::from_secs(1));
        let first = outages.get()[&name].clone();
        assert_eq!(first.what, "feed postgres://h/db cannot be reached: connection refused");
        assert!(first.hint.contains("nothing is lost") && first.tries == 1, "{first:?}");
        assert_eq!(first.next_try_ms, first.since_ms + 1000);
        assert!(seen.has_changed().unwrap());
        outages.failed(&name, &refused(), Duration::from_secs(2));
        let second = outages.get()[&name].clone();
        assert_eq!((second.since_ms, second.tries), (first.since_ms, 2));
        seen.borrow_and_update();
        outages.over(&name);
        assert!(seen.has_changed().unwrap() && outages.get().is_empty());
        seen.borrow_and_update();
        outages.over(&name);
        assert!(!seen.has_changed().unwrap(), "nothing is said of what is well");
    }
}
