//! Follows whether tags stand in SVG or MathML, where other rules hold.
//!
//! There `<title>` is a tooltip, `<style>` is no raw text and CDATA sections exist. The rule
//! proper needs the tree builder's stack of open elements (HTML Standard, section 13.2.6.5); this
//! is its part that matters: the foreign roots, the places inside them where HTML is allowed
//! again, and the HTML tags that end them.

use super::attrs::is_self_closing;

/// Roots and integration points that are open, outermost first.
#[derive(Default)]
pub(crate) struct Foreign<'a> {
    open: Vec<(&'a str, Content)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Svg,
    Math,
    Html,
}

/// Nesting that is followed; what is deeper counts as what it stands in.
const MAX_DEPTH: usize = 512;

impl<'a> Foreign<'a> {
    /// Whether the next tag stands in foreign content.
    pub(crate) fn is_inside(&self) -> bool {
        self.open.last().is_some_and(|(_, content)| *content != Content::Html)
    }

    /// Notes a start tag; returns whether its element is a foreign one.
    pub(crate) fn start(&mut self, name: &'a str, region: &str) -> bool {
        if self.open.is_empty() && !is_root(name) {
            return false; // the usual case first
        }
        if self.is_inside() && breaks_out(name, region) {
            self.break_out();
        }
        let inside = self.open.last().map_or(Content::Html, |(_, content)| *content);
        let opens = match inside {
            Content::Html => root(name),
            Content::Svg if is_one_of(name, &["foreignObject", "desc", "title"]) => {
                Some(Content::Html)
            }
            Content::Math if is_one_of(name, &["mi", "mo", "mn", "ms", "mtext"]) => {
                Some(Content::Html)
            }
            Content::Math if is_html_annotation(name, region) => Some(Content::Html),
            Content::Svg | Content::Math => root(name),
        };
        if let Some(content) = opens
            && !is_self_closing(region)
            && self.open.len() < MAX_DEPTH
        {
            self.open.push((name, content));
        }
        inside != Content::Html || opens.is_some()
    }

    /// Notes an end tag; returns whether it stood in foreign content.
    pub(crate) fn end(&mut self, name: &str) -> bool {
        if self.open.is_empty() {
            return false;
        }
        let was_inside = self.is_inside();
        if let Some(at) = self.open.iter().rposition(|(open, _)| open.eq_ignore_ascii_case(name)) {
            self.open.truncate(at);
        } else if was_inside && breaks_out(name, "") {
            self.break_out();
        }
        was_inside
    }

    fn break_out(&mut self) {
        while self.is_inside() {
            self.open.pop();
        }
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|n| name.eq_ignore_ascii_case(n))
}

fn is_root(name: &str) -> bool {
    root(name).is_some()
}

fn root(name: &str) -> Option<Content> {
    if name.eq_ignore_ascii_case("svg") {
        Some(Content::Svg)
    } else if name.eq_ignore_ascii_case("math") {
        Some(Content::Math)
    } else {
        None
    }
}

fn is_html_annotation(name: &str, region: &str) -> bool {
    name.eq_ignore_ascii_case("annotation-xml") && region.to_ascii_lowercase().contains("html")
}

/// HTML tags that end foreign content by standing in it.
fn breaks_out(name: &str, region: &str) -> bool {
    const NAMES: [&str; 44] = [
        "b",
        "big",
        "blockquote",
        "body",
        "br",
        "center",
        "code",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "embed",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "head",
        "hr",
        "i",
        "img",
        "li",
        "listing",
        "menu",
        "meta",
        "nobr",
        "ol",
        "p",
        "pre",
        "ruby",
        "s",
        "small",
        "span",
        "strong",
        "strike",
        "sub",
        "sup",
        "table",
        "tt",
        "u",
        "ul",
        "var",
    ];
    if name.eq_ignore_ascii_case("font") {
        let region = region.to_ascii_lowercase();
        return ["color", "face", "size"].iter().any(|attr| region.contains(attr));
    }
    is_one_of(name, &NAMES)
}
