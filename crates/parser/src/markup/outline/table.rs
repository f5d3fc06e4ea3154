//! Tables (HTML Standard, sections 13.2.6.4.9 to 15).
//!
//! What does not belong into a table is put in front of it, which is the one thing that cannot be
//! followed: [`Outline::insert`] and [`Outline::text`] refuse it while `fosters` is set. Inside of
//! a template it may be, for nothing there is reported.

use super::super::charref::decode_attribute;
use super::super::events::{Consumer, Space};
use super::super::scan::Start;
use super::super::split::is_blank;
use super::super::tags::{Tag, set};
use super::early::begins_with_written_space;
use super::{Ambiguous, Done, Form, Mode, Next, Outline, Text};

/// A row's and a body's contexts, to which the stack is cleared back.
const ROWS: &[Tag] = &[Tag::Tbody, Tag::Tfoot, Tag::Thead, Tag::Template, Tag::Html];
const CELLS: &[Tag] = &[Tag::Tr, Tag::Template, Tag::Html];

impl<'a, C: Consumer<'a>> Outline<'a, '_, C> {
    pub(super) fn start_in_table(&mut self, tag: Start<'a>) -> Result<Next, Ambiguous> {
        match tag.tag {
            Tag::Caption => {
                self.pop_back_to(set::TABLE_SCOPE, &[]);
                self.push_marker();
                self.insert(tag)?;
                self.mode = Mode::InCaption;
            }
            Tag::Colgroup => {
                self.pop_back_to(set::TABLE_SCOPE, &[]);
                self.insert(tag)?;
                self.mode = Mode::InColumnGroup;
            }
            Tag::Col => {
                self.pop_back_to(set::TABLE_SCOPE, &[]);
                self.insert_implied(Tag::Colgroup)?;
                self.mode = Mode::InColumnGroup;
                return Ok(Next::Again);
            }
            Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                self.pop_back_to(set::TABLE_SCOPE, &[]);
                self.insert(tag)?;
                self.mode = Mode::InTableBody;
            }
            Tag::Td | Tag::Th | Tag::Tr => {
                self.pop_back_to(set::TABLE_SCOPE, &[]);
                self.insert_implied(Tag::Tbody)?;
                self.mode = Mode::InTableBody;
                return Ok(Next::Again);
            }
            Tag::Table => {
                if self.is_in(set::TABLE_SCOPE, Tag::Table) {
                    self.pop_through(Tag::Table);
                    self.reset_mode();
                    return Ok(Next::Again);
                }
            }
            Tag::Style | Tag::Script | Tag::Template => {
                self.start_in_head(tag)?;
            }
            Tag::Input if is_hidden_input(&tag) => self.insert_leaf(tag, Space::Html)?,
            Tag::Form => {
                if !self.is_hidden() && self.form == Form::None {
                    self.insert_leaf(tag, Space::Html)?;
                    self.form = Form::Closed;
                }
            }
            _ => self.fostered(|outline| outline.start_in_body(tag))?,
        }
        Ok(Next::Done)
    }

    pub(super) fn end_in_table(&mut self, name: &'a str, tag: Tag) -> Result<Next, Ambiguous> {
        match tag {
            Tag::Table => {
                if self.is_in(set::TABLE_SCOPE, Tag::Table) {
                    self.pop_through(Tag::Table);
                    self.reset_mode();
                }
            }
            Tag::Body | Tag::Html => {}
            other if other.is(set::TABLE_PART) => {}
            Tag::Template => self.end_template(),
            _ => self.fostered(|outline| outline.end_in_body(name, tag))?,
        }
        Ok(Next::Done)
    }

    /// Does something while what is wrong in a table belongs in front of it.
    fn fostered(&mut self, task: impl FnOnce(&mut Self) -> Done) -> Done {
        self.fosters = true;
        let done = task(self);
        self.fosters = false;
        done
    }

    pub(super) fn text_in_table(&mut self, text: Text<'a>) -> Done {
        if !self.top().tag.is(set::FOSTERS) {
            return self.fostered(|outline| outline.text_in_body(text));
        }
        let written = text.written();
        if written.bytes().all(is_blank) {
            self.tell(text);
            return Ok(());
        }
        if matches!(text, Text::References(_)) && written.contains('&') {
            let is_blank = text.decoded().chars().all(|c| c.is_ascii_whitespace());
            if is_blank {
                self.tell(text);
                return Ok(());
            }
        }
        self.fostered(|outline| outline.text_in_body(text))
    }

    pub(super) fn start_in_caption(&mut self, tag: Start<'a>) -> Result<Next, Ambiguous> {
        if tag.tag.is(set::TABLE_PART) {
            return Ok(self.close_caption());
        }
        self.start_in_body(tag)?;
        Ok(Next::Done)
    }

    /// Whether the tag has to be looked at again, for there was a caption to close.
    fn close_caption(&mut self) -> Next {
        if !self.is_in(set::TABLE_SCOPE, Tag::Caption) {
            return Next::Done;
        }
        self.imply_ends();
        self.pop_through(Tag::Caption);
        self.clear_to_marker();
        self.mode = Mode::InTable;
        Next::Again
    }

    pub(super) fn end_in_caption(&mut self, name: &'a str, tag: Tag) -> Result<Next, Ambiguous> {
        match tag {
            Tag::Table => return Ok(self.close_caption()),
            Tag::Caption => {
                self.close_caption();
            }
            Tag::Body | Tag::Html => {}
            other if other.is(set::TABLE_PART) => {}
            _ => self.end_in_body(name, tag)?,
        }
        Ok(Next::Done)
    }

    pub(super) fn start_in_column_group(&mut self, tag: Start<'a>) -> Result<Next, Ambiguous> {
        match tag.tag {
            Tag::Html => self.second_root(tag)?,
            Tag::Col => self.insert_leaf(tag, Space::Html)?,
            Tag::Template => self.start_template(tag)?,
            _ => return Ok(self.leave_column_group()),
        }
        Ok(Next::Done)
    }

    pub(super) fn end_in_column_group(&mut self, tag: Tag) -> Result<Next, Ambiguous> {
        match tag {
            Tag::Colgroup => {
                self.leave_column_group();
            }
            Tag::Col => {}
            Tag::Template => self.end_template(),
            _ => return Ok(self.leave_column_group()),
        }
        Ok(Next::Done)
    }

    fn leave_column_group(&mut self) -> Next {
        if self.top().tag != Tag::Colgroup {
            return Next::Done; // in a template
        }
        self.pop();
        self.mode = Mode::InTable;
        Next::Again
    }

    pub(super) fn text_in_column_group(&mut self, text: Text<'a>) -> Done {
        let written = text.written();
        let len = written.bytes().take_while(|&byte| is_blank(byte)).count();
        let (blank, rest) = written.split_at(len);
        if begins_with_written_space(text.with(rest)) {
            return Err(Ambiguous::Reference);
        }
        if !blank.is_empty() {
            self.tell(text.with(blank));
        }
        if rest.is_empty() || self.leave_column_group() == Next::Done {
            return Ok(());
        }
        self.text_in_table(text.with(rest))
    }

    pub(super) fn start_in_table_body(&mut self, tag: Start<'a>) -> Result<Next, Ambiguous> {
        match tag.tag {
            Tag::Tr => {
                self.pop_back_to(0, ROWS);
                self.insert(tag)?;
                self.mode = Mode::InRow;
                Ok(Next::Done)
            }
            Tag::Th | Tag::Td => {
                self.pop_back_to(0, ROWS);
                self.insert_implied(Tag::Tr)?;
                self.mode = Mode::InRow;
                Ok(Next::Again)
            }
            other if other.is(set::TABLE_PART) => Ok(self.close_table_body()),
            _ => self.start_in_table(tag),
        }
    }

    fn close_table_body(&mut self) -> Next {
        let is_body = |tag| matches!(tag, Tag::Table | Tag::Tbody | Tag::Tfoot);
        if !self.is_any_in(set::TABLE_SCOPE, is_body) {
            return Next::Done;
        }
        self.pop_back_to(0, ROWS);
        self.pop();
        self.mode = Mode::InTable;
        Next::Again
    }

    pub(super) fn end_in_table_body(&mut self, name: &'a str, tag: Tag) -> Result<Next, Ambiguous> {
        match tag {
            Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                if self.is_in(set::TABLE_SCOPE, tag) {
                    self.pop_back_to(0, ROWS);
                    self.pop();
                    self.mode = Mode::InTable;
                }
                Ok(Next::Done)
            }
            Tag::Table => Ok(self.close_table_body()),
            _ => self.end_in_table(name, tag),
        }
    }

    pub(super) fn start_in_row(&mut self, tag: Start<'a>) -> Result<Next, Ambiguous> {
        match tag.tag {
            Tag::Th | Tag::Td => {
                self.pop_back_to(0, CELLS);
                self.insert(tag)?;
                self.push_marker();
                self.mode = Mode::InCell;
                Ok(Next::Done)
            }
            other if other.is(set::TABLE_PART) => Ok(self.close_row()),
            _ => self.start_in_table(tag),
        }
    }

    fn close_row(&mut self) -> Next {
        if !self.is_in(set::TABLE_SCOPE, Tag::Tr) {
            return Next::Done;
        }
        self.pop_back_to(0, CELLS);
        self.pop();
        self.mode = Mode::InTableBody;
        Next::Again
    }

    pub(super) fn end_in_row(&mut self, name: &'a str, tag: Tag) -> Result<Next, Ambiguous> {
        match tag {
            Tag::Tr => {
                self.close_row();
                Ok(Next::Done)
            }
            Tag::Table => Ok(self.close_row()),
            Tag::Tbody | Tag::Tfoot | Tag::Thead => {
                if self.is_in(set::TABLE_SCOPE, tag) {
                    Ok(self.close_row())
                } else {
                    Ok(Next::Done)
                }
            }
            _ => self.end_in_table(name, tag),
        }
    }

    pub(super) fn start_in_cell(&mut self, tag: Start<'a>) -> Result<Next, Ambiguous> {
        if tag.tag.is(set::TABLE_PART) {
            return Ok(self.close_cell());
        }
        self.start_in_body(tag)?;
        Ok(Next::Done)
    }

    fn close_cell(&mut self) -> Next {
        let is_cell = |tag| matches!(tag, Tag::Td | Tag::Th);
        if !self.is_any_in(set::TABLE_SCOPE, is_cell) {
            return Next::Done;
        }
        self.imply_ends();
        while !self.stack.is_empty() && !is_cell(self.pop()) {}
        self.clear_to_marker();
        self.mode = Mode::InRow;
        Next::Again
    }

    pub(super) fn end_in_cell(&mut self, name: &'a str, tag: Tag) -> Result<Next, Ambiguous> {
        match tag {
            Tag::Td | Tag::Th => {
                if self.is_in(set::TABLE_SCOPE, tag) {
                    self.imply_ends();
                    self.pop_through(tag);
                    self.clear_to_marker();
                    self.mode = Mode::InRow;
                }
            }
            Tag::Table | Tag::Tbody | Tag::Tfoot | Tag::Thead | Tag::Tr => {
                if self.is_in(set::TABLE_SCOPE, tag) {
                    return Ok(self.close_cell());
                }
            }
            Tag::Caption | Tag::Col | Tag::Colgroup | Tag::Body | Tag::Html => {}
            _ => self.end_in_body(name, tag)?,
        }
        Ok(Next::Done)
    }
}

fn is_hidden_input(tag: &Start<'_>) -> bool {
    tag.attr("type").is_some_and(|kind| decode_attribute(kind).eq_ignore_ascii_case("hidden"))
}
