//! The open elements of an XML document, and the namespaces that hold in them ("Namespaces in
//! XML 1.0").
//!
//! Bounded, whatever the document does: nothing nests deeper than 512 (what is deeper stands
//! beside instead of inside, as in the tree of HTML documents), and only so many prefixes are
//! known at a time.

use std::ops::Range;

use super::entity::Entities;
use super::tag::Attrs;

/// Elements that nest.
pub(crate) const MAX_DEPTH: usize = 512;

/// Declarations of prefixes that hold at a time.
const MAX_BINDINGS: usize = 128;

/// Names of elements that stand beside instead of inside; made-up names are few in honest
/// documents.
const MAX_SHUT_NAMES: usize = 64;

/// The namespace of `xml:` names.
pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The namespace of declarations of namespaces.
pub(crate) const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// A part of the document or of an entity's text.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// The entity's number; `None` for the document.
    pub(super) source: Option<usize>,
    pub(super) range: Range<usize>,
}

/// The texts that pieces are of.
pub(super) struct Texts<'a> {
    pub(super) document: std::borrow::Cow<'a, str>,
    pub(super) entities: Entities,
}

impl Texts<'_> {
    pub(super) fn source(&self, source: Option<usize>) -> &str {
        source.map_or(&self.document, |number| self.entities.text(number))
    }

    pub(super) fn get(&self, piece: &Piece) -> &str {
        &self.source(piece.source)[piece.range.clone()]
    }
}

/// A name with its namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Name<'r> {
    /// As written, with the prefix.
    pub(crate) qualified: &'r str,
    /// The prefix; empty if there is none.
    pub(crate) prefix: &'r str,
    /// The name without prefix.
    pub(crate) local: &'r str,
    /// The namespace, empty if it is in none; `None` if nobody declared the prefix.
    pub(crate) namespace: Option<&'r str>,
}

impl<'r> Name<'r> {
    /// What tells equal names of different vocabularies apart: the namespace, or else the prefix.
    pub(crate) fn space(&self) -> &'r str {
        self.namespace.unwrap_or(self.prefix)
    }
}

struct Open {
    name: Piece,
    /// How many bindings hold outside of it.
    n_bindings: usize,
}

enum Uri {
    Written(Piece),
    Resolved(Box<str>),
}

struct Binding {
    prefix: Piece,
    uri: Uri,
}

/// The open elements, outermost first.
#[derive(Default)]
pub(super) struct Scope {
    open: Vec<Open>,
    /// Hashes of their names, to search fast: an end tag may have nothing to close.
    hashes: Vec<u32>,
    bindings: Vec<Binding>,
    shut: Vec<(Piece, u32)>,
}

impl Scope {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Opens an element. Returns whether it may hold others; if not it is to be closed at once.
    pub(super) fn push(&mut self, texts: &Texts<'_>, name: Piece, region: &Piece) -> bool {
        let has_room = self.open.len() < MAX_DEPTH;
        self.hashes.push(hash(texts.get(&name)));
        self.open.push(Open { name, n_bindings: self.bindings.len() });
        if texts.get(region).contains("xmlns") {
            self.bind(texts, region);
        }
        has_room
    }

    /// Notes that an end tag of this name will have nothing to close.
    pub(super) fn shut(&mut self, texts: &Texts<'_>, name: Piece) {
        let text = texts.get(&name);
        if let Some((_, count)) = self.shut.iter_mut().find(|(piece, _)| texts.get(piece) == text) {
            *count += 1;
        } else if self.shut.len() < MAX_SHUT_NAMES {
            self.shut.push((name, 1));
        }
    }

    fn bind(&mut self, texts: &Texts<'_>, region: &Piece) {
        let text = texts.get(region);
        let piece = |range: Range<usize>| Piece {
            source: region.source,
            range: region.range.start + range.start..region.range.start + range.end,
        };
        for (name, value) in Attrs::new(text) {
            let prefix = match text[name.clone()].strip_prefix("xmlns") {
                Some("") => name.end..name.end,
                Some(rest) if rest.len() > 1 && rest.starts_with(':') => name.start + 6..name.end,
                _ => continue,
            };
            if self.bindings.len() >= MAX_BINDINGS {
                break;
            }
            let uri = match texts.entities.value(&text[value.clone()]).0 {
                std::borrow::Cow::Borrowed(_) => Uri::Written(piece(value)),
                std::borrow::Cow::Owned(uri) => Uri::Resolved(uri.into()),
            };
            self.bindings.push(Binding { prefix: piece(prefix), uri });
        }
    }

    /// Closes the innermost element.
    pub(super) fn pop(&mut self) {
        self.hashes.pop();
        if let Some(open) = self.open.pop() {
            self.bindings.truncate(open.n_bindings);
        }
    }

    /// How many elements an end tag closes: those that it should have found closed, too.
    pub(super) fn n_closed(&mut self, texts: &Texts<'_>, name: &str) -> usize {
        let shut =
            self.shut.iter_mut().find(|(piece, count)| *count > 0 && texts.get(piece) == name);
        if let Some((_, count)) = shut {
            *count -= 1;
            return 0;
        }
        let hash = hash(name);
        if !self.hashes.contains(&hash) {
            return 0;
        }
        let is_it =
            |at: &usize| self.hashes[*at] == hash && texts.get(&self.open[*at].name) == name;
        let Some(at) = (0..self.open.len()).rev().find(is_it) else { return 0 };
        // They were in what is closed now.
        self.shut.clear();
        self.open.len() - at
    }

    /// Tells prefix, local name and namespace of a name; the default namespace is not for
    /// attributes (section 6.2).
    pub(super) fn resolve<'r>(
        &'r self,
        texts: &'r Texts<'_>,
        qualified: &'r str,
        is_attribute: bool,
    ) -> Name<'r> {
        let (prefix, local) = match qualified.split_once(':') {
            Some((prefix, local)) if !prefix.is_empty() && !local.is_empty() => (prefix, local),
            _ => ("", qualified),
        };
        let namespace = match prefix {
            "xml" => Some(XML),
            "xmlns" => Some(XMLNS),
            "" if is_attribute => Some(if local == "xmlns" { XMLNS } else { "" }),
            _ => self.namespace(texts, prefix),
        };
        Name { qualified, prefix, local, namespace }
    }

    fn namespace<'r>(&'r self, texts: &'r Texts<'_>, prefix: &str) -> Option<&'r str> {
        let binding = self.bindings.iter().rfind(|binding| texts.get(&binding.prefix) == prefix);
        let uri = binding.map(|binding| match &binding.uri {
            Uri::Written(piece) => texts.get(piece),
            Uri::Resolved(uri) => uri,
        });
        if prefix.is_empty() { Some(uri.unwrap_or_default()) } else { uri }
    }
}

/// FNV-1a.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}
