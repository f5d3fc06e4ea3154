//! What was not kept or not made, and in whose words why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Fingerprint;

/// Longest reason that is kept, in characters.
const MAX_REASON_CHARS: usize = 100;
/// Longest detail that is kept, in characters.
const MAX_DETAIL_CHARS: usize = 500;

/// Why an item is not kept.
///
/// Drops are counted by their reason, so that should be one of a few (`no price`); what differs
/// from item to item is the detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    reason: Box<str>,
    detail: Box<str>,
}

impl Dropped {
    /// For this reason; shortened to 100 characters.
    #[must_use]
    pub fn new(reason: impl fmt::Display) -> Self {
        Self { reason: shortened(&reason, MAX_REASON_CHARS), detail: "".into() }
    }

    /// Says more; shortened to 500 characters.
    #[must_use]
    pub fn because(mut self, detail: impl fmt::Display) -> Self {
        self.detail = shortened(&detail, MAX_DETAIL_CHARS);
        self
    }

    /// By what it is counted.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What there is to say beyond that; empty if nothing.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

/// Why a request is not made; its message is what the record of the URL tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal(Box<str>);

impl Refusal {
    /// For this reason; shortened to 500 characters.
    #[must_use]
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(shortened(&reason, MAX_DETAIL_CHARS))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An item that a step dropped, on its way to be kept for those who ask why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedItem {
    /// Which step.
    pub step: Box<str>,
    /// Why.
    pub reason: Box<str>,
    /// What there is to say beyond that; empty if nothing.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub detail: Box<str>,
    /// The page of the item that is stored in its place, if it is a duplicate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Fingerprint>,
    /// The item as the spider made it (a duplicate: as it would have been stored): JSON, or its
    /// beginning if that would be too long to keep.
    pub item: Box<str>,
    /// Length of the whole item in bytes.
    pub bytes: u64,
}

impl DroppedItem {
    /// The item `json`, dropped by the step `step`; at most `max_bytes` of it are kept.
    #[must_use]
    pub fn new(step: &str, dropped: &Dropped, json: &str, max_bytes: usize) -> Self {
        let mut end = max_bytes.min(json.len());
        while !json.is_char_boundary(end) {
            end -= 1;
        }
        Self {
            step: step.into(),
            reason: dropped.reason.clone(),
            detail: dropped.detail.clone(),
            first: None,
            item: json[..end].into(),
            bytes: json.len() as u64,
        }
    }
}

fn shortened(text: &impl fmt::Display, max_chars: usize) -> Box<str> {
    let text = text.to_string();
    match text.char_indices().nth(max_chars) {
        None => text.into(),
        Some((end, _)) => text[..end].into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_and_details_have_an_end() {
        let dropped = Dropped::new("é".repeat(101)).because("y".repeat(501));
        assert_eq!((dropped.reason().chars().count(), dropped.detail().len()), (100, 500));
        assert_eq!(Refusal::new("no").to_string(), "no");
        let item = DroppedItem::new("s", &dropped, "\"é\"", 2);
        assert_eq!((&*item.item, item.bytes), ("\"", 4));
    }
}
