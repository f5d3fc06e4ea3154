//! The document tree, for what selectors ask.
//!
//! Built once per page and only if a selector is used, for it costs ten times what the streaming
//! pass does. scraper and html5ever do the work; what is added here keeps hostile documents
//! cheap. html5ever walks its stack of open elements at nearly every tag, so its cost grows with
//! the square of the nesting depth (512 KB of nested tags: 94 s), and misnested formatting tags
//! can make it create far more elements than there are tags. So a [`Guard`] stands between its
//! tokenizer and its tree builder: like browsers it lets nothing nest deeper than 512, and it
//! ends a document that has made too many nodes.
//!
//! The tree lies in one vector, and nothing here recurses over it, drop included.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::ops::Range;

use crawl_spider::NodeId;
use html5ever::LocalName;
use html5ever::TokenizerResult;
use html5ever::interface::Tracer;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink};
use scraper::html::HtmlTreeSink;
use scraper::{ElementRef, Html, Selector};

/// A node's name inside the tree.
type TreeId = <HtmlTreeSink as TreeSink>::Handle;

/// Open elements (with those to be reopened) beyond which start tags are passed over, as in
/// browsers.
const MAX_DEPTH: usize = 512;

/// A document tree.
pub(crate) struct Dom {
    html: Html,
    /// All nodes by creation: the index is the [`NodeId`].
    ids: Vec<TreeId>,
}

impl Dom {
    /// Builds the tree of an HTML document, without the given parts of its text.
    pub(crate) fn build(text: &str, without: &[Range<usize>]) -> Self {
        let guard = Guard::new(text.len());
        let tokenizer = Tokenizer::new(guard, TokenizerOpts::default());
        let input = BufferQueue::default();
        let mut done = 0;
        for part in without {
            input.push_back(StrTendril::from_slice(&text[done..part.start]));
            done = part.end;
        }
        input.push_back(StrTendril::from_slice(&text[done..]));
        // It stops at each script and each encoding declaration; neither matters here.
        while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
        tokenizer.end();
        let html = tokenizer.sink.builder.sink.finish();
        let ids = html.tree.nodes().map(|node| node.id()).collect();
        Self { html, ids }
    }

    /// Elements that match, in document order: descendants of `root`, or of the document.
    pub(crate) fn select(&self, selector: &Selector, root: Option<NodeId>) -> Vec<NodeId> {
        let mut found = Vec::new();
        let root = match root {
            Some(id) => match self.element(id) {
                Some(element) => element,
                None => return found,
            },
            None => {
                let mut top = self.html.tree.root().children().filter_map(ElementRef::wrap);
                let Some(element) = top.next() else { return found };
                if selector.matches(&element) {
                    found.extend(self.handle(element));
                }
                element
            }
        };
        // `Html::select` would answer in the order of creation, which misnested tables and
        // formatting change.
        found.extend(root.select(selector).filter_map(|element| self.handle(element)));
        found
    }

    fn handle(&self, element: ElementRef<'_>) -> Option<NodeId> {
        let index = self.ids.binary_search(&element.id()).ok()?;
        u32::try_from(index).ok().map(NodeId)
    }

    fn element(&self, id: NodeId) -> Option<ElementRef<'_>> {
        let id = *self.ids.get(id.0 as usize)?;
        self.html.tree.get(id).and_then(ElementRef::wrap)
    }

    /// The text of all descendants; borrowed if it is one piece.
    pub(crate) fn text_content(&self, id: NodeId) -> Cow<'_, str> {
        let Some(element) = self.element(id) else { return Cow::Borrowed("") };
        let mut pieces = element.text();
        let Some(first) = pieces.next() else { return Cow::Borrowed("") };
        let Some(second) = pieces.next() else { return Cow::Borrowed(first) };
        let mut text = [first, second].concat();
        pieces.for_each(|piece| text.push_str(piece));
        Cow::Owned(text)
    }

    /// An attribute's value.
    pub(crate) fn attr(&self, id: NodeId, name: &str) -> Option<&str> {
        let attrs = &self.element(id)?.value().attrs;
        let is_it = |key: &html5ever::QualName| key.ns.is_empty() && *key.local == *name;
        attrs.iter().find(|(key, _)| is_it(key)).map(|(_, value)| &**value)
    }

    /// The element as HTML.
    pub(crate) fn html(&self, id: NodeId) -> String {
        self.element(id).map(|element| element.html()).unwrap_or_default()
    }

    /// The element's name.
    pub(crate) fn tag(&self, id: NodeId) -> &str {
        self.element(id).map(|element| element.value().name()).unwrap_or_default()
    }
}

