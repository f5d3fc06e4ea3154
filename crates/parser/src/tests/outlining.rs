//! What one pass reports is what the tree says, event by event, or it says that it cannot tell.

mod matched;
mod mutated;
mod nesting;
mod skimmed;

use std::collections::BTreeMap;

use crawl_spider::NodeId;
use html5ever::ns;

use crate::decode::decode;
use crate::decode::kind::Kind;
use crate::dom::{Dom, NodeKind};
use crate::links::collect::{Collected, LinkTexts, RawLink};
use crate::links::head::HeadReader;
use crate::links::kinds::{Kinds, LinkSource};
use crate::links::resolve::Resolver;
use crate::links::stream::Links;
use crate::links::tree;
use crate::markup::charref::decode_attribute;
use crate::markup::events::{Consumer, Space, Text};
use crate::markup::outline::{self, Ambiguous};
use crate::markup::scan::Start;
use crate::view::metadata::{of_stream, of_tree};

/// What a reader of a document sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// Namespace, name and attributes, names in lower case.
    Open(Space, String, BTreeMap<String, String>),
    Text(String),
    Close,
}

/// Notes what it is told.
#[derive(Default)]
pub(super) struct Recorder {
    pub(super) events: Vec<Event>,
    is_quirky: bool,
}

impl Recorder {
    fn push_text(&mut self, text: &str) {
        match self.events.last_mut() {
            Some(Event::Text(before)) => before.push_str(text),
            _ => self.events.push(Event::Text(text.to_owned())),
        }
    }
}

impl<'a> Consumer<'a> for Recorder {
    fn begin(&mut self, is_quirky: bool) {
        self.is_quirky = is_quirky;
    }

    fn open(&mut self, tag: &Start<'a>, space: Space) {
        assert_eq!(tag.foreign, space != Space::Html);
        let mut attrs = BTreeMap::new();
        for (name, value) in tag.attrs() {
            let value = decode_attribute(value).into_owned();
            attrs.entry(name.to_ascii_lowercase()).or_insert(value);
        }
        self.events.push(Event::Open(space, tag.name.to_ascii_lowercase(), attrs));
    }

    fn text(&mut self, text: Text<'a>) {
        assert!(!text.written().is_empty());
        self.push_text(&text.decoded());
    }

    fn close(&mut self) {
        self.events.push(Event::Close);
    }
}

/// What the tree says.
pub(super) fn events_of_tree(dom: &Dom) -> Vec<Event> {
    let mut seen = Recorder::default();
    let mut open: Vec<u32> = Vec::new();
    for node in dom.descendants(dom.document()) {
        while open.last().is_some_and(|&end| end <= node.0) {
            open.pop();
            seen.events.push(Event::Close);
        }
        match dom.kind(node) {
            Some(NodeKind::Element) => {
                open.push(dom.end(node));
                seen.events.push(event_of(dom, node));
            }
            Some(NodeKind::Text) => seen.push_text(dom.data(node).unwrap()),
            _ => {}
        }
    }
    seen.events.extend(open.iter().map(|_| Event::Close));
    seen.events
}

fn event_of(dom: &Dom, node: NodeId) -> Event {
    let space = match *dom.namespace(node) {
        ns!(svg) => Space::Svg,
        ns!(mathml) => Space::Math,
        _ => Space::Html,
    };
    let attrs = dom.attributes(node).map(|attr| {
        let (name, value) = dom.attribute(attr).unwrap();
        let prefix = match name.ns {
            ns!(xlink) => "xlink:",
            ns!(xml) => "xml:",
            ns!(xmlns) if *name.local != *"xmlns" => "xmlns:",
            _ => "",
        };
        (format!("{prefix}{}", name.local).to_ascii_lowercase(), value.to_owned())
    });
    Event::Open(space, dom.name(node).to_ascii_lowercase(), attrs.collect())
}

/// Whether one pass could read it; panics if it then says another thing than the tree.
#[track_caller]
pub(super) fn agrees(html: &str) -> Result<(), Ambiguous> {
    let mut seen = Recorder::default();
    let extent = outline::read(html, &mut seen)?;
    let dom = Dom::html(html, &[]);
    assert_eq!((extent.is_quirky, seen.is_quirky), (dom.is_quirky(), dom.is_quirky()), "{html}");
    let expected = events_of_tree(&dom);
    if seen.events != expected {
        let at = seen.events.iter().zip(&expected).take_while(|(a, b)| a == b).count();
        let (a, b) = (&seen.events[at.saturating_sub(2)..], &expected[at.saturating_sub(2)..]);
        panic!(
            "{html:?}\ndiffers at event {at}: the pass says\n{:#?}\nand the tree\n{:#?}",
            &a[..a.len().min(6)],
            &b[..b.len().min(6)]
        );
    }
    links_agree(html, &dom);
    metadata_agrees(html, &dom);
    Ok(())
}

