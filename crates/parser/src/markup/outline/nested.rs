//! Tags that nest as they are written: no rule says anything of them but that, which is so of most tags
//! of most documents.
//!
//! What is [in scope](super::scope) tells it of a start tag, and of an end tag that it is the innermost
//! element's. Who is not told here goes by the rules; so nothing is decided twice, and nothing here
//! has to be complete.

use super::super::events::{Consumer, Space};
use super::super::scan::Start;
use super::super::tags::{Tag, set};
use super::{Ambiguous, Outline};

impl<'a, C: Consumer<'a>> Outline<'a, '_, C> {
    /// Opens an element of which no rule says anything but that it stands where it is written. Whether
    /// it is one.
    #[inline(always)] // for nearly all are
    pub(super) fn nests(&mut self, tag: &Start<'a>) -> Result<bool, Ambiguous> {
        if self.scope.is_disturbed_by(tag.tag) || !self.mode.is_of_body() || self.is_cut_off() {
            return Ok(false);
        }
        self.check_depth()?;
        if tag.tag.is(set::FORMATTING) {
            self.add_entry(tag)?;
        }
        self.consumer.open(tag, Space::Html);
        match tag.tag.is(set::VOID) {
            true => self.consumer.close(),
            false => self.push(tag.name, tag.tag, true),
        }
        Ok(true)
    }

    /// Passes over the end tag that comes, if it closes the innermost element and does nothing else.
    /// Whether it does.
    #[inline(always)] // for nearly all do
    pub(super) fn passes_end(&mut self) -> bool {
        let tag = self.top().tag;
        let passes = self.is_closed_alone(tag) && self.splitter.pass_end_of(tag);
        if passes {
            self.close_alone(tag);
        }
        passes
    }

    /// The same of an end tag that was read.
    #[inline]
    pub(super) fn closes(&mut self, name: &str, tag: Tag) -> bool {
        let closes = self.top().is_named(name, tag) && self.is_closed_alone(tag);
        if closes {
            self.close_alone(tag);
        }
        closes
    }

    /// Whether its end tag closes the innermost element, which has this name, and does nothing else.
    #[inline(always)]
    fn is_closed_alone(&self, tag: Tag) -> bool {
        self.mode.is_of_body()
            && match tag.is(set::FORMATTING) {
                true => self.is_last_entry(self.stack.len() - 1),
                false => tag.is(set::CLOSED_ALONE),
            }
    }

    #[inline(always)]
    fn close_alone(&mut self, tag: Tag) {
        if tag.is(set::FORMATTING) {
            self.formatting.pop();
        }
        self.close();
    }
}
