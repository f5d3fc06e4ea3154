//! What a callback gave.

use std::collections::BTreeMap;

use crawl_model::{Request, Verdict};
use crawl_spider::{LogLevel, LogLine, Value};
use serde::de::DeserializeOwned;

/// What a callback gave, and how its page would have settled.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// How the page ends: `ok`, `spider-error`, `http-404`, `redirected`, ..
    pub verdict: Verdict,
    /// What went wrong; empty if nothing did.
    pub error: String,
    /// The items, in order.
    pub items: Vec<Value>,
    /// The requests, in order, repeated ones left out; where a redirect leads is one, too.
    pub requests: Vec<Request>,
    /// The log lines, in order.
    pub logs: Vec<LogLine>,
    /// The spider's own counts.
    pub stats: BTreeMap<String, i64>,
    /// Why it wants the crawl closed; `None` if it does not.
    pub stop: Option<String>,
}

impl Outcome {
    /// The items as values of their type.
    ///
    /// # Panics
    /// If one is no `T`.
    #[must_use]
    #[track_caller]
    pub fn items_as<T: DeserializeOwned>(&self) -> Vec<T> {
        let mut all = Vec::with_capacity(self.items.len());
        for item in &self.items {
            match T::deserialize(item) {
                Ok(value) => all.push(value),
                Err(error) => panic!("{error}: {item}"),
            }
        }
        all
    }

    /// Where the requests lead.
    #[must_use]
    pub fn urls(&self) -> Vec<&str> {
        self.requests.iter().map(|request| request.url.as_str()).collect()
    }

    /// The texts of the log lines of this level and above.
    #[must_use]
    pub fn log(&self, level: LogLevel) -> Vec<&str> {
        let lines = self.logs.iter().filter(|line| line.level >= level);
        lines.map(|line| line.text.as_str()).collect()
    }

    /// Demands that the page settled well, and gave just these items.
    ///
    /// # Panics
    /// If it did not; the message shows what differs.
    #[track_caller]
    pub fn assert_items(&self, expected: &Value) {
        self.assert_ok();
        let items = Value::Array(self.items.clone());
        if items != *expected {
            let diff = crate::diff::diff(&pretty(expected), &pretty(&items));
            panic!("the items are not as expected (- expected, + now)\n{diff}");
        }
    }

    /// Demands that the page settled well.
    ///
    /// # Panics
    /// If it did not; the message says how.
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.verdict == Verdict::Ok, "the page ends as {}: {}", self.verdict, self.error);
    }
}

pub(crate) fn pretty(value: &Value) -> String {
    // Values have string keys and no odd numbers, so nothing can fail.
    serde_json::to_string_pretty(value).unwrap_or_default()
}