/// Passes tokens on to the tree builder, but for those that would make the tree too deep or too
/// large.
struct Guard {
    builder: TreeBuilder<TreeId, HtmlTreeSink>,
    /// Start tags that may still be passed on before the open elements have to be counted.
    slack: Cell<usize>,
    /// Start tags passed over whose end tags are to be passed over, too.
    skipped: RefCell<Vec<(LocalName, u32)>>,
    /// Nodes the tree may have.
    max_nodes: usize,
    /// `html` and `body` tags so far: each one merges its attributes into the first.
    roots: Cell<u32>,
}

impl Guard {
    fn new(len: usize) -> Self {
        let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        Self {
            builder: TreeBuilder::new(HtmlTreeSink::new(Html::new_document()), options),
            slack: Cell::new(MAX_DEPTH),
            skipped: RefCell::default(),
            // A tag and its text take some bytes each; reopened formatting comes on top.
            max_nodes: len / 2 + 10_000,
            roots: Cell::new(0),
        }
    }

    /// Whether a tag is passed on.
    fn admits(&self, tag: &Tag) -> bool {
        match tag.kind {
            TagKind::StartTag if matches!(&*tag.name, "html" | "body") => {
                self.roots.set(self.roots.get() + 1);
                self.roots.get() <= 64
            }
            TagKind::StartTag if is_leaf(&tag.name) => true,
            TagKind::StartTag => self.has_room() || self.skip(&tag.name),
            TagKind::EndTag => !self.was_skipped(&tag.name),
        }
    }

    /// Whether one more element may be opened. Counting is costly, so it is done only when as
    /// many start tags have passed as there was room for.
    fn has_room(&self) -> bool {
        if self.slack.get() == 0 {
            let open = Count(Cell::new(0));
            self.builder.trace_handles(&open);
            self.slack.set(MAX_DEPTH.saturating_sub(open.0.get()));
        }
        let slack = self.slack.get();
        // A tag may open more than itself (`td` opens a row and a table body, too).
        self.slack.set(slack.saturating_sub(4));
        slack > 0
    }

    fn skip(&self, name: &LocalName) -> bool {
        let mut skipped = self.skipped.borrow_mut();
        if let Some((_, count)) = skipped.iter_mut().find(|(n, _)| n == name) {
            *count += 1;
        } else if skipped.len() < 64 {
            // Made-up names are few in honest documents.
            skipped.push((name.clone(), 1));
        }
        false
    }

    fn was_skipped(&self, name: &LocalName) -> bool {
        let mut skipped = self.skipped.borrow_mut();
        match skipped.iter_mut().find(|(n, count)| n == name && *count > 0) {
            Some((_, count)) => {
                *count -= 1;
                true
            }
            None => false,
        }
    }

    fn is_full(&self) -> bool {
        self.builder.sink.0.borrow().tree.nodes().len() > self.max_nodes
    }
}

impl TokenSink for Guard {
    type Handle = TreeId;

