//! Markdown of a part of a document: CommonMark with GitHub's tables, strikethrough and task
//! lists, links and images absolute.
//!
//! Own code, for it walks the tree that is there, in document order and without recursion; the
//! libraries at hand parse a second tree and recurse over it. What Markdown cannot say
//! (superscripts, emphasis within a word beside punctuation) is said in HTML, which it allows.
//! Tables that are a layout and no data are read cell by cell.
//!
//! [`plain`] is the same walk without any marks: text in paragraphs.

mod block;
mod element;
mod escape;
mod inline;
mod table;

use crawl_spider::NodeId;

use self::block::{Blocks, Gap};
use self::element::{is_hidden, language, preformatted};
use self::escape::{destination, line_starts, longest_run, title};
use self::inline::{Inline, Mark, Mode};
use super::Join;
use super::text::is_block;
use crate::dom::{Dom, NodeKind};

/// Longest address of a link or image, in bytes; longer ones are programs or pictures.
const MAX_URL_BYTES: usize = 8 * 1024;

/// A node and what is in it as Markdown. `join` makes references absolute.
pub(crate) fn markdown(dom: &Dom, node: NodeId, join: &Join<'_>) -> String {
    write(dom, node, join, Mode::Paragraph)
}

/// A node and what is in it as text, a blank line between paragraphs.
pub(crate) fn plain(dom: &Dom, node: NodeId) -> String {
    write(dom, node, &|_| None, Mode::Plain)
}

fn write(dom: &Dom, node: NodeId, join: &Join<'_>, mode: Mode) -> String {
    match dom.kind(node) {
        None => return String::new(),
        Some(NodeKind::Attribute | NodeKind::Text) if mode == Mode::Plain => {
            return dom.text_content(node).trim().to_owned();
        }
        Some(NodeKind::Attribute) => {
            let mut inline = Inline::new(mode);
            inline.text(&dom.text_content(node));
            return line_starts(&inline.take()).into_owned();
        }
        Some(_) => {}
    }
    let mut writer = Writer::new(dom, join, mode);
    writer.run(node);
    writer.blocks.finish()
}

/// What ends where an element ends.
enum Frame {
    Mark,
    Block,
    Quote,
    List,
    Item {
        is_written: bool,
    },
    /// A heading and the mode that it interrupted.
    Heading(usize),
    /// A quotation within a line.
    Quotation,
}

/// A list that is open.
struct List {
    /// The number of the next item; `None` for bullets.
    next: Option<u64>,
    /// What stands behind the number, or is the bullet.
    sign: char,
    is_loose: bool,
    /// What was written before it.
    start: usize,
    /// Whether it stands in an item of another one, behind something.
    is_inner: bool,
}

struct Writer<'a> {
    dom: &'a Dom,
    join: &'a Join<'a>,
    mode: Mode,
    inline: Inline,
    blocks: Blocks,
    /// What is open, with the ends of their ranges.
    open: Vec<(u32, Frame)>,
    lists: Vec<List>,
    /// The kind of the list that the last block was of, if a list right behind it would be read
    /// as one with it.
    last_list: Option<(bool, char)>,
    /// The next paragraph begins with this.
    task: Option<&'static str>,
}

impl<'a> Writer<'a> {
    fn new(dom: &'a Dom, join: &'a Join<'a>, mode: Mode) -> Self {
        Self {
            dom,
            join,
            mode,
            inline: Inline::new(mode),
            blocks: Blocks::default(),
            open: Vec::new(),
            lists: Vec::new(),
            last_list: None,
            task: None,
        }
    }

    fn run(&mut self, top: NodeId) {
        self.walk(top);
        self.close_until(u32::MAX);
        self.flush();
    }

    /// Reads a node and all that is in it.
    fn walk(&mut self, top: NodeId) {
        let dom = self.dom;
        let mut skip = 0;
        for node in dom.range(top.0..dom.end(top)) {
            if node.0 < skip {
                continue;
            }
            self.close_until(node.0);
            match dom.kind(node) {
                Some(NodeKind::Text) => self.text(dom.data(node).unwrap_or_default()),
                Some(NodeKind::Element) if self.element(node) == Inside::Skip => {
                    skip = dom.end(node);
                }
                _ => {}
            }
        }
    }

