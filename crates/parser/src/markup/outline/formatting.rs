//! The list of active formatting elements (HTML Standard, section 13.2.4.3), and what end tags of
//! formatting elements do, as far as nothing has to be moved.

use super::super::charref::decode_attribute;
use super::super::events::Consumer;
use super::super::scan::Start;
use super::super::tags::{Tag, set};
use super::{Ambiguous, Done, Outline};

/// Elements that may be reopened in one document. Honest ones reopen a few; each link inside of
/// something unclosed would count anew.
const MAX_REOPENED: u32 = 1000;

/// Elements of one name in the list that are compared with a new one; comparing costs.
const MAX_ALIKE: usize = 8;

/// An entry of the list.
#[derive(Clone, Copy)]
pub(super) enum Entry<'a> {
    /// What stands before it is out of reach.
    Marker,
    Element {
        tag: Start<'a>,
        id: u32,
        /// Where it stands on the stack; `None` if it was closed by something else than its end
        /// tag, and is to be reopened.
        at: Option<usize>,
    },
}

impl Entry<'_> {
    fn is_named(&self, name: Tag) -> bool {
        matches!(self, Entry::Element { tag, .. } if tag.tag == name)
    }
}

impl<C> Outline<'_, '_, C> {
    pub(super) fn push_marker(&mut self) {
        self.formatting.push(Entry::Marker);
    }

    pub(super) fn clear_to_marker(&mut self) {
        while let Some(Entry::Element { .. }) = self.formatting.pop() {}
    }

    /// Notes that what stood at this place of the stack was closed.
    pub(super) fn note_closed(&mut self, place: usize) {
        for entry in self.formatting.iter_mut().rev() {
            if let Entry::Element { at, .. } = entry
                && *at == Some(place)
            {
                *at = None;
                return;
            }
        }
    }

    /// The last entry of this name behind the last marker: its index, id and place.
    fn last_entry(&self, name: Tag) -> Option<(usize, u32, Option<usize>)> {
        for (index, entry) in self.formatting.iter().enumerate().rev() {
            match entry {
                Entry::Marker => return None,
                Entry::Element { tag, id, at } if tag.tag == name => {
                    return Some((index, *id, *at));
                }
                Entry::Element { .. } => {}
            }
        }
        None
    }

    /// Whether the last entry is of the element at this place of the stack.
    #[inline]
    pub(super) fn is_last_entry(&self, place: usize) -> bool {
        matches!(self.formatting.last(), Some(Entry::Element { at: Some(at), .. }) if *at == place)
    }

    /// Whether something is to be reopened.
    #[inline]
    pub(super) fn is_cut_off(&self) -> bool {
        matches!(self.formatting.last(), Some(Entry::Element { at: None, .. }))
    }

    fn is_active(&self, place: usize) -> bool {
        let is_it = |entry: &Entry<'_>| matches!(entry, Entry::Element { at: Some(at), .. } if *at == place);
        self.formatting.iter().rev().any(is_it)
    }
}

impl<'a, C: Consumer<'a>> Outline<'a, '_, C> {
    /// Inserts a formatting element and adds it to the list.
    pub(super) fn insert_formatting(&mut self, tag: Start<'a>) -> Done {
        self.add_entry(&tag)?;
        self.insert(tag)
    }

    /// Adds the element that opens next to the list.
    #[inline]
    pub(super) fn add_entry(&mut self, tag: &Start<'a>) -> Done {
        self.limit_equals(tag)?;
        let at = Some(self.stack.len());
        self.n_entries += 1;
        self.formatting.push(Entry::Element { tag: *tag, id: self.n_entries, at });
        Ok(())
    }

    /// Of equal elements in the list the earliest goes when there are three.
    #[inline]
    fn limit_equals(&mut self, new: &Start<'a>) -> Done {
        match self.formatting.len() {
            ..3 => Ok(()), // the usual case
            _ => self.drop_earliest_equal(new),
        }
    }

