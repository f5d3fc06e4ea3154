//! What becomes of text (HTML Standard, section 13.2.6): mostly it is told where it stands.

use super::super::events::{Consumer, Text};
use super::super::tags::set;
use super::{Ambiguous, Done, Mode, Outline};

impl<'a, C: Consumer<'a>> Outline<'a, '_, C> {
    /// The text since `start`.
    #[inline(always)]
    pub(super) fn written(&mut self, start: usize) -> Done {
        // The usual case first.
        if self.mode.is_of_body()
            && self.scope.tells_text()
            && self.line_feed_at == usize::MAX
            && !self.is_cut_off()
        {
            if self.consumer.wants_text() {
                self.consumer.text(Text::References(self.splitter.text_since(start)));
            }
            return Ok(());
        }
        self.text(Text::References(self.splitter.text_since(start)))
    }

    pub(super) fn text(&mut self, text: Text<'a>) -> Done {
        let text = self.without_line_feed(text)?;
        if text.written().is_empty() {
            return Ok(());
        }
        if self.is_in_foreign() && !self.top().is_text_point() {
            self.tell(text);
            return Ok(());
        }
        match self.mode {
            Mode::InBody | Mode::InCell | Mode::InCaption | Mode::InTemplate => {
                self.text_in_body(text)
            }
            Mode::InTable | Mode::InTableBody | Mode::InRow => self.text_in_table(text),
            Mode::InColumnGroup => self.text_in_column_group(text),
            _ => self.text_early(text),
        }
    }

    pub(super) fn text_in_body(&mut self, text: Text<'a>) -> Done {
        self.reconstruct()?;
        if self.fosters && !self.is_hidden() && self.top().tag.is(set::FOSTERS) {
            return Err(Ambiguous::Fostered);
        }
        self.tell(text);
        Ok(())
    }

    /// Reports text, unless it stands in a template.
    #[inline]
    pub(super) fn tell(&mut self, text: Text<'a>) {
        if !self.is_hidden() {
            self.consumer.text(text);
        }
    }

    /// Passes over the line feed that directly follows `<pre>` (section 13.2.6.4.7).
    #[inline]
    pub(super) fn without_line_feed(&mut self, text: Text<'a>) -> Result<Text<'a>, Ambiguous> {
        let written = text.written();
        if self.line_feed_at == usize::MAX {
            return Ok(text);
        }
        let is_next = self.line_feed_at == self.splitter.pos() - written.len();
        self.line_feed_at = usize::MAX;
        if !is_next {
            return Ok(text);
        }
        if matches!(text, Text::References(_))
            && (written.starts_with("&#") || written.starts_with("&NewLine"))
        {
            return Err(Ambiguous::Reference);
        }
        let rest = written
            .strip_prefix("\r\n")
            .or_else(|| written.strip_prefix(['\n', '\r']))
            .unwrap_or(written);
        Ok(text.with(rest))
    }
}
