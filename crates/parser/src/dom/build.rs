//! Runs html5ever over a text, and keeps hostile documents cheap.
//!
//! html5ever walks its stack of open elements at nearly every tag, so its cost grows with the
//! square of the nesting depth (512 KB of nested tags: 94 s), and misnested formatting tags can
//! make it create far more elements than there are tags. So a [`Guard`] stands between its
//! tokenizer and its tree builder: like browsers it lets nothing nest deeper than 512 (what is
//! deeper stands beside instead of inside), and it ends a document that has made too many nodes.
//! The [`Sink`] keeps attributes in the order of the document, where scraper's own sorts them.

use std::borrow::Cow;
use std::cell::{Cell, Ref, RefCell};
use std::ops::Range;

use html5ever::interface::Tracer;
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};
use html5ever::tree_builder::{
    ElementFlags, NodeOrText, QuirksMode, TreeBuilder, TreeBuilderOpts, TreeSink,
};
use html5ever::{Attribute, LocalName, QualName, TokenizerResult, expanded_name, local_name, ns};
use scraper::node::Element;
use scraper::{Html, HtmlTreeSink, Node};

use super::TreeId;

/// Open elements (with those to be reopened) beyond which elements no longer nest, as in
/// browsers.
const MAX_DEPTH: usize = 512;

/// NULs beyond which a document is junk that calls itself HTML. Each is a token of its own with an
/// error of its own, a thousand times the work of a letter; so in junk they are letters, namely
/// what they become in most places anyway (HTML Standard, section 13.2.5).
const MAX_NULS: usize = 1024;

/// Which form controls belong to which forms: pairs of control and form.
///
/// The tree alone does not say: in `<table><form><tr><td><input>` the form element is empty, and
/// the input its own all the same (HTML Standard, section 13.2.6.1, "create an element for a
/// token").
pub(super) type FormOwners = Vec<(TreeId, TreeId)>;

/// Builds scraper's tree of an HTML document, without the given parts of its text.
pub(super) fn html(text: &str, without: &[Range<usize>]) -> (Html, FormOwners) {
    let tokenizer = Tokenizer::new(Guard::new(text.len()), TokenizerOpts::default());
    let input = BufferQueue::default();
    let is_junk = memchr::memchr_iter(0, text.as_bytes()).nth(MAX_NULS).is_some();
    let push = |text: &str| {
        let text = if is_junk { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text.into() };
        input.push_back(StrTendril::from_slice(&text));
    };
    let mut done = 0;
    for part in without {
        push(&text[done..part.start]);
        done = part.end;
    }
    push(&text[done..]);
    // It stops at each script and each encoding declaration; neither matters here.
    while !matches!(tokenizer.feed(&input), TokenizerResult::Done) {}
    tokenizer.end();
    tokenizer.sink.builder.sink.finish()
}

/// What becomes of a tag.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Passage {
    /// It is passed on.
    Open,
    /// It is passed on and closed at once: what follows stands beside it.
    Shut,
    /// It is left out.
    Dropped,
}

/// Passes tokens on to the tree builder, but for those that would make the tree too deep or too
/// large.
struct Guard {
    builder: TreeBuilder<TreeId, Sink>,
    /// Elements that may still be opened before the open elements have to be counted.
    slack: Cell<usize>,
    /// Elements closed at once, whose end tags are to be passed over.
    shut: RefCell<Vec<(LocalName, u32)>>,
    /// Nodes the tree may have.
    max_nodes: usize,
    /// `html` and `body` tags so far: each one merges its attributes into the first.
    roots: Cell<u32>,
}

impl Guard {
    fn new(len: usize) -> Self {
        let options = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
        Self {
            builder: TreeBuilder::new(Sink::new(), options),
            slack: Cell::new(MAX_DEPTH),
            shut: RefCell::default(),
            // A tag and its text take some bytes each; reopened formatting comes on top.
            max_nodes: len / 2 + 10_000,
            roots: Cell::new(0),
        }
    }