/// All kinds of links, their texts and the metadata are the same by the stream and the tree.
#[track_caller]
fn links_agree(html: &str, dom: &Dom) {
    use LinkSource::*;
    let kinds: Kinds =
        [A, Area, Refresh, Link, Img, Srcset, Script, Iframe, Form, Css].into_iter().collect();
    for texts in [LinkTexts::Whole, LinkTexts::Short, LinkTexts::None] {
        let mut links = Links::new(kinds, texts);
        outline::read(html, &mut links).unwrap();
        let (stream, tree) = (links.finish(), tree::collect(dom, kinds, texts));
        assert_eq!(plain(&stream), plain(&tree), "{html:?}");
        if texts == LinkTexts::Whole {
            texts_are_those_of_the_tree(&stream, dom);
        }
    }
}

#[track_caller]
fn metadata_agrees(html: &str, dom: &Dom) {
    let resolver = Resolver::new(url::Url::parse("http://h/d/p").unwrap(), encoding_rs::UTF_8);
    let link = |href: &str| resolver.link(href);
    let mut head = HeadReader::new(html);
    outline::read(html, &mut head).unwrap();
    let (stream, tree) = (of_stream(html, &head.finish(), &link), of_tree(dom, &link));
    assert_eq!(format!("{stream:?}"), format!("{tree:?}"), "{html:?}");
}

fn plain(found: &Collected<'_>) -> String {
    let line = |link: &RawLink<'_>| {
        let text = &found.texts[link.text.clone()];
        format!("{} {:?} {:?} {:?} {text:?}\n", link.tag, link.attr, link.href, link.rel)
    };
    let links: String = found.links.iter().map(line).collect();
    format!("{links}{:?} {} {:?}", found.bases, found.nofollow, found.title)
}

#[track_caller]
fn texts_are_those_of_the_tree(found: &Collected<'_>, dom: &Dom) {
    let is_anchor = |node: &NodeId| {
        dom.name(*node) == "a"
            && dom.is_element(*node)
            && *dom.namespace(*node) != ns!(mathml)
            && dom.attributes(*node).any(|attr| {
                let (name, _) = dom.attribute(attr).unwrap();
                let is_svg = *dom.namespace(*node) == ns!(svg);
                *name.local == *"href" && (name.ns.is_empty() || (is_svg && name.ns == ns!(xlink)))
            })
    };
    let anchors = dom.descendants(dom.document()).filter(is_anchor);
    let expected: Vec<_> = anchors.map(|node| dom.text_content(node).into_owned()).collect();
    let links = found.links.iter().filter(|link| link.source == LinkSource::A);
    let texts: Vec<_> = links.map(|link| found.texts[link.text.clone()].to_owned()).collect();
    assert_eq!(texts, expected);
}

/// Reads the pages of the folders in `CRAWL_REAL_PAGES` (separated by colons), such as the
/// documentation that Debian packages; without it there is nothing to do.
#[test]
fn real_pages_agree_and_few_are_ambiguous() {
    let Ok(folders) = std::env::var("CRAWL_REAL_PAGES") else { return };
    let table = matched::table();
    for folder in folders.split(':') {
        let mut pages = Vec::new();
        html_files(std::path::Path::new(folder), &mut pages);
        let (mut ambiguous, mut n_skimmed) = (Vec::new(), 0);
        for page in &pages {
            let body = std::fs::read(page).unwrap();
            let text = decode(&body, Some("text/html"), Kind::Html).text;
            n_skimmed += usize::from(skimmed::skims(&text));
            matched::agrees(&table, &text);
            if let Err(why) = agrees(&text) {
                ambiguous.push(format!("{}: {why}", page.display()));
            }
        }
        let (n, n_ambiguous) = (pages.len(), ambiguous.len());
        println!("{folder}: {n} pages, {n_ambiguous} ambiguous, {n_skimmed} skimmed, 0 differ");
        ambiguous.iter().for_each(|line| println!("  {line}"));
        assert!(!pages.is_empty() && ambiguous.len() * 100 <= pages.len());
    }
}

fn html_files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            html_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "html") {
            found.push(path);
        }
    }
}
