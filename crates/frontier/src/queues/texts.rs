//! Texts that many waiting URLs share: the page that linked them, the callback's label.
//!
//! Each is kept once and referred to by number. When the queues go to disk the texts go with
//! them, and the numbering begins anew.

use std::collections::HashMap;

/// Labels that are looked up; beyond that each is kept anew. A spider has a handful.
const MOST_LABELS: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Texts {
    bytes: String,
    ends: Vec<usize>,
    /// The links of a page come one behind the other.
    last: Option<u32>,
    labels: HashMap<Box<str>, u32>,
}

impl Texts {
    pub(super) fn get(&self, number: u32) -> Option<&str> {
        let index = number as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.bytes.get(start..*self.ends.get(index)?)
    }

    /// The number of a page's URL.
    pub(super) fn referrer(&mut self, text: &str) -> u32 {
        if let Some(last) = self.last.filter(|&last| self.get(last) == Some(text)) {
            return last;
        }
        let number = self.add(text);
        self.last = Some(number);
        number
    }

    /// The number of a label.
    pub(super) fn label(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.labels.get(text) {
            return number;
        }
        let number = self.add(text);
        if self.labels.len() < MOST_LABELS {
            self.labels.insert(text.into(), number);
        }
        number
    }

    fn add(&mut self, text: &str) -> u32 {
        let number = u32::try_from(self.ends.len()).expect("the window is far smaller");
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        number
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.ends.len()).filter_map(|number| self.get(u32::try_from(number).ok()?))
    }

    pub(super) fn ram_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>()
    }
}
