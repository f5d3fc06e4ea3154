//! The text of one paragraph with its emphasis, links and code.
//!
//! A marker is written only when something visible follows it, and its end right behind the
//! last visible thing. So `<b> a </b>` becomes ` **a** ` by itself, empty elements leave no
//! trace, and when a block begins inside a link, the link ends and begins again.

use super::escape::{code_span, needs_backslash};

/// Times that one link is begun again for the blocks in it; then only its text is kept.
const MAX_REPEATED: u32 = 16;

/// What a stretch of text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// `<em>`.
    Emphasis,
    /// `<strong>`.
    Strong,
    /// `<del>`.
    Strike,
    /// `<sup>`.
    Superscript,
    /// `<sub>`.
    Subscript,
    /// A link; what stands between its parentheses, and whether it leads to this very page.
    Link { target: String, is_local: bool },
}

impl Mark {
    /// What is written before and behind, as Markdown and as HTML.
    fn written(&self, as_html: bool) -> (&'static str, &'static str) {
        match (self, as_html) {
            (Self::Emphasis, false) => ("*", "*"),
            (Self::Emphasis, true) => ("<em>", "</em>"),
            (Self::Strong, false) => ("**", "**"),
            (Self::Strong, true) => ("<strong>", "</strong>"),
            (Self::Strike, false) => ("~~", "~~"),
            (Self::Strike, true) => ("<del>", "</del>"),
            (Self::Superscript, _) => ("<sup>", "</sup>"),
            (Self::Subscript, _) => ("<sub>", "</sub>"),
            (Self::Link { .. }, _) => ("[", "]"),
        }
    }

    fn is_emphasis(&self) -> bool {
        matches!(self, Self::Emphasis | Self::Strong | Self::Strike)
    }

    fn is_same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// How line breaks are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// In a paragraph.
    Paragraph,
    /// In a heading: as spaces.
    Heading,
    /// In a cell of a table: as `<br>`.
    Cell,
    /// No markup at all.
    Plain,
}

/// A mark that is open.
struct Open {
    mark: Mark,
    /// Where its marker stands, if it is written.
    start: Option<usize>,
    as_html: bool,
    n_times: u32,
}

/// An emphasis that has just been closed.
struct Closed {
    mark: Mark,
    start: usize,
    end: usize,
    as_html: bool,
}

/// The text so far.
pub(super) struct Inline {
    pub(super) mode: Mode,
    text: String,
    /// The marks that are open, one of each kind: one within another of its kind adds nothing.
    marks: Vec<Open>,
    /// For all that are open, those within others of their kind too, whether they are in `marks`.
    counted: Vec<bool>,
    closed: Option<Closed>,
    space: bool,
    breaks: u32,
    /// Whether there may be marks whose markers wait.
    waiting: bool,
    /// Where the last code span ended.
    code_end: usize,
    /// Where the marker that was written last, of those that begin a mark, ended.
    start_end: usize,
}

impl Inline {
    pub(super) fn new(mode: Mode) -> Self {
        let (text, marks) = (String::new(), Vec::new());
        Self {
            mode,
            text,
            marks,
            counted: Vec::new(),
            closed: None,
            space: false,
            breaks: 0,
            waiting: false,
            code_end: 0,
            start_end: 0,
        }
    }

    /// Whether nothing visible was written.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether there are so many line breaks that what follows is a new paragraph.
    pub(super) fn is_at_paragraph_end(&self) -> bool {
        self.breaks >= 2 && self.mode == Mode::Paragraph
    }

    pub(super) fn line_break(&mut self) {
        if !self.is_empty() {
            self.breaks = self.breaks.saturating_add(1);
        }
    }

    /// Between two blocks where blocks are not kept apart.
    pub(super) fn soft_break(&mut self) {
        if self.mode == Mode::Cell && !self.is_empty() {
            self.breaks = self.breaks.max(1);
        }
        self.space = true;
    }

    pub(super) fn open(&mut self, mark: Mark) {
        let is_first = !self.marks.iter().any(|open| open.mark.is_same_kind(&mark));
        self.counted.push(is_first);
        if is_first {
            self.marks.push(Open { mark, start: None, as_html: false, n_times: 0 });
            self.waiting = true;
        }
    }