    fn process_token(&self, token: Token, line_number: u64) -> TokenSinkResult<TreeId> {
        let passes = match &token {
            Token::TagToken(tag) => self.admits(tag) && !self.is_full(),
            Token::CharacterTokens(_) | Token::CommentToken(_) => !self.is_full(),
            Token::DoctypeToken(_)
            | Token::NullCharacterToken
            | Token::EOFToken
            | Token::ParseError(_) => true,
        };
        if passes {
            self.builder.process_token(token, line_number)
        } else {
            TokenSinkResult::Continue
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Counts the elements that the tree builder holds on to.
struct Count(Cell<usize>);

impl Tracer for Count {
    type Handle = TreeId;

    fn trace_handle(&self, _: &TreeId) {
        self.0.set(self.0.get() + 1);
    }
}

/// Elements that cannot hold others: void ones, and those whose content is no markup.
fn is_leaf(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
            | "script"
            | "style"
            | "title"
            | "textarea"
            | "xmp"
            | "iframe"
            | "noembed"
            | "noframes"
            | "plaintext"
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn select(dom: &Dom, css: &str) -> Vec<NodeId> {
        dom.select(&Selector::parse(css).unwrap(), None)
    }

    /// Builds a document of `unit` (numbered where it says `#`) and checks what it costs.
    #[track_caller]
    fn stays_cheap(unit: &str) -> Dom {
        // The full size where the compiler optimises; a fourth tells quadratic from linear, too.
        let size = if cfg!(debug_assertions) { 128 * 1024 } else { 512 * 1024 };
        let mut text = String::new();
        let mut n = 0;
        while text.len() < size {
            text.push_str(&unit.replace('#', &n.to_string()));
            n += 1;
        }
        let start = Instant::now();
        let dom = Dom::build(&text, &[]);
        // Unoptimised and with other tests beside it; without the guard it is minutes.
        let limit = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 1 });
        assert!(start.elapsed() < limit, "{unit}: {:?}", start.elapsed());
        dom
    }

    #[test]
    fn deep_nesting_costs_no_more_than_flat_text() {
        let dom = stays_cheap("<div>");
        let n = select(&dom, "div").len();
        assert!((400..=MAX_DEPTH).contains(&n), "{n}");
        for unit in ["<span>", "<b>", "<table>", "<ul><li>", "<svg>", "<div x=#>y</p>"] {
            stays_cheap(unit);
        }
    }

    #[test]
    fn misnested_formatting_stays_cheap() {
        for unit in ["<b x=#><p>", "<b x=#></p><p>", "<a><div>", "<font size=#><table><td>"] {
            stays_cheap(unit);
        }
        stays_cheap("<html a#=1>");
    }

    #[test]
    fn unclosed_paragraphs_and_items_are_not_deep() {
        let dom = Dom::build(&"<p>x<li>y".repeat(5000), &[]);
        assert_eq!(select(&dom, "p").len(), 5000);
        let dom = Dom::build(&"<table><tr><td>x</table>".repeat(3000), &[]);
        assert_eq!(select(&dom, "td").len(), 3000);
    }

    #[test]
    fn what_follows_a_deep_part_is_where_it_belongs() {
        let deep = format!("<main>{}x{}</main>", "<ul>".repeat(2000), "</ul>".repeat(2000));
        let dom = Dom::build(&format!("<body>{deep}<p id=after>y"), &[]);
        assert_eq!(select(&dom, "body > #after").len(), 1);
    }

    #[test]
    fn answers_come_in_document_order() {
        // The paragraph is moved before the table that it stands in.
        let dom = Dom::build(
            "<i id=1></i><table><tr><td><i id=3></i></td></tr><i id=2></i></table>",
            &[],
        );
        let ids: Vec<_> = select(&dom, "i").into_iter().filter_map(|n| dom.attr(n, "id")).collect();
        assert_eq!(ids, ["1", "2", "3"]);
        let html = Html::parse_document(
            "<i id=1></i><table><tr><td><i id=3></i></td></tr><i id=2></i></table>",
        );
        let created: Vec<_> = html.select(&Selector::parse("i").unwrap()).collect();
        assert_eq!(created[1].attr("id"), Some("3"), "scraper now sorts by itself");
    }

    #[test]
    fn scripting_is_off() {
        let dom = Dom::build("<body><noscript><a href=x>y</a></noscript>", &[]);
        assert_eq!(select(&dom, "noscript > a").len(), 1);
    }

    #[test]
    fn unknown_handles_are_empty() {
        let dom = Dom::build("<p>x", &[]);
        let id = NodeId(9999);
        assert_eq!((dom.text_content(id), dom.attr(id, "x")), (Cow::Borrowed(""), None));
        assert_eq!((dom.html(id), dom.tag(id)), (String::new(), ""));
        assert!(dom.select(&Selector::parse("p").unwrap(), Some(id)).is_empty());
    }

    #[test]
    fn parts_can_be_left_out() {
        let dom = Dom::build("<p a b c>x", std::slice::from_ref(&(4..8)));
        let p = select(&dom, "p")[0];
        assert_eq!((dom.attr(p, "a"), dom.attr(p, "c")), (Some(""), None));
    }
}
