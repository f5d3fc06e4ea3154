//! Which markup is a link: the one description that the stream and the tree go by.

use std::fmt;

use crawl_spider::LinkKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::markup::events::Space;
use crate::markup::tags::Tag;

/// A kind of links, as written in `parse.links`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LinkSource {
    /// `a href`, in SVG, too (there also `xlink:href`).
    A,
    /// `area href`.
    Area,
    /// `meta http-equiv=refresh`.
    Refresh,
    /// `link href`, whatever its `rel`.
    Link,
    /// `src` of `img`, `source`, `video`, `audio`, `track` and image buttons, `video poster`, and
    /// `image href` of SVG.
    Img,
    /// `srcset` of `img` and `source`, `link imagesrcset`: all candidates.
    Srcset,
    /// `script src`. What stands inside of scripts is never read.
    Script,
    /// `src` of `iframe`, `frame` and `embed`, `object data`.
    Iframe,
    /// `form action`, and `formaction` of its buttons.
    Form,
    /// `Link` fields of the response's header (RFC 8288).
    Header,
    /// `url()` and `@import` in `style` elements and attributes.
    Css,
}

impl LinkSource {
    /// What is read if the configuration does not say otherwise.
    pub const DEFAULT: [Self; 3] = [Self::A, Self::Area, Self::Refresh];

    /// What links of this kind are to a spider.
    pub(crate) fn kind(self) -> LinkKind {
        match self {
            Self::A => LinkKind::Anchor,
            Self::Area => LinkKind::Area,
            Self::Refresh => LinkKind::Refresh,
            Self::Link => LinkKind::Resource,
            Self::Img | Self::Srcset => LinkKind::Image,
            Self::Script => LinkKind::Script,
            Self::Iframe => LinkKind::Frame,
            Self::Form => LinkKind::Form,
            Self::Header => LinkKind::Header,
            Self::Css => LinkKind::Style,
        }
    }
}

/// A set of [`LinkSource`]s.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u16);

impl Kinds {
    /// Whether it holds `source`.
    pub(crate) fn has(self, source: LinkSource) -> bool {
        self.0 & (1 << source as u16) != 0
    }
}

impl Default for Kinds {
    fn default() -> Self {
        LinkSource::DEFAULT.into_iter().collect()
    }
}

impl FromIterator<LinkSource> for Kinds {
    fn from_iter<I: IntoIterator<Item = LinkSource>>(sources: I) -> Self {
        Self(sources.into_iter().fold(0, |bits, source| bits | (1 << source as u16)))
    }
}

impl fmt::Debug for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kinds({:#b})", self.0)
    }
}

/// An attribute that holds a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) source: LinkSource,
    pub(super) attr: &'static str,
    /// Whether a link with an empty reference is one: to the document itself.
    pub(super) may_be_empty: bool,
}

const fn place(source: LinkSource, attr: &'static str) -> Place {
    let may_be_empty = matches!(source, LinkSource::A | LinkSource::Area);
    Place { source, attr, may_be_empty }
}

const A: &[Place] = &[place(LinkSource::A, "href")];
// The older name counts only where the newer one is missing (SVG 2, section 16.1.6.1).
const SVG_A: &[Place] = &[place(LinkSource::A, "href"), place(LinkSource::A, "xlink:href")];
const SVG_IMAGE: &[Place] = &[place(LinkSource::Img, "href"), place(LinkSource::Img, "xlink:href")];
const AREA: &[Place] = &[place(LinkSource::Area, "href")];
const LINK: &[Place] = &[place(LinkSource::Link, "href"), place(LinkSource::Srcset, "imagesrcset")];
const IMG: &[Place] = &[place(LinkSource::Img, "src"), place(LinkSource::Srcset, "srcset")];
const MEDIA: &[Place] = &[place(LinkSource::Img, "src")];
const VIDEO: &[Place] = &[place(LinkSource::Img, "src"), place(LinkSource::Img, "poster")];
const INPUT: &[Place] = &[place(LinkSource::Img, "src"), place(LinkSource::Form, "formaction")];
const SCRIPT: &[Place] = &[place(LinkSource::Script, "src")];
const FRAME: &[Place] = &[place(LinkSource::Iframe, "src")];
const OBJECT: &[Place] = &[place(LinkSource::Iframe, "data")];
const FORM: &[Place] = &[place(LinkSource::Form, "action")];
const BUTTON: &[Place] = &[place(LinkSource::Form, "formaction")];

/// The attributes of an element that hold links.
#[inline]
pub(super) fn places(tag: Tag, space: Space) -> &'static [Place] {
    match (space, tag) {
        (Space::Html, Tag::A) => A,
        (Space::Html, Tag::Area) => AREA,
        (Space::Html, Tag::Link) => LINK,
        (Space::Html, Tag::Img | Tag::Source) => IMG,
        (Space::Html, Tag::Audio | Tag::Track) => MEDIA,
        (Space::Html, Tag::Video) => VIDEO,
        (Space::Html, Tag::Input) => INPUT,
        (Space::Html, Tag::Script) => SCRIPT,
        (Space::Html, Tag::Iframe | Tag::Frame | Tag::Embed) => FRAME,
        (Space::Html, Tag::Object) => OBJECT,
        (Space::Html, Tag::Form) => FORM,
        (Space::Html, Tag::Button) => BUTTON,
        (Space::Svg, Tag::A) => SVG_A,
        (Space::Svg, Tag::Image) => SVG_IMAGE,
        _ => &[],
    }
}