    /// Closes the innermost mark.
    pub(super) fn close(&mut self) {
        if self.counted.pop() == Some(true)
            && let Some(open) = self.marks.pop()
        {
            self.write_end(&open);
        }
    }

    fn write_end(&mut self, open: &Open) {
        let Some(start) = open.start else { return };
        let (before, behind) = open.mark.written(open.as_html);
        if self.text.len() == start + before.len() {
            self.text.truncate(start);
            return;
        }
        if let Mark::Link { target, is_local } = &open.mark {
            let inner = &self.text[start + before.len()..];
            // The sign that shows where to link to a heading is no text of it.
            if *is_local && matches!(inner, "¶" | "\\#" | "#" | "§" | "🔗") {
                self.text.truncate(self.text[..start].trim_end().len());
                return;
            }
            self.text.push_str(behind);
            self.text.push_str(&format!("({target})"));
        } else {
            self.text.push_str(behind);
        }
        if open.mark.is_emphasis() {
            let (mark, end) = (open.mark.clone(), self.text.len());
            self.closed = Some(Closed { mark, start, end, as_html: open.as_html });
        }
    }

    /// Adds text as it stands in the document.
    pub(super) fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0c') {
                self.space = true;
                rest = &rest[1..];
                continue;
            }
            self.visible(c);
            // Words in one go, so that what is plain costs little.
            let end = rest.bytes().position(|byte| !byte.is_ascii_alphanumeric());
            let end = end.unwrap_or(rest.len());
            if end > 0 {
                self.text.push_str(&rest[..end]);
                rest = &rest[end..];
            } else {
                rest = &rest[c.len_utf8()..];
                self.character(c, rest);
            }
        }
    }

    fn character(&mut self, c: char, rest: &str) {
        let in_cell = self.mode == Mode::Cell;
        if self.mode != Mode::Plain
            && needs_backslash(c, self.text.chars().next_back(), rest, in_cell)
        {
            self.text.push('\\');
        }
        if c != '\0' {
            self.text.push(c);
        }
    }

    /// Adds what is markup already: an image.
    pub(super) fn raw(&mut self, markup: &str) {
        if let Some(first) = markup.chars().next() {
            self.visible(first);
            self.text.push_str(markup);
        }
    }

    /// Adds code.
    pub(super) fn code(&mut self, text: &str) {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        self.space |= text.starts_with([' ', '\n', '\t']);
        if !words.is_empty() {
            self.code_words(&words.join(" "));
        }
        self.space |= text.ends_with([' ', '\n', '\t']);
    }

    fn code_words(&mut self, code: &str) {
        let in_cell = self.mode == Mode::Cell;
        let is_behind_code = self.code_end == self.text.len() && self.code_end > 0;
        if self.mode == Mode::Plain {
            self.raw(code);
        } else if is_behind_code && !self.space && self.breaks == 0 {
            // Their backticks would be one run.
            self.raw("<code>");
            self.text(code);
            self.text.push_str("</code>");
        } else {
            self.raw(&code_span(code, in_cell));
            self.code_end = self.text.len();
        }
    }

    /// Writes what comes before something visible that begins with `next`: a break or a space,
    /// and the markers that wait.
    fn visible(&mut self, next: char) {
        if self.text.is_empty() {
            (self.space, self.breaks) = (false, 0);
        } else if self.breaks > 0 {
            self.text.push_str(match self.mode {
                Mode::Paragraph => "  \n",
                Mode::Plain => "\n",
                Mode::Heading => " ",
                Mode::Cell => "<br>",
            });
        } else if self.space {
            self.text.push(' ');
        }
        (self.space, self.breaks) = (false, 0);
        if self.mode != Mode::Plain {
            self.settle_closed(next);
            if std::mem::take(&mut self.waiting) {
                self.write_starts(next);
            }
        }
    }

    /// An emphasis that ends in punctuation before a letter is none (section 6.2, "right-flanking
    /// delimiter run"); as HTML it is.
    fn settle_closed(&mut self, next: char) {
        let Some(closed) = self.closed.take() else { return };
        if closed.end != self.text.len() {
            return;
        }
        let waiting = self.marks.iter().find(|open| open.start.is_none());
        if waiting.is_some_and(|open| open.mark.is_same_kind(&closed.mark)) {
            self.closed = Some(closed); // it goes on
            return;
        }
        let (_, behind) = closed.mark.written(closed.as_html);
        let inner_end = closed.end - behind.len();
        let last = self.text[..inner_end].chars().next_back();
        if !closed.as_html && next.is_alphanumeric() && last.is_some_and(is_punctuation) {
            let (before, _) = closed.mark.written(false);
            let (open, close) = closed.mark.written(true);
            self.text.replace_range(inner_end.., close);
            self.text.replace_range(closed.start..closed.start + before.len(), open);
        } else {
            self.closed = Some(closed); // for a mark that begins right behind it
        }
    }

    fn write_starts(&mut self, next: char) {
        let is_star = |open: &&Open| {
            open.start.is_some() && open.mark.written(open.as_html).0.starts_with('*')
        };
        let mut stars = self.marks.iter().filter(is_star).count();
        for at in 0..self.marks.len() {
            let waits = |open: &&Open| open.start.is_none() && open.n_times < MAX_REPEATED;
            let within = self.marks[at + 1..].iter().filter(waits);
            let mut markers = within.filter_map(|open| open.mark.written(false).0.chars().next());
            let inner_marker = markers.find(|marker| *marker != '*');
            let open = &mut self.marks[at];
            if open.start.is_some() || open.n_times >= MAX_REPEATED {
                continue;
            }
            let closed = self.closed.take().filter(|closed| closed.end == self.text.len());
            if let Some(closed) = closed.as_ref().filter(|c| c.mark.is_same_kind(&open.mark)) {
                // `<b>a</b><b>b</b>` is one emphasis, unless another marker would come to stand
                // before what follows.
                let (_, behind) = closed.mark.written(closed.as_html);
                let inner = &self.text[..closed.end - behind.len()];
                if !inner.ends_with(['*', '~', '`']) {
                    self.text.truncate(inner.len());
                    (open.start, open.as_html) = (Some(closed.start), closed.as_html);
                    continue;
                }
            }
            let prev = self.text.chars().next_back();
            if prev == Some('!') && matches!(open.mark, Mark::Link { .. }) {
                self.text.insert(self.text.len() - 1, '\\');
            }
            // "Left-flanking delimiter run": not before punctuation if behind a letter. What
            // follows may be the marker of a mark within; asterisks are one run.
            let next = match inner_marker {
                Some('*') | None => next,
                Some(marker) => marker,
            };
            let breaks_word = prev.is_some_and(char::is_alphanumeric) && is_punctuation(next);
            let marker = open.mark.written(false).0;
            let joins_run = closed.is_some() && prev == marker.chars().next();
            // Within another emphasis, a marker that may be an end would be taken for one.
            let is_behind_start = self.start_end == self.text.len() && prev == Some('*');
            let may_end = prev.is_some_and(|c| !c.is_whitespace())
                && (!prev.is_some_and(is_punctuation) || is_punctuation(next));
            open.as_html = breaks_word || joins_run || (stars > 0 && !is_behind_start && may_end);
            stars += usize::from(open.mark.written(open.as_html).0.starts_with('*'));
            open.start = Some(self.text.len());
            open.n_times += 1;
            self.text.push_str(open.mark.written(open.as_html).0);
            self.start_end = self.text.len();
        }
    }

    /// Ends the paragraph and gives its text. What is open stays open, for the next one.
    pub(super) fn take(&mut self) -> String {
        let mut marks = std::mem::take(&mut self.marks);
        for open in marks.iter_mut().rev() {
            self.write_end(open);
            open.start = None;
        }
        self.marks = marks;
        self.closed = None;
        self.waiting = true;
        (self.code_end, self.start_end) = (0, 0);
        (self.space, self.breaks) = (false, 0);
        std::mem::take(&mut self.text)
    }
}

/// A Unicode punctuation character or symbol, near enough: neither letter, digit nor blank.
fn is_punctuation(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_whitespace()
}
