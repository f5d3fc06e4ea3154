//! The stack of open elements (HTML Standard, section 13.2.4.2).

use super::super::events::{Consumer, Space};
use super::super::scan::Start;
use super::super::tags::{Tag, set};
use super::scope::Scope;
use super::{Ambiguous, Done, Form, Mode, Next, Outline};

/// Open and to be reopened elements beyond which the document is left to the tree, whose builder
/// lets only 512 nest.
const MAX_DEPTH: usize = 480;

/// An open element.
#[derive(Clone, Copy)]
pub(super) struct Open<'a> {
    /// Its name as written.
    pub(super) name: &'a str,
    /// What the rules call it. [`Tag::Ghost`] is what the tree builder took off its stack with
    /// other elements open inside: no rule sees it, and it closes when they are closed.
    pub(super) tag: Tag,
    /// Whether it was reported.
    is_told: bool,
    /// What is in scope around it.
    around: Scope,
}

impl Open<'_> {
    /// Whether it is the HTML element that an end tag names.
    pub(super) fn is_named(&self, name: &str, tag: Tag) -> bool {
        self.tag == tag && (tag != Tag::Other || self.name.eq_ignore_ascii_case(name))
    }

    /// Whether it is of SVG or MathML, but holds text as HTML does.
    pub(super) fn is_text_point(&self) -> bool {
        matches!(self.tag, Tag::SvgPoint | Tag::MathText | Tag::AnnotationPoint)
    }
}

const NOTHING: Open<'static> =
    Open { name: "", tag: Tag::Other, is_told: false, around: Scope::NOTHING };

