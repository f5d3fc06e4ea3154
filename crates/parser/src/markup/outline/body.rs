//! The rules of the body (HTML Standard, section 13.2.6.4.7).

use super::super::events::{Consumer, Space};
use super::super::raw_text::has_references;
use super::super::scan::Start;
use super::super::tags::{Tag, set};
use super::{Ambiguous, Done, Form, Mode, Outline, Text};

impl<'a, C: Consumer<'a>> Outline<'a, '_, C> {
    pub(super) fn start_in_body(&mut self, tag: Start<'a>) -> Done {
        if tag.tag == Tag::Other {
            self.reconstruct()?;
            return self.insert(tag);
        }
        if tag.tag.is(set::BLOCK) {
            return self.start_block(tag);
        }
        match tag.tag {
            Tag::A => {
                self.end_previous_anchor()?;
                self.reconstruct()?;
                self.insert_formatting(tag)
            }
            Tag::Nobr => {
                self.reconstruct()?;
                if self.is_in(set::SCOPE, Tag::Nobr) {
                    self.end_formatting("nobr", Tag::Nobr)?;
                    self.reconstruct()?;
                }
                self.insert_formatting(tag)
            }
            other if other.is(set::FORMATTING) => {
                self.reconstruct()?;
                self.insert_formatting(tag)
            }
            Tag::P => {
                self.close_paragraph();
                self.insert(tag)
            }
            Tag::Li => self.start_item(tag, &[Tag::Li]),
            Tag::Dd | Tag::Dt => self.start_item(tag, &[Tag::Dd, Tag::Dt]),
            Tag::Area | Tag::Br | Tag::Embed | Tag::Img | Tag::Keygen | Tag::Wbr => {
                self.reconstruct()?;
                self.insert_leaf(tag, Space::Html)
            }
            Tag::Image => {
                self.reconstruct()?;
                self.insert_leaf(tag.named(Tag::Img), Space::Html)
            }
            Tag::Input => {
                if self.is_in(set::SCOPE, Tag::Select) {
                    self.pop_through(Tag::Select);
                }
                self.reconstruct()?;
                self.insert_leaf(tag, Space::Html)
            }
            Tag::Param | Tag::Source | Tag::Track => self.insert_leaf(tag, Space::Html),
            Tag::Hr => {
                self.close_paragraph();
                if self.is_in(set::SCOPE, Tag::Select) {
                    self.imply_ends();
                }
                self.insert_leaf(tag, Space::Html)
            }
            Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 => {
                self.close_paragraph();
                if self.top().tag.is_heading() {
                    self.pop();
                }
                self.insert(tag)
            }
            Tag::Table => {
                if !self.is_quirky {
                    self.close_paragraph();
                }
                self.mode = Mode::InTable;
                self.insert(tag)
            }
            Tag::Html | Tag::Body => self.second_root(tag),
            Tag::Frameset if !self.is_hidden() => Err(Ambiguous::Frameset),
            Tag::Head | Tag::Frame | Tag::Frameset => Ok(()),
            other if other.is(set::TABLE_PART) => Ok(()),
            _ => self.start_rare(tag),
        }
    }

    fn start_rare(&mut self, tag: Start<'a>) -> Done {
        match tag.tag {
            Tag::Form => self.start_form(tag),
            Tag::Button => {
                if self.is_in(set::SCOPE, Tag::Button) {
                    self.imply_ends();
                    self.pop_through(Tag::Button);
                }
                self.reconstruct()?;
                self.insert(tag)
            }
            Tag::Applet | Tag::Marquee | Tag::Object => {
                self.reconstruct()?;
                self.push_marker();
                self.insert(tag)
            }
            Tag::Select => {
                if self.is_in(set::SCOPE, Tag::Select) {
                    self.pop_through(Tag::Select);
                    return Ok(());
                }
                self.reconstruct()?;
                self.insert(tag)
            }
            Tag::Option | Tag::Optgroup => self.start_option(tag),
            Tag::Rb | Tag::Rtc => {
                if self.is_in(set::SCOPE, Tag::Ruby) {
                    self.imply_ends();
                }
                self.insert(tag)
            }
            Tag::Rp | Tag::Rt => {
                if self.is_in(set::SCOPE, Tag::Ruby) {
                    self.imply_ends_but(Tag::Rtc);
                }
                self.insert(tag)
            }
            Tag::Svg => {
                self.reconstruct()?;
                self.insert_foreign(tag, Space::Svg)
            }
            Tag::Math => {
                self.reconstruct()?;
                self.insert_foreign(tag, Space::Math)
            }
            Tag::Textarea | Tag::Iframe | Tag::Noembed => self.insert_raw(tag),
            Tag::Xmp => {
                self.close_paragraph();
                self.reconstruct()?;
                self.insert_raw(tag)
            }
            Tag::Plaintext => {
                self.close_paragraph();
                self.insert(tag)?;
                let text = self.splitter.raw_text(Tag::Plaintext);
                self.text(Text::Raw(text))
            }
            _ => {
                if self.start_in_head(tag)? {
                    return Ok(());
                }
                self.reconstruct()?;
                self.insert(tag)
            }
        }
    }

    fn start_block(&mut self, tag: Start<'a>) -> Done {
        self.close_paragraph();
        if matches!(tag.tag, Tag::Pre | Tag::Listing) {
            self.line_feed_at = self.splitter.pos();
        }
        self.insert(tag)
    }

