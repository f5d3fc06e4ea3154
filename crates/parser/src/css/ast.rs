//! A selector after parsing: what is asked of elements, and how they stand to each other.
//!
//! A complex selector (`ul > li a`) is a list of [`Part`]s as written, each with the relation
//! to the part on its left. Parts and tests whose answers are remembered while a page is
//! searched carry a number, unique within the whole selector, that names their memory.

use html5ever::{LocalName, Namespace};

/// `a > b::text`: one selector of a list.
#[derive(Debug, Clone)]
pub(super) struct Complex {
    /// As written; never empty. In `:has()` the first one's relation is to the anchor.
    pub(super) parts: Vec<Part>,
    /// What is taken of the element found.
    pub(super) ending: Ending,
    /// How deep matching may recurse: the parts, and those of the deepest selector in brackets.
    pub(super) depth: usize,
}

/// A compound selector and what is on its left.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) relation: Relation,
    pub(super) memo: u32,
    /// All must hold; cheap ones first.
    pub(super) tests: Vec<Test>,
}

/// How an element stands to the one on the left (Selectors Level 4, section 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// `a b`
    Descendant,
    /// `a > b`
    Child,
    /// `a + b`
    Next,
    /// `a ~ b`
    Later,
    /// `a ::text`: the element itself, or a descendant. Not of the standard; see [`Ending`].
    Within,
}

/// What is taken of an element that matches.
///
/// `::text` and `::attr()` are those of Scrapy and parsel, and so is what `a ::text` says: all
/// text in `a`, also that which stands directly in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    /// Itself.
    Element,
    /// Its children that are texts.
    Text,
    /// One of its attributes.
    Attr(Name),
}

/// A name as written, and in lower case for where HTML's rules hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) written: LocalName,
    pub(super) lower: LocalName,
}

impl Name {
    pub(super) fn new(name: &str) -> Self {
        Self { written: name.into(), lower: name.to_ascii_lowercase().into() }
    }

    /// The name that an element or its attributes must have.
    pub(super) fn of(&self, is_html: bool) -> &LocalName {
        if is_html { &self.lower } else { &self.written }
    }
}

/// One simple selector.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Tag(Name),
    Namespace(Namespace),
    Id(Box<str>),
    Class(Box<str>),
    Attr(Box<AttrTest>),
    Root,
    Scope,
    First,
    Last,
    Empty,
    State(State),
    Lang {
        memo: u32,
        ranges: Box<[Box<str>]>,
    },
    Nth(Box<Nth>),
    /// `:only-child` is two tests.
    All(Vec<Test>),
    Is(Vec<Complex>),
    Not(Vec<Complex>),
    Has(Vec<Complex>),
    Contains {
        memo: u32,
        text: Box<str>,
    },
    /// A state that a document at rest is never in.
    Never,
}

impl Test {
    /// Tests are tried in this order.
    pub(super) fn cost(&self) -> u8 {
        match self {
            Self::Never => 0,
            Self::Tag(_) | Self::Namespace(_) | Self::Root | Self::Scope => 1,
            Self::Id(_) | Self::Class(_) | Self::Attr(_) => 2,
            Self::First | Self::Last | Self::Empty | Self::State(_) => 3,
            Self::Lang { .. } | Self::Nth(_) | Self::All(_) => 4,
            Self::Is(_) | Self::Not(_) => 5,
            Self::Has(_) | Self::Contains { .. } => 6,
        }
    }

    /// How deep matching recurses for it.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Is(list) | Self::Not(list) | Self::Has(list) => depth(list),
            Self::Nth(nth) => depth(&nth.of),
            _ => 0,
        }
    }
}

/// The depth of the deepest selector of a list.
pub(super) fn depth(list: &[Complex]) -> usize {
    list.iter().map(|complex| complex.depth).max().unwrap_or(0)
}

/// `[name]`, `[name=value]` and so on (Selectors Level 4, section 6).
#[derive(Debug, Clone)]
pub(super) struct AttrTest {
    /// `None` for `[*|name]`.
    pub(super) namespace: Option<Namespace>,
    pub(super) name: Name,
    /// `None` for `[name]`.
    pub(super) value: Option<ValueTest>,
}

#[derive(Debug, Clone)]
pub(super) struct ValueTest {
    pub(super) operator: Operator,
    pub(super) value: Box<str>,
    pub(super) case: Case,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    /// `=`
    Equal,
    /// `~=`
    Word,
    /// `|=`
    Dash,
    /// `^=`
    Prefix,
    /// `$=`
    Suffix,
    /// `*=`
    Inside,
}

/// Whether ASCII letters match in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Any,
    /// In any case on HTML elements (HTML Standard, section 4.16.2).
    AnyInHtml,
}

/// `:nth-child()` and its relatives.
#[derive(Debug, Clone)]
pub(super) struct Nth {
    /// `step * n + offset`
    pub(super) step: i32,
    pub(super) offset: i32,
    pub(super) from_end: bool,
    pub(super) of_type: bool,
    /// Only these are counted; empty means all.
    pub(super) of: Vec<Complex>,
    pub(super) memo: u32,
}

impl Nth {
    /// Whether the element at this place, from 1, is meant.
    pub(super) fn takes(&self, place: u32) -> bool {
        let (step, rest) = (i64::from(self.step), i64::from(place) - i64::from(self.offset));
        if step == 0 { rest == 0 } else { rest % step == 0 && rest / step >= 0 }
    }
}

/// What can be read off a document at rest (HTML Standard, section 4.16.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Link,
    Checked,
    Disabled,
    Enabled,
    Required,
    Optional,
    ReadOnly,
    ReadWrite,
}
