//! The places of elements among their siblings, counted once per parent.

use std::collections::HashMap;

use crawl_query::css::Nth;
use crawl_spider::NodeId;
use html5ever::{LocalName, Namespace};

use super::matching::Matcher;
use super::memo::{Key, Map};
use crate::names::Atoms;

/// Places by what is counted and element; from 1, or 0 if the element is not counted.
#[derive(Default)]
pub(super) struct Places(Map<Place>);

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    from_start: u32,
    from_end: u32,
}

/// What is counted if it is not a selector's matches; those have the selector's number.
const ALL: u32 = u32::MAX;
const SAME_TYPE: u32 = u32::MAX - 1;

impl Matcher<'_> {
    /// Whether the element stands at one of the places meant (Selectors Level 4, section 13.3).
    pub(super) fn nth(&mut self, nth: &Nth<Atoms>, node: NodeId) -> bool {
        let memo = match nth {
            Nth { of_type: true, .. } => SAME_TYPE,
            Nth { of, .. } if of.is_empty() => ALL,
            Nth { memo, .. } => *memo,
        };
        let key = Key::new(memo, node);
        let place = match self.places.0.get(&key) {
            Some(place) => *place,
            None => {
                self.count(nth, memo, node);
                self.places.0.get(&key).copied().unwrap_or_default()
            }
        };
        let place = if nth.from_end { place.from_end } else { place.from_start };
        place > 0 && nth.takes(place)
    }

    /// Counts an element and all its siblings.
    fn count(&mut self, nth: &Nth<Atoms>, memo: u32, node: NodeId) {
        let dom = self.dom;
        let Some(parent) = dom.parent(node) else { return };
        let mut counts: HashMap<Option<(&Namespace, &LocalName)>, u32> = HashMap::new();
        let mut counted = Vec::new();
        for child in dom.children(parent) {
            let Some(element) = dom.element(child) else { continue };
            if !nth.of.is_empty() && !self.any(&nth.of, child) {
                self.places.0.insert(Key::new(memo, child), Place::default());
                continue;
            }
            let group = nth.of_type.then_some((&element.name.ns, &element.name.local));
            let count = counts.entry(group).or_default();
            *count += 1;
            counted.push((child, group, *count));
        }
        for (child, group, from_start) in counted {
            let count = counts.get(&group).copied().unwrap_or(from_start);
            let place = Place { from_start, from_end: count - from_start + 1 };
            self.places.0.insert(Key::new(memo, child), place);
        }
    }
}
