//! Passes over elements that cannot be of a class, without a look at their attributes.
//!
//! Where the name of a class stands in the text of a document is found as fast as bytes go by. An
//! element in whose tag it does not stand is not of that class, unless its attributes hold character
//! references; and in quirks mode, where the case does not count.

use std::ops::Range;

use memchr::memmem::Finder;

/// The classes that a program's compounds ask for, to be looked for in texts.
#[derive(Default)]
pub(super) struct Classes(Vec<Finder<'static>>);

impl Classes {
    /// Adds a class; its number.
    pub(super) fn number(&mut self, class: &str) -> usize {
        let known = self.0.iter().position(|finder| finder.needle() == class.as_bytes());
        known.unwrap_or_else(|| {
            self.0.push(Finder::new(class).into_owned());
            self.0.len() - 1
        })
    }
}

/// Where classes stand in one document.
pub(super) struct Sieve<'t> {
    text: &'t [u8],
    classes: &'t Classes,
    /// By class: the place up to which it was looked for, and where it was found.
    found: Vec<usize>,
    /// The same of a `&`.
    reference: usize,
    /// Where the last tag's attributes begin that was asked for.
    last: usize,
}

impl<'t> Sieve<'t> {
    pub(super) fn new(text: &'t str, classes: &'t Classes) -> Self {
        let found = vec![0; classes.0.len()];
        Self { text: text.as_bytes(), classes, found, reference: 0, last: 0 }
    }

    /// Whether the tag whose attributes stand there may be of a class.
    #[inline]
    pub(super) fn may_have(&mut self, class: usize, attrs: &Range<usize>) -> bool {
        let Some(found) = self.found.get_mut(class) else { return true };
        if attrs.start < self.last {
            return true; // it was passed before and is reopened
        }
        self.last = attrs.start;
        if *found < attrs.start {
            *found = self.classes.0[class]
                .find(rest(self.text, attrs))
                .map_or(usize::MAX, |len| attrs.start + len);
        }
        if self.reference < attrs.start {
            self.reference = memchr::memchr(b'&', rest(self.text, attrs))
                .map_or(usize::MAX, |len| attrs.start + len);
        }
        (*found).min(self.reference) < attrs.end
    }
}

/// The text from a tag's attributes on.
fn rest<'t>(text: &'t [u8], attrs: &Range<usize>) -> &'t [u8] {
    text.get(attrs.start..).unwrap_or_default()
}
