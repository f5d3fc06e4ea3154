//! Counts places among siblings, for `:nth-child` and its like.

use std::collections::HashMap;

use super::compound::Place;
use super::element::Element;
use super::table::Table;
use crate::markup::events::Space;

/// The children of the open elements, counted as far as selectors ask for it.
pub(super) struct Places {
    counts_children: bool,
    counts_types: bool,
    /// By open element, the document first: its children so far.
    children: Vec<u32>,
    /// By open element, the document first: its children so far, by name.
    types: Vec<HashMap<u32, u32>>,
    /// Names, numbered.
    names: HashMap<Box<str>, u32>,
    /// Reused: a name in lower case.
    name: String,
}

impl Places {
    /// Begins in front of the document; `None` if no selector asks for places.
    pub(super) fn new(table: &Table) -> Option<Self> {
        let programs =
            || std::iter::once(&table.program).chain(table.plans.iter().map(|p| &p.scoped));
        let counts_children = programs().any(|program| program.counts_children);
        let counts_types = programs().any(|program| program.counts_types);
        (counts_children || counts_types).then(|| Self {
            counts_children,
            counts_types,
            children: vec![0],
            types: vec![HashMap::new()],
            names: HashMap::new(),
            name: String::new(),
        })
    }

    /// An element opens: its place.
    pub(super) fn enter<E: Element>(&mut self, element: &E, place: &mut Place) {
        if self.counts_children {
            if let Some(children) = self.children.last_mut() {
                *children = children.saturating_add(1);
                place.child = *children;
            }
            self.children.push(0);
        }
        if self.counts_types {
            let name = self.number(element);
            if let Some(types) = self.types.last_mut() {
                let count = types.entry(name).or_default();
                *count = count.saturating_add(1);
                place.of_type = *count;
            }
            self.types.push(HashMap::new());
        }
    }

    /// The innermost element closes.
    pub(super) fn leave(&mut self) {
        self.children.pop();
        self.types.pop();
    }

    /// The number of an element's name.
    fn number<E: Element>(&mut self, element: &E) -> u32 {
        self.name.clear();
        self.name.push(match element.space() {
            Space::Html => 'h',
            Space::Svg => 's',
            Space::Math => 'm',
        });
        // As the tree builder writes it, but for the case, which follows from the name.
        let letter = |c: char| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c };
        self.name.extend(element.name().chars().map(|c| letter(c).to_ascii_lowercase()));
        if let Some(&number) = self.names.get(&*self.name) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.insert(self.name.as_str().into(), number);
        number
    }
}
