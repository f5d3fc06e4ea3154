//! A selector after parsing: what is asked of elements, and how they stand to each other.
//!
//! A complex selector (`ul > li a`) is a list of [`Part`]s as written, each with the relation
//! to the part on its left. Parts and tests whose answers are remembered while a page is
//! searched carry a number, unique within the whole selector, that names their memory.

use crate::Names;

/// A list of selectors: what one text is compiled to.
#[derive(Debug, Clone)]
pub struct Selector<N: Names> {
    /// As written; never empty.
    pub list: Vec<Complex<N>>,
}

impl<N: Names> Selector<N> {
    /// Whether it has `::text` or `::attr()`, so that it gives other things than elements.
    #[must_use]
    pub fn has_endings(&self) -> bool {
        self.list.iter().any(|complex| !matches!(complex.ending, Ending::Element))
    }
}

/// `a > b::text`: one selector of a list.
#[derive(Debug, Clone)]
pub struct Complex<N: Names> {
    /// As written; never empty. In `:has()` the first one's relation is to the anchor.
    pub parts: Vec<Part<N>>,
    /// What is taken of the element found.
    pub ending: Ending<N>,
    /// How deep matching may recurse: the parts, and those of the deepest selector in brackets.
    pub depth: usize,
}

/// A compound selector and what is on its left.
#[derive(Debug, Clone)]
pub struct Part<N: Names> {
    /// How its element stands to that of the part on its left.
    pub relation: Relation,
    /// The number of its memory.
    pub memo: u32,
    /// All must hold; cheap ones first.
    pub tests: Vec<Test<N>>,
}

/// How an element stands to the one on the left (Selectors Level 4, section 15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
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
pub enum Ending<N: Names> {
    /// Itself.
    Element,
    /// Its children that are texts.
    Text,
    /// One of its attributes.
    Attr(Name<N>),
}

/// A name as written, and in lower case for where HTML's rules hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<N: Names> {
    /// As written.
    pub written: N::Local,
    /// In lower case.
    pub lower: N::Local,
}

impl<N: Names> Name<N> {
    pub(super) fn new(name: &str) -> Self {
        Self { written: N::Local::from(name), lower: N::Local::from(&name.to_ascii_lowercase()) }
    }

    /// The name that an element or its attributes must have.
    #[must_use]
    pub fn of(&self, is_html: bool) -> &N::Local {
        if is_html { &self.lower } else { &self.written }
    }
}

/// One simple selector.
#[derive(Debug, Clone)]
pub enum Test<N: Names> {
    /// `p`
    Tag(Name<N>),
    /// `svg|*`
    Namespace(N::Space),
    /// `#x`
    Id(Box<str>),
    /// `.x`
    Class(Box<str>),
    /// `[x]`
    Attr(Box<AttrTest<N>>),
    /// `:root`
    Root,
    /// `:scope`
    Scope,
    /// `:first-child`
    First,
    /// `:last-child`
    Last,
    /// `:empty`
    Empty,
    /// `:link`, `:checked` and so on.
    State(State),
    /// `:lang(..)`
    Lang {
        /// The number of its memory.
        memo: u32,
        /// The languages, as written.
        ranges: Box<[Box<str>]>,
    },
    /// `:nth-child(..)` and its relatives.
    Nth(Box<Nth<N>>),
    /// `:only-child` is two tests.
    All(Vec<Test<N>>),
    /// `:is(..)`, `:where(..)`
    Is(Vec<Complex<N>>),
    /// `:not(..)`
    Not(Vec<Complex<N>>),
    /// `:has(..)`
    Has(Vec<Complex<N>>),
    /// `:contains(..)`
    Contains {
        /// The number of its memory.
        memo: u32,
        /// What `textContent` must contain.
        text: Box<str>,
    },
    /// A state that a document at rest is never in.
    Never,
}

impl<N: Names> Test<N> {
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
fn depth<N: Names>(list: &[Complex<N>]) -> usize {
    list.iter().map(|complex| complex.depth).max().unwrap_or(0)
}

/// `[name]`, `[name=value]` and so on (Selectors Level 4, section 6).
#[derive(Debug, Clone)]
pub struct AttrTest<N: Names> {
    /// `None` for `[*|name]`.
    pub namespace: Option<N::Space>,
    /// The attribute's name.
    pub name: Name<N>,
    /// `None` for `[name]`.
    pub value: Option<ValueTest>,
}

/// What an attribute's value must be.
#[derive(Debug, Clone)]
pub struct ValueTest {
    /// How it is compared.
    pub operator: Operator,
    /// With what.
    pub value: Box<str>,
    /// Whether in any case.
    pub case: Case,
}

/// How an attribute's value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
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
pub enum Case {
    /// No.
    Exact,
    /// Yes.
    Any,
    /// In any case on HTML elements (HTML Standard, section 4.16.2).
    AnyInHtml,
}

/// `:nth-child()` and its relatives.
#[derive(Debug, Clone)]
pub struct Nth<N: Names> {
    /// Of `step * n + offset`.
    pub step: i32,
    /// Of `step * n + offset`.
    pub offset: i32,
    /// Whether places are counted from the last one.
    pub from_end: bool,
    /// Whether only those of its name are counted.
    pub of_type: bool,
    /// Only these are counted; empty means all.
    pub of: Vec<Complex<N>>,
    /// The number of its memory.
    pub memo: u32,
}

impl<N: Names> Nth<N> {
    /// Whether the element at this place, from 1, is meant.
    #[must_use]
    pub fn takes(&self, place: u32) -> bool {
        is_place(self.step, self.offset, place)
    }
}

/// Whether `place`, from 1, is one of `step * n + offset`.
#[must_use]
pub fn is_place(step: i32, offset: i32, place: u32) -> bool {
    let (step, rest) = (i64::from(step), i64::from(place) - i64::from(offset));
    if step == 0 { rest == 0 } else { rest % step == 0 && rest / step >= 0 }
}

/// What can be read off a document at rest (HTML Standard, section 4.16.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// `:link`, `:any-link`
    Link,
    /// `:checked`
    Checked,
    /// `:disabled`
    Disabled,
    /// `:enabled`
    Enabled,
    /// `:required`
    Required,
    /// `:optional`
    Optional,
    /// `:read-only`
    ReadOnly,
    /// `:read-write`
    ReadWrite,
}
