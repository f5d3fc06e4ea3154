//! Where a document says something of itself: noted in passing, read when somebody asks.
//!
//! Few spiders want the metadata of a page, so the pass decodes nothing of it. It notes where the
//! tags stand, and [`metadata`](crate::view::metadata) reads their attributes from the text later,
//! without a tree.

use std::ops::Range;

use crawl_spider::collapse_whitespace;

use crate::markup::events::{Consumer, Space, Text};
use crate::markup::scan::Start;
use crate::markup::tags::Tag;

/// Most `meta` and `link` elements that count: more is no metadata.
pub(crate) const MAX_HEAD_TAGS: usize = 10_000;

/// The tags of one document that say something of it.
#[derive(Debug, Default)]
pub(crate) struct HeadTags {
    /// The text of the first `title` that has one, whitespace collapsed, but whole; empty if there
    /// is none.
    pub(crate) title: String,
    /// Where the attributes of the root element stand; `None` if it has no tag.
    root: Option<Range<usize>>,
    /// `meta` and `link` elements in document order, and where their attributes stand.
    tags: Vec<(Tag, Range<usize>)>,
}

impl HeadTags {
    /// The root element's tag. `text` is the document's, here and below.
    pub(crate) fn root<'t>(&self, text: &'t str) -> Option<Start<'t>> {
        let region = text.get(self.root.clone()?)?;
        Some(Start::with_region(Tag::Html, region))
    }

    /// The `meta` and `link` tags in document order, those of templates, SVG and MathML left out.
    pub(crate) fn tags<'t>(&self, text: &'t str) -> impl Iterator<Item = Start<'t>> {
        let start = |(tag, place): &(Tag, Range<usize>)| {
            Some(Start::with_region(*tag, text.get(place.clone())?))
        };
        self.tags.iter().filter_map(start)
    }
}

/// Notes the tags in a pass over a document ([`outline::read`](crate::markup::outline::read)).
pub(crate) struct HeadReader<'a> {
    text: &'a str,
    is_in_title: bool,
    found: HeadTags,
}

impl<'a> HeadReader<'a> {
    /// Begins in front of the document `text`, which is the one the pass is over.
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, is_in_title: false, found: HeadTags::default() }
    }

    /// What was noted. Worth nothing if the pass said that the document is ambiguous.
    pub(crate) fn finish(self) -> HeadTags {
        self.found
    }

    fn close_title(&mut self) {
        self.is_in_title = false;
        self.found.title = collapse_whitespace(&self.found.title).into_owned();
    }
}

impl<'a> Consumer<'a> for HeadReader<'a> {
    #[inline]
    fn open(&mut self, tag: &Start<'a>, space: Space) {
        match tag.tag {
            _ if space != Space::Html => {}
            Tag::Meta | Tag::Link if self.found.tags.len() < MAX_HEAD_TAGS => {
                let place = tag.region_in(self.text);
                self.found.tags.extend(place.map(|place| (tag.tag, place)));
            }
            Tag::Html => self.found.root = tag.region_in(self.text),
            Tag::Title => self.is_in_title = self.found.title.is_empty(),
            _ => {}
        }
    }

    #[inline]
    fn text(&mut self, text: Text<'a>) {
        if self.is_in_title {
            self.found.title.push_str(&text.decoded());
        }
    }

    #[inline]
    fn close(&mut self) {
        // No element stands in a title, so what closes is the title itself.
        if self.is_in_title {
            self.close_title();
        }
    }
}