    fn drop_earliest_equal(&mut self, new: &Start<'a>) -> Done {
        let is_near = |entry: &&Entry<'_>| matches!(entry, Entry::Element { .. });
        let near = self.formatting.iter().rev().take_while(is_near);
        let n_alike = near.filter(|entry| entry.is_named(new.tag)).count();
        if n_alike < 3 {
            return Ok(());
        }
        if n_alike > MAX_ALIKE {
            return Err(Ambiguous::Unclosed);
        }
        let mut equals = 0;
        let mut earliest = 0;
        for (index, entry) in self.formatting.iter().enumerate().rev() {
            match entry {
                Entry::Marker => break,
                Entry::Element { tag, .. } if tag.tag == new.tag && has_same_attrs(tag, new)? => {
                    equals += 1;
                    earliest = index;
                }
                Entry::Element { .. } => {}
            }
        }
        if equals >= 3 {
            self.formatting.remove(earliest);
        }
        Ok(())
    }

    /// Reopens formatting elements that were cut off.
    #[inline]
    pub(super) fn reconstruct(&mut self) -> Done {
        match self.is_cut_off() {
            true => self.reopen(),
            false => Ok(()),
        }
    }

    fn reopen(&mut self) -> Done {
        let is_cut_off = |entry: &Entry<'_>| matches!(entry, Entry::Element { at: None, .. });
        let n = self.formatting.iter().rev().take_while(|entry| is_cut_off(entry)).count();
        for index in self.formatting.len() - n..self.formatting.len() {
            let Entry::Element { tag, .. } = self.formatting[index] else { continue };
            self.n_reopened += 1;
            if self.n_reopened > MAX_REOPENED {
                return Err(Ambiguous::Reopened);
            }
            self.insert(tag)?;
            let place = self.stack.len() - 1;
            if let Entry::Element { at, .. } = &mut self.formatting[index] {
                *at = Some(place);
            }
        }
        Ok(())
    }

    /// `<a>` and `<nobr>` end an open one of their kind.
    pub(super) fn end_previous_anchor(&mut self) -> Done {
        let Some((_, id, _)) = self.last_entry(Tag::A) else { return Ok(()) };
        self.end_formatting("a", Tag::A)?;
        let is_it = |entry: &Entry<'_>| matches!(entry, Entry::Element { id: i, .. } if *i == id);
        if let Some(index) = self.formatting.iter().position(is_it)
            && let Entry::Element { at, .. } = self.formatting.remove(index)
            && let Some(at) = at
        {
            self.remove(at);
        }
        Ok(())
    }

    /// The adoption agency algorithm (section 13.2.6.4.7), where it moves nothing.
    pub(super) fn end_formatting(&mut self, name: &'a str, tag: Tag) -> Done {
        if self.top().tag == tag && !self.is_active(self.stack.len() - 1) {
            self.pop();
            return Ok(());
        }
        let Some((index, _, place)) = self.last_entry(tag) else {
            self.end_other(name, tag);
            return Ok(());
        };
        let Some(place) = place else {
            self.formatting.remove(index);
            return Ok(());
        };
        if !self.is_place_in_scope(place) {
            return Ok(());
        }
        if self.stack[place + 1..].iter().any(|open| open.tag.is(set::SPECIAL)) {
            return Err(Ambiguous::Misnested);
        }
        self.formatting.remove(index);
        self.pop_to(place);
        Ok(())
    }
}

/// Whether two tags have equal attributes, in any order.
fn has_same_attrs(a: &Start<'_>, b: &Start<'_>) -> Result<bool, Ambiguous> {
    if a.region().trim_ascii() == b.region().trim_ascii() {
        return Ok(true);
    }
    let all = |tag: &Start<'_>| -> Result<Vec<(String, String)>, Ambiguous> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, value) in tag.attrs() {
            if all.len() >= 16 {
                return Err(Ambiguous::Crowded); // compared with all others, it would add up
            }
            let name = name.to_ascii_lowercase();
            if all.iter().all(|(known, _)| *known != name) {
                all.push((name, decode_attribute(value).into_owned()));
            }
        }
        all.sort_unstable();
        Ok(all)
    };
    Ok(all(a)? == all(b)?)
}
