//! Reads the events of a streaming pass.

use super::element::Tag;
use super::matcher::Matcher;
use crate::markup::events::{Consumer, Space, Text};
use crate::markup::scan::Start;

impl<'a> Consumer<'a> for Matcher<'_> {
    fn begin(&mut self, is_quirky: bool) {
        self.set_quirky(is_quirky);
    }

    #[inline(always)]
    fn open(&mut self, tag: &Start<'a>, space: Space) {
        self.enter(&Tag(tag, space));
    }

    #[inline(always)]
    fn wants_text(&self) -> bool {
        self.keeps_text()
    }

    #[inline(always)]
    fn text(&mut self, text: Text<'a>) {
        self.read(text);
    }

    #[inline(always)]
    fn close(&mut self) {
        self.leave();
    }
}
