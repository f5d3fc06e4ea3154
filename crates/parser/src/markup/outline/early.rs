//! What comes before the body (HTML Standard, sections 13.2.6.4.1 to 6).
//!
//! The head may get elements after its end tag, and whitespace between the two stands behind it in
//! the tree. So the end of the head is reported only when the body begins.

use super::super::charref::decode_text;
use super::super::events::{Consumer, Space};
use super::super::scan::Start;
use super::super::split::is_blank;
use super::super::tags::Tag;
use super::{Ambiguous, Done, Mode, Next, Outline, Text};

impl<'a, C: Consumer<'a>> Outline<'a, '_, C> {
    pub(super) fn start_early(&mut self, tag: Start<'a>) -> Result<Next, Ambiguous> {
        match (self.mode, tag.tag) {
            (Mode::BeforeHtml, Tag::Html) => {
                self.insert(tag)?;
                self.mode = Mode::BeforeHead;
            }
            (Mode::Initial | Mode::BeforeHtml, _) => return self.advance(),
            (_, Tag::Html) => self.second_root(tag)?,
            (Mode::BeforeHead, Tag::Head) => {
                self.insert(tag)?;
                self.has_head = true;
                self.mode = Mode::InHead;
            }
            (Mode::BeforeHead, _) => return self.advance(),
            (_, Tag::Head) => {}
            (Mode::InHead, Tag::Noscript) => {
                self.insert(tag)?;
                self.mode = Mode::InHeadNoscript;
            }
            (Mode::InHeadNoscript, Tag::Noscript) => {}
            (Mode::InHeadNoscript, Tag::Base | Tag::Script | Tag::Template | Tag::Title) => {
                return self.advance();
            }
            (Mode::AfterHead, Tag::Body) => {
                self.leave_head();
                self.insert(tag)?;
                self.mode = Mode::InBody;
            }
            (Mode::AfterHead, Tag::Frameset) => return Err(Ambiguous::Frameset),
            _ => {
                if !self.start_in_head(tag)? {
                    return self.advance();
                }
            }
        }
        Ok(Next::Done)
    }

    /// Does what a head's element asks for, wherever it stands; whether it is one.
    pub(super) fn start_in_head(&mut self, tag: Start<'a>) -> Result<bool, Ambiguous> {
        match tag.tag {
            Tag::Base | Tag::Basefont | Tag::Bgsound | Tag::Link | Tag::Meta => {
                self.insert_leaf(tag, Space::Html)?;
            }
            Tag::Title | Tag::Noframes | Tag::Style | Tag::Script => self.insert_raw(tag)?,
            Tag::Template => self.start_template(tag)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    pub(super) fn end_early(&mut self, tag: Tag) -> Result<Next, Ambiguous> {
        match (self.mode, tag) {
            (Mode::Initial, _) => self.advance(),
            (Mode::InHead, Tag::Head)
            | (Mode::BeforeHtml | Mode::BeforeHead, Tag::Head | Tag::Body | Tag::Html)
            | (Mode::InHead | Mode::AfterHead, Tag::Body | Tag::Html)
            | (_, Tag::Br) => {
                let is_done = (self.mode, tag) == (Mode::InHead, Tag::Head);
                self.advance()?;
                Ok(if is_done { Next::Done } else { Next::Again })
            }
            (Mode::InHeadNoscript, Tag::Noscript) => {
                self.advance()?;
                Ok(Next::Done)
            }
            (Mode::InHead | Mode::AfterHead, Tag::Template) => {
                self.end_template();
                Ok(Next::Done)
            }
            _ => Ok(Next::Done),
        }
    }

    pub(super) fn text_early(&mut self, text: Text<'a>) -> Done {
        let written = text.written();
        let len = written.bytes().take_while(|&byte| is_blank(byte)).count();
        let (blank, rest) = written.split_at(len);
        if begins_with_written_space(text.with(rest)) {
            return Err(Ambiguous::Reference);
        }
        if !blank.is_empty() {
            match self.mode {
                Mode::InHead | Mode::InHeadNoscript => self.tell(text.with(blank)),
                Mode::AfterHead => {
                    if let Some(late) = &mut self.after_head {
                        late.push(text.with(blank));
                    }
                }
                _ => {}
            }
        }
        if rest.is_empty() {
            return Ok(());
        }
        while !matches!(self.mode, Mode::InBody) {
            self.advance()?;
        }
        self.text_in_body(text.with(rest))
    }

    /// Moves to the next mode, because something came that does not belong here ("anything
    /// else").
    fn advance(&mut self) -> Result<Next, Ambiguous> {
        self.mode = match self.mode {
            Mode::Initial => {
                self.begin();
                Mode::BeforeHtml
            }
            Mode::BeforeHtml => {
                self.insert_implied(Tag::Html)?;
                Mode::BeforeHead
            }
            Mode::BeforeHead => {
                self.insert_implied(Tag::Head)?;
                self.has_head = true;
                Mode::InHead
            }
            Mode::InHeadNoscript => {
                self.pop();
                Mode::InHead
            }
            Mode::InHead => {
                self.suspend_head();
                self.after_head = Some(Vec::new());
                Mode::AfterHead
            }
            Mode::AfterHead => {
                self.leave_head();
                self.insert_implied(Tag::Body)?;
                Mode::InBody
            }
            other => other,
        };
        Ok(Next::Again)
    }

    fn leave_head(&mut self) {
        if let Some(late) = self.after_head.take() {
            self.consumer.close();
            late.into_iter().for_each(|text| self.consumer.text(text));
        }
    }

    /// At the end of the document: what every document has.
    pub(super) fn complete_head(&mut self) -> Done {
        let is_early = |mode| {
            use Mode::{AfterHead, BeforeHead, BeforeHtml, InHead, InHeadNoscript, Initial};
            matches!(mode, Initial | BeforeHtml | BeforeHead | InHead | InHeadNoscript | AfterHead)
        };
        while is_early(self.mode) {
            self.advance()?;
        }
        Ok(())
    }
}

/// Whether a text begins with whitespace that is written as a reference. Looks at no more than
/// its beginning; where that does not tell, it may be.
pub(super) fn begins_with_written_space(text: Text<'_>) -> bool {
    let Text::References(text) = text else { return false };
    if !text.starts_with('&') {
        return false;
    }
    let end = (0..=text.len().min(64)).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    let decoded = decode_text(&text[..end]);
    decoded.starts_with(|c: char| c.is_ascii_whitespace()) || text.starts_with("&#00000000")
}
