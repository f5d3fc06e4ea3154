//! Links from the stream.

use std::borrow::Cow;

use super::collect::{Collected, Collector, Element, LinkTexts};
use super::kinds::Kinds;
use crate::markup::charref::{decode_attribute, decode_text};
use crate::markup::events::{Consumer, Space, Text};
use crate::markup::scan::Start;
use crate::markup::skim::{Told, Unsure, skim};
use crate::markup::tags::Tag;

/// Collects links in a pass over a document ([`outline::read`](crate::markup::outline::read)).
pub(crate) struct Links<'a>(Collector<'a>);

impl<'a> Links<'a> {
    /// Collects links of these kinds, and this much of their texts.
    pub(crate) fn new(kinds: Kinds, texts: LinkTexts) -> Self {
        Self(Collector::new(kinds, texts))
    }

    /// What was collected. Worth nothing if the pass said that the document is ambiguous.
    pub(crate) fn finish(self) -> Collected<'a> {
        self.0.finish()
    }
}

impl<'a> Consumer<'a> for Links<'a> {
    #[inline(always)]
    fn open(&mut self, tag: &Start<'a>, space: Space) {
        self.0.open(&Streamed { tag, space });
    }

    #[inline(always)]
    fn wants_text(&self) -> bool {
        self.0.wants_text()
    }

    #[inline(always)]
    fn text(&mut self, text: Text<'a>) {
        self.0.text(|| text.decoded());
    }

    #[inline(always)]
    fn close(&mut self) {
        self.0.close();
    }
}

/// The links of a document without their texts, if it can be [skimmed](crate::markup::skim): of the
/// usual kinds, in the same order as by the outline.
pub(crate) fn skimmed(text: &str) -> Result<Collected<'_>, Unsure> {
    let mut collector = Collector::new(Kinds::default(), LinkTexts::None);
    skim(text, |told| {
        match told {
            Told::Tag(tag) => collector.open(&Streamed { tag: &tag, space: Space::Html }),
            Told::Title(title) => {
                let tag = Start::with_region(Tag::Title, "");
                collector.open(&Streamed { tag: &tag, space: Space::Html });
                collector.text(|| decode_text(title));
            }
        }
        collector.close();
    })?;
    Ok(collector.finish())
}

struct Streamed<'t, 'a> {
    tag: &'t Start<'a>,
    space: Space,
}

impl<'a> Element<'a> for Streamed<'_, 'a> {
    #[inline]
    fn tag(&self) -> Tag {
        self.tag.tag
    }

    #[inline]
    fn space(&self) -> Space {
        self.space
    }

    fn attrs<const N: usize>(&self, names: [&str; N]) -> [Option<Cow<'a, str>>; N] {
        self.tag.attrs_of(names).map(|value| value.map(decode_attribute))
    }
}