    fn close_until(&mut self, at: u32) {
        while let Some((_, frame)) = self.open.pop_if(|(end, _)| *end <= at) {
            match frame {
                Frame::Mark => self.inline.close(),
                Frame::Block => self.boundary(),
                Frame::Quotation => self.inline.text("\""),
                Frame::Heading(level) => self.end_heading(level),
                Frame::Quote => {
                    self.flush();
                    self.blocks.pop();
                    self.last_list = None;
                }
                Frame::Item { is_written } => self.end_item(is_written),
                Frame::List => {
                    self.flush();
                    self.blocks.set_gap(None);
                    self.last_list = self.lists.pop().map(|list| (list.next.is_some(), list.sign));
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        if self.inline.is_at_paragraph_end() && !text.trim().is_empty() {
            self.flush();
        }
        self.inline.text(text);
    }

    /// Whether blocks are not kept apart: in headings and cells.
    fn is_within_line(&self) -> bool {
        matches!(self.inline.mode, Mode::Heading | Mode::Cell)
    }

    /// The start or end of a block.
    fn boundary(&mut self) {
        if self.is_within_line() {
            self.inline.soft_break();
        } else {
            self.flush();
        }
    }

    /// Ends the paragraph.
    fn flush(&mut self) {
        let text = self.inline.take();
        if text.is_empty() {
            return;
        }
        let task = self.task.take().unwrap_or_default();
        match self.inline.mode {
            Mode::Plain => self.block(&text),
            _ => self.block(&format!("{task}{}", line_starts(&text))),
        }
    }

    fn block(&mut self, text: &str) {
        self.blocks.write(text);
        self.last_list = None;
    }

    /// Begins an element. Says whether what is in it is to be read.
    fn element(&mut self, node: NodeId) -> Inside {
        let dom = self.dom;
        let (end, name) = (dom.end(node), dom.name(node));
        if is_hidden(dom, node) {
            return Inside::Skip;
        }
        if let Some(mark) = self.mark(node, name) {
            self.inline.open(mark);
            self.open.push((end, Frame::Mark));
            return Inside::Read;
        }
        match name {
            "br" => self.inline.line_break(),
            "img" => self.image(node),
            "input" => self.check_box(node),
            "q" => {
                self.text("\"");
                self.open.push((end, Frame::Quotation));
            }
            "code" | "kbd" | "samp" | "tt" => {
                if self.inline.is_at_paragraph_end() {
                    self.flush();
                }
                self.inline.code(&dom.text_content(node));
                return Inside::Skip;
            }
            _ if is_block(name) => return self.start_block(node, name, end),
            _ => {}
        }
        Inside::Read
    }

    fn start_block(&mut self, node: NodeId, name: &str, end: u32) -> Inside {
        self.boundary();
        if self.is_within_line() {
            self.open.push((end, Frame::Block));
            return Inside::Read;
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" if self.mode != Mode::Plain => {
                self.inline.mode = Mode::Heading;
                self.open.push((end, Frame::Heading(usize::from(name.as_bytes()[1] - b'0'))));
            }
            "blockquote" if self.mode != Mode::Plain && self.blocks.quote() => {
                self.last_list = None;
                self.open.push((end, Frame::Quote));
            }
            "ul" | "ol" | "menu" | "dir" => self.start_list(node, name == "ol", end),
            "li" => self.start_item(node, end),
            "pre" | "listing" | "xmp" | "plaintext" => {
                self.code_block(node);
                return Inside::Skip;
            }
            "hr" => {
                // Behind a list's marker it would be no rule.
                if self.mode != Mode::Plain && !self.blocks.is_at_item_start() {
                    self.block("---");
                }
            }
            "table" => {
                if let Some(text) = table::markdown(self.dom, node, self.join, self.mode) {
                    if !text.is_empty() {
                        self.block(&text);
                    }
                    return Inside::Skip;
                }
                self.open.push((end, Frame::Block));
            }
            "dt" if self.mode != Mode::Plain => {
                self.open.push((end, Frame::Block));
                self.inline.open(Mark::Strong);
                self.open.push((end, Frame::Mark));
            }
            _ => self.open.push((end, Frame::Block)),
        }
        Inside::Read
    }

    fn end_heading(&mut self, level: usize) {
        let mut text = self.inline.take();
        self.inline.mode = self.mode;
        if text.is_empty() {
            return;
        }
        if text.ends_with('#') {
            text.insert(text.len() - 1, '\\');
        }
        self.block(&format!("{} {text}", "#".repeat(level)));
    }

    fn start_list(&mut self, node: NodeId, is_ordered: bool, end: u32) {
        let in_item = matches!(self.open.last(), Some((_, Frame::Item { .. })));
        let is_inner = in_item && !self.blocks.is_at_item_start();
        let start = self.dom.attr(node, "start").and_then(|start| start.trim().parse().ok());
        let signs = if is_ordered { ['.', ')'] } else { ['-', '*'] };
        // Side by side, two lists of one kind need different signs to be two.
        let sign = if self.last_list == Some((is_ordered, signs[0])) { signs[1] } else { signs[0] };
        let next = is_ordered.then_some(start.unwrap_or(1));
        let start = self.blocks.len();
        self.lists.push(List { next, sign, is_loose: false, start, is_inner });
        self.open.push((end, Frame::List));
    }

    fn start_item(&mut self, node: NodeId, end: u32) {
        let value = self.dom.attr(node, "value").and_then(|value| value.trim().parse().ok());
        let start = self.blocks.len();
        let mut bare = List { next: None, sign: '-', is_loose: false, start, is_inner: false };
        let list = self.lists.last_mut().unwrap_or(&mut bare);
        let (marker, begins) = match &mut list.next {
            None => (format!("{} ", list.sign), true),
            Some(next) => {
                // Nine digits are what the number may have.
                let number = value.unwrap_or(*next).min(999_999_999);
                *next = number + 1;
                (format!("{number}{} ", list.sign), number == 1)
            }
        };
        if list.start < start {
            self.blocks.set_gap(Some(if list.is_loose { Gap::Blank } else { Gap::Line }));
        } else if list.is_inner {
            // A list that begins with another number than 1 would be read as text.
            self.blocks.set_gap(Some(if begins { Gap::Line } else { Gap::Blank }));
        }
        let is_written = self.blocks.item(marker);
        self.open.push((end, Frame::Item { is_written }));
    }

    fn end_item(&mut self, is_written: bool) {
        self.flush();
        self.task = None;
        if !is_written {
            return;
        }
        if let Some(list) = self.lists.last_mut() {
            list.is_loose |= self.blocks.n_blocks() > 1;
        }
        self.blocks.pop();
    }

    fn check_box(&mut self, node: NodeId) {
        let kind = self.dom.attr(node, "type").unwrap_or_default();
        let is_first = self.inline.is_empty() && self.blocks.is_at_item_start();
        if kind.eq_ignore_ascii_case("checkbox") && is_first && self.mode == Mode::Paragraph {
            let checked = self.dom.attr(node, "checked").is_some();
            self.task = Some(if checked { "[x] " } else { "[ ] " });
        }
    }

    /// The mark that an element puts on its text.
    fn mark(&self, node: NodeId, name: &str) -> Option<Mark> {
        Some(match name {
            "b" | "strong" => Mark::Strong,
            "i" | "em" | "var" | "cite" | "dfn" => Mark::Emphasis,
            "s" | "del" | "strike" => Mark::Strike,
            "sup" => Mark::Superscript,
            "sub" => Mark::Subscript,
            "a" => self.link(node)?,
            _ => return None,
        })
    }

    fn link(&self, node: NodeId) -> Option<Mark> {
        let href = self.dom.attr(node, "href")?.trim_matches(|c: char| c <= ' ');
        let url = self.absolute(href)?;
        let title = title(self.dom.attr(node, "title"));
        let target = format!("{}{title}", destination(&url));
        Some(Mark::Link { target, is_local: href.starts_with('#') })
    }

    /// An address that leads somewhere, absolute.
    fn absolute(&self, reference: &str) -> Option<String> {
        if reference.len() > MAX_URL_BYTES || self.mode == Mode::Plain {
            return None;
        }
        let url = (self.join)(reference).filter(|url| url.len() <= MAX_URL_BYTES)?;
        let scheme = url.split(':').next().unwrap_or_default();
        let leads = !["javascript", "vbscript", "data", "blob", "about"].contains(&scheme);
        leads.then_some(url)
    }

    fn image(&mut self, node: NodeId) {
        let dom = self.dom;
        let attr = |name| dom.attr(node, name).map(str::trim).filter(|value| !value.is_empty());
        let is_dot = ["width", "height"].iter().all(|side| matches!(attr(side), Some("0" | "1")));
        // Where scripts load pictures late, the address stands elsewhere.
        let sources = ["src", "data-src", "data-original", "data-lazy-src"].into_iter();
        let set = || attr("srcset").and_then(|set| set.split_ascii_whitespace().next());
        let mut urls = sources.filter_map(attr).chain(set()).filter_map(|src| self.absolute(src));
        if let Some(url) = urls.next().filter(|_| !is_dot) {
            let mut alt = Inline::new(self.inline.mode);
            alt.text(attr("alt").unwrap_or_default());
            let title = title(attr("title"));
            if self.inline.is_at_paragraph_end() {
                self.flush();
            }
            self.inline.raw(&format!("![{}]({}{title})", alt.take(), destination(&url)));
        }
    }

    /// Preformatted text, fenced.
    fn code_block(&mut self, node: NodeId) {
        let code = preformatted(self.dom, node);
        let code = code.trim_matches('\n');
        if code.trim().is_empty() {
            return;
        }
        if self.mode == Mode::Plain {
            self.block(code);
            return;
        }
        let fence = "`".repeat(longest_run(code, '`').max(2) + 1);
        let language = language(self.dom, node);
        self.block(&format!("{fence}{language}\n{code}\n{fence}"));
    }
}

/// Whether what is in an element is to be read.
#[derive(PartialEq, Eq)]
enum Inside {
    Read,
    Skip,
}
