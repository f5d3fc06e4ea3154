//! What is said of feeds that wait for what they write to: once when it begins, once when it is over.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crawl::feeds::Outage;
use humantime_serde::re::humantime;

use super::progress::seconds;

/// The outages that were told of, each with the time it began.
#[derive(Debug, Default)]
pub(super) struct Waiting(BTreeMap<Arc<str>, u64>);

impl Waiting {
    /// The lines to be said, now that these feeds wait.
    pub(super) fn said(&mut self, now: &BTreeMap<Arc<str>, Outage>) -> Vec<String> {
        let mut lines = Vec::new();
        self.0.retain(|feed, since_ms| {
            let is_same = now.get(feed).is_some_and(|outage| outage.since_ms == *since_ms);
            if !is_same {
                lines.push(format!("feed {feed} goes on: it can be written again"));
            }
            is_same
        });
        for (feed, outage) in now {
            if self.0.insert(feed.clone(), outage.since_ms).is_none() {
                lines.push(waits(outage));
            }
        }
        lines
    }
}

fn waits(outage: &Outage) -> String {
    let Outage { what, hint, since_ms, next_try_ms, .. } = outage;
    let since = std::time::UNIX_EPOCH + Duration::from_millis(*since_ms);
    let pause = Duration::from_millis(next_try_ms.saturating_sub(*since_ms));
    format!(
        "warning: {what}\n  since {}; tried again in {}, then ever more rarely; the crawl goes on, and \
         what it brings is written when the feed can be\n  hint: {hint}",
        humantime::format_rfc3339_seconds(since),
        seconds(pause)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_once_and_once_that_it_is_over() {
        let outage = |since_ms: u64, tries: u64| Outage {
            what: "feed postgres://h/db cannot be reached: connection refused".to_owned(),
            hint: "see that it runs".to_owned(),
            since_ms,
            next_try_ms: since_ms + 250 * tries,
            tries,
        };
        let of = |outage: Outage| BTreeMap::from([(Arc::from("postgres://h/db"), outage)]);
        let mut waiting = Waiting::default();
        assert_eq!(waiting.said(&BTreeMap::new()), [""; 0]);
        let first = waiting.said(&of(outage(1_000, 1)));
        assert_eq!(first.len(), 1);
        for part in ["connection refused", "since 1970-01-01T00:00:01Z", "in 0.2s", "hint: see"] {
            assert!(first[0].contains(part), "{part}: {first:?}");
        }
        assert_eq!(waiting.said(&of(outage(1_000, 2))), [""; 0]);
        let over = ["feed postgres://h/db goes on: it can be written again"];
        assert_eq!(waiting.said(&BTreeMap::new()), over);
        // One that was over between two looks has begun anew.
        assert_eq!(waiting.said(&of(outage(9_000, 1))).len(), 1);
        assert_eq!(waiting.said(&of(outage(9_500, 1))).len(), 2);
    }
}