    fn passage(&self, tag: &Tag) -> Passage {
        match tag.kind {
            _ if self.is_full() => Passage::Dropped,
            TagKind::StartTag if matches!(&*tag.name, "html" | "body") => {
                self.roots.set(self.roots.get() + 1);
                if self.roots.get() <= 64 { Passage::Open } else { Passage::Dropped }
            }
            TagKind::StartTag if is_leaf(&tag.name) || self.has_room() => Passage::Open,
            TagKind::StartTag => self.shut(&tag.name),
            TagKind::EndTag if self.was_shut(&tag.name) => Passage::Dropped,
            TagKind::EndTag => Passage::Open,
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

    /// Notes that an end tag of this name will have nothing to close.
    fn shut(&self, name: &LocalName) -> Passage {
        let mut shut = self.shut.borrow_mut();
        if let Some((_, count)) = shut.iter_mut().find(|(n, _)| n == name) {
            *count += 1;
        } else if shut.len() < 64 {
            // Made-up names are few in honest documents.
            shut.push((name.clone(), 1));
        }
        Passage::Shut
    }

    fn was_shut(&self, name: &LocalName) -> bool {
        let mut shut = self.shut.borrow_mut();
        match shut.iter_mut().find(|(n, count)| n == name && *count > 0) {
            Some((_, count)) => {
                *count -= 1;
                true
            }
            None => false,
        }
    }

    fn is_full(&self) -> bool {
        self.builder.sink.inner.0.borrow().tree.nodes().len() > self.max_nodes
    }
}

impl TokenSink for Guard {
    type Handle = TreeId;

    fn process_token(&self, token: Token, line_number: u64) -> TokenSinkResult<TreeId> {
        let passage = match &token {
            Token::TagToken(tag) => self.passage(tag),
            Token::CharacterTokens(_) | Token::CommentToken(_) if self.is_full() => {
                Passage::Dropped
            }
            _ => Passage::Open,
        };
        match (passage, token) {
            (Passage::Dropped, _) => TokenSinkResult::Continue,
            (Passage::Shut, Token::TagToken(tag)) => {
                let end = Tag { kind: TagKind::EndTag, attrs: Vec::new(), ..tag.clone() };
                let _ = self.builder.process_token(Token::TagToken(tag), line_number);
                self.builder.process_token(Token::TagToken(end), line_number)
            }
            (_, token) => self.builder.process_token(token, line_number),
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

/// Builds scraper's tree with attributes in the order of the document.
struct Sink {
    inner: HtmlTreeSink,
    owners: RefCell<FormOwners>,
}

impl Sink {
    fn new() -> Self {
        Self { inner: HtmlTreeSink::new(Html::new_document()), owners: RefCell::default() }
    }
}

impl TreeSink for Sink {
    type Output = (Html, FormOwners);
    type Handle = TreeId;
    type ElemName<'a> = Ref<'a, QualName>;

    fn create_element(&self, name: QualName, attrs: Vec<Attribute>, _: ElementFlags) -> TreeId {
        let is_template = name.expanded() == expanded_name!(html "template");
        let mut element = Element::new(name, Vec::new());
        element.attrs = attrs.into_iter().map(|attr| (attr.name, attr.value)).collect();
        let mut html = self.inner.0.borrow_mut();
        let mut node = html.tree.orphan(Node::Element(element));
        if is_template {
            node.append(Node::Fragment);
        }
        node.id()
    }

    fn add_attrs_if_missing(&self, target: &TreeId, attrs: Vec<Attribute>) {
        let mut html = self.inner.0.borrow_mut();
        let Some(mut node) = html.tree.get_mut(*target) else { return };
        let Node::Element(element) = node.value() else { return };
        for attr in attrs {
            if element.attrs.iter().all(|(name, _)| *name != attr.name) {
                element.attrs.push((attr.name, attr.value));
            }
        }
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &TreeId) -> bool {
        let html = self.inner.0.borrow();
        let element = html.tree.get(*target).and_then(|node| node.value().as_element());
        element.is_some_and(|element| {
            element.attrs.iter().any(|(name, value)| {
                let is_html = ["text/html", "application/xhtml+xml"]
                    .iter()
                    .any(|html| value.eq_ignore_ascii_case(html));
                *name.local == *"encoding" && is_html
            })
        })
    }

    fn allow_declarative_shadow_roots(&self, _: &TreeId) -> bool {
        false
    }

    fn associate_with_form(&self, target: &TreeId, form: &TreeId, _: (&TreeId, Option<&TreeId>)) {
        self.owners.borrow_mut().push((*target, *form));
    }

    fn finish(self) -> (Html, FormOwners) {
        (self.inner.finish(), self.owners.into_inner())
    }

    // What follows is scraper's.

    fn parse_error(&self, message: Cow<'static, str>) {
        self.inner.parse_error(message);
    }

    fn get_document(&self) -> TreeId {
        self.inner.get_document()
    }

    fn elem_name<'a>(&'a self, target: &'a TreeId) -> Ref<'a, QualName> {
        self.inner.elem_name(target)
    }

    fn create_comment(&self, text: StrTendril) -> TreeId {
        self.inner.create_comment(text)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> TreeId {
        self.inner.create_pi(target, data)
    }

    fn append(&self, parent: &TreeId, child: NodeOrText<TreeId>) {
        self.inner.append(parent, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &TreeId,
        prev_element: &TreeId,
        child: NodeOrText<TreeId>,
    ) {
        self.inner.append_based_on_parent_node(element, prev_element, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.inner.append_doctype_to_document(name, public, system);
    }

    fn get_template_contents(&self, target: &TreeId) -> TreeId {
        self.inner.get_template_contents(target)
    }

    fn same_node(&self, x: &TreeId, y: &TreeId) -> bool {
        self.inner.same_node(x, y)
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.inner.set_quirks_mode(mode);
    }

    fn append_before_sibling(&self, sibling: &TreeId, new_node: NodeOrText<TreeId>) {
        self.inner.append_before_sibling(sibling, new_node);
    }

    fn remove_from_parent(&self, target: &TreeId) {
        self.inner.remove_from_parent(target);
    }

    fn reparent_children(&self, node: &TreeId, new_parent: &TreeId) {
        self.inner.reparent_children(node, new_parent);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use crawl_spider::NodeId;

    use super::super::Dom;
    use super::*;
    use crate::css::compile;

    #[test]
    fn a_few_nuls_are_dropped_and_a_page_of_them_is_cheap() {
        let dom = Dom::html("<p>a\0b", &[]);
        assert_eq!(dom.text_content(select(&dom, "p")[0]), "ab");
        let dom = stays_cheap("\0");
        assert!(dom.text_content(dom.document()).starts_with('\u{fffd}'));
    }

    fn select(dom: &Dom, css: &str) -> Vec<NodeId> {
        compile(css).unwrap().select(dom, None)
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
        let dom = Dom::html(&text, &[]);
        // Unoptimised and with other tests beside it; without the guard it is minutes.
        let limit = Duration::from_secs(if cfg!(debug_assertions) { 20 } else { 1 });
        assert!(start.elapsed() < limit, "{unit}: {:?}", start.elapsed());
        dom
    }

    #[test]
    fn deep_nesting_costs_no_more_than_flat_text() {
        let dom = stays_cheap("<div>");
        let divs = select(&dom, "div");
        assert!(divs.len() > 20_000, "{}", divs.len());
        let depth = divs.iter().map(|&div| dom.ancestors(div).count()).max().unwrap();
        assert!((400..=MAX_DEPTH + 4).contains(&depth), "{depth}");
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
        let dom = Dom::html(&"<p>x<li>y".repeat(5000), &[]);
        assert_eq!(select(&dom, "p").len(), 5000);
        let dom = Dom::html(&"<table><tr><td>x</table>".repeat(3000), &[]);
        assert_eq!(select(&dom, "td").len(), 3000);
    }

    #[test]
    fn what_follows_a_deep_part_is_where_it_belongs() {
        let deep = format!("<main>{}x{}</main>", "<ul>".repeat(2000), "</ul>".repeat(2000));
        let dom = Dom::html(&format!("<body>{deep}<p id=after>y"), &[]);
        assert_eq!(select(&dom, "body > #after").len(), 1);
    }

    #[test]
    fn answers_come_in_document_order() {
        // The paragraph is moved before the table that it stands in.
        let dom =
            Dom::html("<i id=1></i><table><tr><td><i id=3></i></td></tr><i id=2></i></table>", &[]);
        let ids: Vec<_> = select(&dom, "i").into_iter().filter_map(|n| dom.attr(n, "id")).collect();
        assert_eq!(ids, ["1", "2", "3"]);
        let html = Html::parse_document(
            "<i id=1></i><table><tr><td><i id=3></i></td></tr><i id=2></i></table>",
        );
        let created: Vec<_> = html.select(&scraper::Selector::parse("i").unwrap()).collect();
        assert_eq!(created[1].attr("id"), Some("3"), "scraper now sorts by itself");
    }

    #[test]
    fn scripting_is_off() {
        let dom = Dom::html("<body><noscript><a href=x>y</a></noscript>", &[]);
        assert_eq!(select(&dom, "noscript > a").len(), 1);
    }

    #[test]
    fn unknown_handles_are_empty() {
        let dom = Dom::html("<p>x", &[]);
        let id = NodeId(9999);
        assert_eq!((dom.text_content(id), dom.attr(id, "x")), (Cow::Borrowed(""), None));
        assert_eq!((dom.outer(id), dom.name(id)), (String::new(), ""));
        assert!(compile("p").unwrap().select(&dom, Some(id)).is_empty());
    }

    #[test]
    fn parts_can_be_left_out() {
        let dom = Dom::html("<p a b c>x", std::slice::from_ref(&(4..8)));
        let p = select(&dom, "p")[0];
        assert_eq!((dom.attr(p, "a"), dom.attr(p, "c")), (Some(""), None));
    }
}