impl<'a, C: Consumer<'a>> Outline<'a, '_, C> {
    /// The innermost open element.
    #[inline]
    pub(super) fn top(&self) -> Open<'a> {
        self.stack.last().copied().unwrap_or(NOTHING)
    }

    #[inline]
    pub(super) fn count(&self, tag: Tag) -> u32 {
        self.counts[tag as usize]
    }

    /// Whether an element may be put into the innermost open one.
    #[inline]
    fn check_place(&self) -> Done {
        if self.fosters && !self.is_hidden() && self.top().tag.is(set::FOSTERS) {
            return Err(Ambiguous::Fostered);
        }
        self.check_depth()
    }

    #[inline]
    pub(super) fn check_depth(&self) -> Done {
        if self.stack.len() + self.formatting.len() > MAX_DEPTH {
            return Err(Ambiguous::Deep);
        }
        Ok(())
    }

    /// Inserts an HTML element and leaves it open.
    #[inline]
    pub(super) fn insert(&mut self, tag: Start<'a>) -> Done {
        self.insert_as(tag, tag.tag, Space::Html)
    }

    /// Inserts an element that the rules call `entry` and leaves it open.
    #[inline]
    pub(super) fn insert_as(&mut self, tag: Start<'a>, entry: Tag, space: Space) -> Done {
        self.check_place()?;
        self.tell_open(&tag, space);
        self.push(tag.name, entry, !self.is_hidden());
        Ok(())
    }

    #[inline]
    pub(super) fn push(&mut self, name: &'a str, tag: Tag, is_told: bool) {
        self.stack.push(Open { name, tag, is_told, around: self.scope });
        self.counts[tag as usize] += 1;
        self.scope = self.scope.inside(tag);
    }

    /// Closes the innermost element, of which nothing but the stack knows.
    #[inline(always)]
    pub(super) fn close(&mut self) {
        let Some(open) = self.stack.pop() else { return };
        self.counts[open.tag as usize] -= 1;
        self.scope = open.around;
        if open.is_told {
            self.consumer.close();
        }
        while self.count(Tag::Ghost) > 0 && self.top().tag == Tag::Ghost {
            self.drop_ghost();
        }
    }

    /// Inserts an element that the tree builder adds by itself.
    pub(super) fn insert_implied(&mut self, tag: Tag) -> Done {
        self.insert(Start::implied(tag))
    }

    /// Inserts an element that has no content.
    #[inline]
    pub(super) fn insert_leaf(&mut self, tag: Start<'a>, space: Space) -> Done {
        self.check_place()?;
        if !self.is_hidden() {
            self.consumer.open(&tag, space);
            self.consumer.close();
        }
        Ok(())
    }

    /// Closes the innermost open element; returns what it was.
    #[inline]
    pub(super) fn pop(&mut self) -> Tag {
        let (tag, place) = (self.top().tag, self.stack.len().saturating_sub(1));
        if tag.is(set::FORMATTING) {
            self.note_closed(place);
        } else if tag == Tag::Form && self.form == Form::Open(place) {
            self.form = Form::Closed;
        }
        self.close();
        tag
    }

    /// Closes what was taken off the stack before.
    fn drop_ghost(&mut self) {
        let Some(ghost) = self.stack.pop() else { return };
        self.counts[ghost.tag as usize] -= 1;
        self.scope = ghost.around;
        if ghost.is_told {
            self.consumer.close();
        }
    }

    /// Closes elements until no more than `len` are open.
    pub(super) fn pop_to(&mut self, len: usize) {
        while self.stack.len() > len {
            self.pop();
        }
    }

    /// Closes elements until one of this name was closed.
    pub(super) fn pop_through(&mut self, tag: Tag) {
        while !self.stack.is_empty() && self.pop() != tag {}
    }

    /// Closes elements until one is innermost that is of these sets, or of these tags.
    pub(super) fn pop_back_to(&mut self, sets: u16, tags: &[Tag]) {
        while !self.stack.is_empty() && !self.top().tag.is(sets) && !tags.contains(&self.top().tag)
        {
            self.pop();
        }
    }

    /// Takes an element off the stack that may have others open inside.
    pub(super) fn remove(&mut self, at: usize) {
        if at + 1 == self.stack.len() {
            self.pop();
        } else if let Some(open) = self.stack.get_mut(at) {
            self.counts[open.tag as usize] -= 1;
            open.tag = Tag::Ghost;
            self.counts[Tag::Ghost as usize] += 1;
            self.look_around(at);
        }
    }

    /// Finds out what is in scope inside of the elements from this place on: one is no longer there.
    fn look_around(&mut self, at: usize) {
        let mut scope = self.stack[at].around;
        for open in &mut self.stack[at..] {
            open.around = scope;
            if open.tag != Tag::Ghost {
                scope = scope.inside(open.tag);
            }
        }
        self.scope = scope;
    }

    /// Takes the head off the stack, whose end is told later.
    pub(super) fn suspend_head(&mut self) {
        if let Some(head) = self.stack.pop() {
            self.counts[head.tag as usize] -= 1;
            self.scope = head.around;
        }
    }

    /// Whether an element is in scope ("has an element in the specific scope"); `bounds` are the
    /// sets that bound it.
    #[inline]
    pub(super) fn is_in(&self, bounds: u16, tag: Tag) -> bool {
        self.count(tag) > 0 && self.is_any_in(bounds, |open| open == tag)
    }

    pub(super) fn is_any_in(&self, bounds: u16, is_it: impl Fn(Tag) -> bool) -> bool {
        for open in self.stack.iter().rev() {
            if is_it(open.tag) {
                return true;
            }
            if open.tag.is(bounds) {
                return false;
            }
        }
        false
    }

    /// Whether nothing that bounds a scope is open inside of the element at this place.
    pub(super) fn is_place_in_scope(&self, at: usize) -> bool {
        self.stack[at + 1..].iter().all(|open| !open.tag.is(set::SCOPE))
    }

    /// Closes elements whose end tags may be left out (section 13.2.6.3).
    #[inline]
    pub(super) fn imply_ends(&mut self) {
        while self.top().tag.is(set::IMPLIED) {
            self.pop();
        }
    }

    /// The same, but for those of this name.
    pub(super) fn imply_ends_but(&mut self, tag: Tag) {
        while self.top().tag != tag && self.top().tag.is(set::IMPLIED) {
            self.pop();
        }
    }

    /// Closes a paragraph, if one is in scope.
    #[inline]
    pub(super) fn close_paragraph(&mut self) {
        if self.is_in(set::SCOPE | set::BUTTON_SCOPE, Tag::P) {
            self.imply_ends_but(Tag::P);
            self.pop_through(Tag::P);
        }
    }

    /// The mode that the open elements ask for (section 13.2.4.1).
    pub(super) fn reset_mode(&mut self) {
        let mode = self.stack.iter().enumerate().rev().find_map(|(at, open)| match open.tag {
            Tag::Td | Tag::Th if at > 0 => Some(Mode::InCell),
            Tag::Tr => Some(Mode::InRow),
            Tag::Tbody | Tag::Thead | Tag::Tfoot => Some(Mode::InTableBody),
            Tag::Caption => Some(Mode::InCaption),
            Tag::Colgroup => Some(Mode::InColumnGroup),
            Tag::Table => Some(Mode::InTable),
            Tag::Template => self.template_modes.last().copied(),
            Tag::Head if at > 0 => Some(Mode::InHead),
            Tag::Body => Some(Mode::InBody),
            Tag::Html if self.has_head => Some(Mode::AfterHead),
            Tag::Html => Some(Mode::BeforeHead),
            _ => None,
        });
        self.mode = mode.unwrap_or(Mode::InBody);
    }

    /// `<template>` (section 13.2.6.4.4).
    pub(super) fn start_template(&mut self, tag: Start<'a>) -> Done {
        self.push_marker();
        self.mode = Mode::InTemplate;
        self.template_modes.push(Mode::InTemplate);
        self.insert(tag)
    }

    /// `</template>`.
    pub(super) fn end_template(&mut self) {
        if self.is_hidden() {
            while self.top().tag.is(set::IMPLIED | set::THOROUGH) {
                self.pop();
            }
            self.leave_template();
        }
    }

    /// Closes the innermost template.
    pub(super) fn leave_template(&mut self) {
        self.pop_through(Tag::Template);
        self.clear_to_marker();
        self.template_modes.pop();
        self.reset_mode();
    }

    /// A start tag in a template (section 13.2.6.4.18).
    pub(super) fn start_in_template(&mut self, tag: Start<'a>) -> Result<Next, Ambiguous> {
        if self.start_in_head(tag)? {
            return Ok(Next::Done);
        }
        self.mode = match tag.tag {
            Tag::Caption | Tag::Colgroup | Tag::Tbody | Tag::Tfoot | Tag::Thead => Mode::InTable,
            Tag::Col => Mode::InColumnGroup,
            Tag::Tr => Mode::InTableBody,
            Tag::Td | Tag::Th => Mode::InRow,
            _ => Mode::InBody,
        };
        if let Some(last) = self.template_modes.last_mut() {
            *last = self.mode;
        }
        Ok(Next::Again)
    }
}
