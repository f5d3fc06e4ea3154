//! Passes over elements that cannot be of a class, without a look at their attributes.
//!
//! Where the name of a class stands in the text of a document is found as fast as bytes go by. An
//! element in whose tag it does not stand is not of that class, unless its attributes hold character
//! references; and in quirks mode, where the case does not count.

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

    /// Where from this place on, at which a tag's attributes begin, a class stands next that one of them
    /// may have. This place itself if that is not known.
    #[inline]
    pub(super) fn next(&mut self, class: usize, from: usize) -> usize {
        let Some(found) = self.found.get_mut(class) else { return from };
        if from < self.last {
            return from; // it was passed before and is reopened
        }
        self.last = from;
        if *found < from {
            let len = self.classes.0[class].find(rest(self.text, from));
            *found = len.map_or(usize::MAX, |len| from + len);
        }
        if self.reference < from {
            let len = memchr::memchr(b'&', rest(self.text, from));
            self.reference = len.map_or(usize::MAX, |len| from + len);
        }
        (*found).min(self.reference)
    }
}

/// The text from a place on.
fn rest(text: &[u8], from: usize) -> &[u8] {
    text.get(from..).unwrap_or_default()
}
