//! What of the open elements may give the next tag another meaning than "put it here", as bits.
//!
//! Most rules of tree construction ask whether some element is in some scope (HTML Standard, section
//! 13.2.4.2), and walk up the stack for it. Here each open element knows what was in scope around it,
//! so that one comparison of bits says that no rule speaks of a tag: then it nests as it is written,
//! which most tags of most documents do. Bits that are set too many cost time, one too few would be
//! wrong.

use super::super::tags::{N_TAGS, Tag, set};

/// What is in scope at a place of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scope(u32);

/// In every scope: who conflicts with it is always looked at.
const ALWAYS: u32 = 1;
/// A `p` in button scope.
const P: u32 = 1 << 1;
/// An `a` in the list of active formatting elements, behind its last marker.
const A: u32 = 1 << 2;
/// A `li` that another one closes.
const LI: u32 = 1 << 3;
/// A `dd` or `dt` that another one closes.
const DD: u32 = 1 << 4;
/// A `button` in scope.
const BUTTON: u32 = 1 << 5;
/// A `nobr` in scope.
const NOBR: u32 = 1 << 6;
/// A `select` in scope.
const SELECT: u32 = 1 << 7;
/// A `ruby` in scope.
const RUBY: u32 = 1 << 8;
/// A `template`, anywhere.
const TEMPLATE: u32 = 1 << 9;
/// The innermost element is a heading.
const HEADING: u32 = 1 << 10;
/// The innermost element is an `option`.
const OPTION: u32 = 1 << 11;
/// The innermost element is one of SVG or MathML.
const FOREIGN: u32 = 1 << 12;

/// What speaks of the innermost element alone.
const OF_INNERMOST: u32 = HEADING | OPTION | FOREIGN;
/// Where nothing is put as it is written: it is not told, or follows other rules.
const ELSEWHERE: u32 = TEMPLATE | FOREIGN;

impl Scope {
    /// Nothing is open.
    pub(super) const NOTHING: Self = Self(ALWAYS);

    /// Inside of an element with this entry of the stack.
    #[inline]
    pub(super) fn inside(self, entry: Tag) -> Self {
        Self(self.0 & KEEPS[entry as usize] | OPENS[entry as usize])
    }

    /// Whether the rules of the body (section 13.2.6.4.7) may do anything for this start tag but to
    /// put an element here.
    #[inline]
    pub(super) fn is_disturbed_by(self, tag: Tag) -> bool {
        self.0 & CONFLICTS[tag as usize] != 0
    }

    /// Whether text in the innermost element is told, and follows the rules of HTML.
    #[inline]
    pub(super) fn tells_text(self) -> bool {
        self.0 & ELSEWHERE == 0
    }
}

/// By entry of the stack: the bit that it sets.
const OPENS: [u32; N_TAGS] = {
    let (mut table, mut at) = ([0; N_TAGS], 0);
    while at < N_TAGS {
        table[at] = opens(Tag::numbered(at));
        at += 1;
    }
    table
};

/// By entry of the stack: what is still in scope inside of it.
const KEEPS: [u32; N_TAGS] = {
    let (mut table, mut at) = ([0; N_TAGS], 0);
    while at < N_TAGS {
        table[at] = !hides(Tag::numbered(at));
        at += 1;
    }
    table
};

/// By start tag: what must not be in scope.
const CONFLICTS: [u32; N_TAGS] = {
    let (mut table, mut at) = ([0; N_TAGS], 0);
    while at < N_TAGS {
        table[at] = conflicts(Tag::numbered(at)) | ELSEWHERE;
        at += 1;
    }
    table
};

const fn opens(entry: Tag) -> u32 {
    match entry {
        Tag::P => P,
        Tag::A => A,
        Tag::Li => LI,
        Tag::Dd | Tag::Dt => DD,
        Tag::Button => BUTTON,
        Tag::Nobr => NOBR,
        Tag::Select => SELECT,
        Tag::Ruby => RUBY,
        Tag::Template => TEMPLATE,
        Tag::Option => OPTION,
        _ if entry.is_heading() => HEADING,
        _ if entry.is(set::FOREIGN) => FOREIGN,
        _ => 0,
    }
}

const fn hides(entry: Tag) -> u32 {
    let mut hidden = OF_INNERMOST;
    if entry.is(set::SCOPE) {
        hidden |= P | BUTTON | NOBR | SELECT | RUBY;
    }
    if entry.is(set::BUTTON_SCOPE) {
        hidden |= P;
    }
    // "If node is in the special category, but is not an address, div, or p element."
    if entry.is(set::SPECIAL) && !matches!(entry, Tag::Address | Tag::Div | Tag::P) {
        hidden |= LI | DD;
    }
    if sets_marker(entry) {
        hidden |= A;
    }
    hidden
}

/// Elements that begin with a marker in the list of active formatting elements (section 13.2.4.3).
const fn sets_marker(entry: Tag) -> bool {
    matches!(
        entry,
        Tag::Applet | Tag::Caption | Tag::Marquee | Tag::Object | Tag::Td | Tag::Template | Tag::Th
    )
}

const fn conflicts(tag: Tag) -> u32 {
    match tag {
        // A line feed behind them is passed over.
        Tag::Pre | Tag::Listing => ALWAYS,
        Tag::P => P,
        Tag::Li => LI | P,
        Tag::Dd | Tag::Dt => DD | P,
        Tag::A => A,
        Tag::Nobr => NOBR,
        Tag::Button => BUTTON,
        Tag::Select | Tag::Input => SELECT,
        Tag::Option | Tag::Optgroup => SELECT | OPTION,
        Tag::Hr => P | SELECT,
        Tag::Rb | Tag::Rp | Tag::Rt | Tag::Rtc => RUBY,
        _ if tag.is_heading() => P | HEADING,
        _ if tag.is(set::BLOCK) => P,
        _ if tag.is(set::FORMATTING | set::VOID) => 0,
        _ if tag.is(set::CLOSED_ALONE) => 0, // `span` and its like, and unknown ones
        Tag::Noscript => 0,
        _ => ALWAYS,
    }
}