    /// `li`, `dd` and `dt` end the one before them.
    fn start_item(&mut self, tag: Start<'a>, kind: &[Tag]) -> Done {
        if kind.iter().any(|&tag| self.count(tag) > 0) {
            let mut open = self.stack.iter().rev().map(|open| open.tag);
            let before = open.find(|tag| {
                kind.contains(tag)
                    || (tag.is(set::SPECIAL) && !matches!(tag, Tag::Address | Tag::Div | Tag::P))
            });
            if let Some(before) = before.filter(|before| kind.contains(before)) {
                self.imply_ends_but(before);
                self.pop_through(before);
            }
        }
        self.close_paragraph();
        self.insert(tag)
    }

    fn start_form(&mut self, tag: Start<'a>) -> Done {
        if self.is_hidden() {
            self.close_paragraph();
            return self.insert(tag);
        }
        if self.form == Form::None {
            self.close_paragraph();
            self.insert(tag)?;
            self.form = Form::Open(self.stack.len() - 1);
        }
        Ok(())
    }

    fn start_option(&mut self, tag: Start<'a>) -> Done {
        if self.is_in(set::SCOPE, Tag::Select) {
            if tag.tag == Tag::Option {
                self.imply_ends_but(Tag::Optgroup);
            } else {
                self.imply_ends();
            }
        } else if self.top().tag == Tag::Option {
            self.pop();
        }
        self.reconstruct()?;
        self.insert(tag)
    }

    /// The attributes of a second `html` or `body` go to the first.
    pub(super) fn second_root(&mut self, tag: Start<'a>) -> Done {
        if self.is_hidden() || tag.attrs().next().is_none() {
            return Ok(());
        }
        Err(Ambiguous::SecondRoot)
    }

    /// Inserts an element whose content is no markup, and reads it to its end.
    pub(super) fn insert_raw(&mut self, tag: Start<'a>) -> Done {
        self.insert(tag)?;
        if tag.tag == Tag::Textarea {
            self.line_feed_at = self.splitter.pos();
        }
        let text = self.splitter.raw_text(tag.tag);
        let text = if has_references(tag.tag) { Text::References(text) } else { Text::Raw(text) };
        let text = self.without_line_feed(text)?;
        if !text.written().is_empty() {
            self.tell(text);
        }
        // Its end tag, or the document's end.
        if self.splitter.next_markup().is_some() {
            let _ = self.splitter.end_tag();
        }
        self.pop();
        Ok(())
    }

    pub(super) fn end_in_body(&mut self, name: &'a str, tag: Tag) -> Done {
        if tag.is(set::BLOCK) || matches!(tag, Tag::Button | Tag::Select) {
            if self.is_in(set::SCOPE, tag) {
                self.imply_ends();
                self.pop_through(tag);
            }
            return Ok(());
        }
        if tag.is(set::FORMATTING) {
            return self.end_formatting(name, tag);
        }
        match tag {
            Tag::P => {
                if !self.is_in(set::SCOPE | set::BUTTON_SCOPE, Tag::P) {
                    self.insert_implied(Tag::P)?;
                }
                self.close_paragraph();
            }
            Tag::Li | Tag::Dd | Tag::Dt => {
                let bounds = if tag == Tag::Li { set::SCOPE | set::LIST_SCOPE } else { set::SCOPE };
                if self.is_in(bounds, tag) {
                    self.imply_ends_but(tag);
                    self.pop_through(tag);
                }
            }
            Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 => {
                if self.is_any_in(set::SCOPE, Tag::is_heading) {
                    self.imply_ends();
                    while !self.stack.is_empty() && !self.pop().is_heading() {}
                }
            }
            // What follows the body goes into it.
            Tag::Body | Tag::Html => {}
            Tag::Form => self.end_form(),
            Tag::Applet | Tag::Marquee | Tag::Object => {
                if self.is_in(set::SCOPE, tag) {
                    self.imply_ends();
                    self.pop_through(tag);
                    self.clear_to_marker();
                }
            }
            Tag::Br => return self.start_in_body(Start::implied(Tag::Br)),
            Tag::Template => self.end_template(),
            _ => self.end_other(name, tag),
        }
        Ok(())
    }

    fn end_form(&mut self) {
        if self.is_hidden() {
            if self.is_in(set::SCOPE, Tag::Form) {
                self.imply_ends();
                self.pop_through(Tag::Form);
            }
            return;
        }
        let form = std::mem::replace(&mut self.form, Form::None);
        if let Form::Open(at) = form
            && self.is_place_in_scope(at)
        {
            self.imply_ends();
            self.remove(at);
        }
    }

    /// An end tag that no other rule speaks of.
    pub(super) fn end_other(&mut self, name: &'a str, tag: Tag) {
        let at = self.stack.iter().enumerate().rev().find_map(|(at, open)| {
            if open.is_named(name, tag) {
                Some(Some(at))
            } else {
                open.tag.is(set::SPECIAL).then_some(None)
            }
        });
        if let Some(Some(at)) = at {
            while self.top().tag.is(set::IMPLIED) && !self.top().is_named(name, tag) {
                self.pop();
            }
            self.pop_to(at);
        }
    }
}
