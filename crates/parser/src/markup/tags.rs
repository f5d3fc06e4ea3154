//! Element names as small numbers, and which rules of the tree builder each one falls under.
//!
//! The streaming pass asks several questions of every tag ("does it close a paragraph?", "does
//! it bound a scope?"), so a name is looked at once and is a number from then on.

/// What the rules say of an element, as bits. The sets are those of the HTML Standard, section
/// 13.2.4.2 and 13.2.6, as html5ever has them: the tree decides what is right.
pub(crate) mod set {
    /// "Special" elements: end tags do not reach through them.
    pub(crate) const SPECIAL: u16 = 1;
    /// They bound the usual scope.
    pub(crate) const SCOPE: u16 = 1 << 1;
    /// They bound the scope of list items, too.
    pub(crate) const LIST_SCOPE: u16 = 1 << 2;
    /// They bound the scope of paragraphs, too.
    pub(crate) const BUTTON_SCOPE: u16 = 1 << 3;
    /// They bound the scope of tables, and nothing else does.
    pub(crate) const TABLE_SCOPE: u16 = 1 << 4;
    /// Their end tag may be left out.
    pub(crate) const IMPLIED: u16 = 1 << 5;
    /// Their end tag may be left out at the end of a template.
    pub(crate) const THOROUGH: u16 = 1 << 6;
    /// Formatting elements, which are reopened where misnesting cut them off.
    pub(crate) const FORMATTING: u16 = 1 << 7;
    /// What is wrong inside of them is put in front of the table.
    pub(crate) const FOSTERS: u16 = 1 << 8;
    /// They end SVG and MathML by standing in it.
    pub(crate) const BREAKS_OUT: u16 = 1 << 9;
    /// Elements of SVG and MathML.
    pub(crate) const FOREIGN: u16 = 1 << 10;
    /// Ordinary blocks: their start closes a paragraph, their end what is left open inside.
    pub(crate) const BLOCK: u16 = 1 << 11;
    /// Parts of tables: `caption`, `col`, `td` and so on.
    pub(crate) const TABLE_PART: u16 = 1 << 12;
    /// In the body, the end tag of an innermost one closes it and does nothing else.
    pub(crate) const CLOSED_ALONE: u16 = 1 << 13;
    /// In the body they are put where they stand, and have no content.
    pub(crate) const VOID: u16 = 1 << 14;
}

macro_rules! tags {
    ($($tag:ident $name:literal $flags:expr;)*) => {
        /// The name of an element that some rule speaks of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Tag {
            /// No rule speaks of it.
            Other,
            $(#[doc = $name] $tag,)*
        }

        /// How many there are.
        pub(crate) const N_TAGS: usize = 1 + [$($name),*].len();

        const TAGS: [Tag; N_TAGS] = [Tag::Other, $(Tag::$tag,)*];
        const NAMES: [&str; N_TAGS] = ["", $($name,)*];
        const FLAGS: [u16; N_TAGS] = {
            #[allow(unused_imports)]
            use set::*;
            [CLOSED_ALONE, $($flags,)*]
        };
    };
}

tags! {
    A "a" FORMATTING;
    Address "address" SPECIAL | BLOCK | CLOSED_ALONE;
    Applet "applet" SPECIAL | SCOPE;
    Area "area" SPECIAL | VOID;
    Article "article" SPECIAL | BLOCK | CLOSED_ALONE;
    Aside "aside" SPECIAL | BLOCK | CLOSED_ALONE;
    Audio "audio" CLOSED_ALONE;
    B "b" FORMATTING | BREAKS_OUT;
    Base "base" SPECIAL;
    Basefont "basefont" SPECIAL;
    Bgsound "bgsound" SPECIAL;
    Big "big" FORMATTING | BREAKS_OUT;
    Blockquote "blockquote" SPECIAL | BLOCK | BREAKS_OUT | CLOSED_ALONE;
    Body "body" SPECIAL | BREAKS_OUT;
    Br "br" SPECIAL | BREAKS_OUT | VOID;
    Button "button" SPECIAL | BUTTON_SCOPE | CLOSED_ALONE;
    Caption "caption" SPECIAL | SCOPE | THOROUGH | TABLE_PART;
    Center "center" SPECIAL | BLOCK | BREAKS_OUT | CLOSED_ALONE;
    Code "code" FORMATTING | BREAKS_OUT;
    Col "col" SPECIAL | TABLE_PART;
    Colgroup "colgroup" SPECIAL | THOROUGH | TABLE_PART;
    Dd "dd" SPECIAL | IMPLIED | BREAKS_OUT | CLOSED_ALONE;
    Desc "desc" 0;
    Details "details" SPECIAL | BLOCK | CLOSED_ALONE;
    Dialog "dialog" BLOCK | CLOSED_ALONE;
    Dir "dir" SPECIAL | BLOCK | CLOSED_ALONE;
    Div "div" SPECIAL | BLOCK | BREAKS_OUT | CLOSED_ALONE;
    Dl "dl" SPECIAL | BLOCK | BREAKS_OUT | CLOSED_ALONE;
    Dt "dt" SPECIAL | IMPLIED | BREAKS_OUT | CLOSED_ALONE;
    Em "em" FORMATTING | BREAKS_OUT;
    Embed "embed" SPECIAL | BREAKS_OUT | VOID;
    Fieldset "fieldset" SPECIAL | BLOCK | CLOSED_ALONE;
    Figcaption "figcaption" SPECIAL | BLOCK | CLOSED_ALONE;
    Figure "figure" SPECIAL | BLOCK | CLOSED_ALONE;
    Font "font" FORMATTING;
    Footer "footer" SPECIAL | BLOCK | CLOSED_ALONE;
    ForeignObject "foreignobject" 0;
    Form "form" SPECIAL;
    Frame "frame" SPECIAL;
    Frameset "frameset" SPECIAL;
    H1 "h1" SPECIAL | BREAKS_OUT | CLOSED_ALONE;
    H2 "h2" SPECIAL | BREAKS_OUT | CLOSED_ALONE;
    H3 "h3" SPECIAL | BREAKS_OUT | CLOSED_ALONE;
    H4 "h4" SPECIAL | BREAKS_OUT | CLOSED_ALONE;
    H5 "h5" SPECIAL | BREAKS_OUT | CLOSED_ALONE;
    H6 "h6" SPECIAL | BREAKS_OUT | CLOSED_ALONE;
    Head "head" SPECIAL | BREAKS_OUT;
    Header "header" SPECIAL | BLOCK | CLOSED_ALONE;
    Hgroup "hgroup" SPECIAL | BLOCK | CLOSED_ALONE;
    Hr "hr" SPECIAL | BREAKS_OUT | VOID;
    Html "html" SPECIAL | SCOPE | TABLE_SCOPE;
    I "i" FORMATTING | BREAKS_OUT;
    Iframe "iframe" SPECIAL;
    Image "image" 0;
    Img "img" SPECIAL | BREAKS_OUT | VOID;
    Input "input" SPECIAL | VOID;
    Keygen "keygen" VOID;
    Li "li" SPECIAL | IMPLIED | BREAKS_OUT | CLOSED_ALONE;
    Link "link" SPECIAL;
    Listing "listing" SPECIAL | BLOCK | BREAKS_OUT | CLOSED_ALONE;
    Main "main" SPECIAL | BLOCK | CLOSED_ALONE;
    Malignmark "malignmark" 0;
    Marquee "marquee" SPECIAL | SCOPE;
    Math "math" 0;
    Menu "menu" SPECIAL | BLOCK | BREAKS_OUT | CLOSED_ALONE;
    Meta "meta" SPECIAL | BREAKS_OUT;
    Mglyph "mglyph" 0;
    Mi "mi" 0;
    Mn "mn" 0;
    Mo "mo" 0;
    Ms "ms" 0;
    Mtext "mtext" 0;
    Nav "nav" SPECIAL | BLOCK | CLOSED_ALONE;
    Nobr "nobr" FORMATTING | BREAKS_OUT;
    Noembed "noembed" SPECIAL;
    Noframes "noframes" SPECIAL;
    Noscript "noscript" SPECIAL;
    Object "object" SPECIAL | SCOPE;
    Ol "ol" SPECIAL | BLOCK | LIST_SCOPE | BREAKS_OUT | CLOSED_ALONE;
    Optgroup "optgroup" IMPLIED | CLOSED_ALONE;
    Option "option" IMPLIED | CLOSED_ALONE;
    P "p" SPECIAL | IMPLIED | BREAKS_OUT | CLOSED_ALONE;
    Param "param" SPECIAL | VOID;
    Plaintext "plaintext" SPECIAL;
    Pre "pre" SPECIAL | BLOCK | BREAKS_OUT | CLOSED_ALONE;
    Rb "rb" IMPLIED;
    Rp "rp" IMPLIED;
    Rt "rt" IMPLIED;
    Rtc "rtc" IMPLIED;
    Ruby "ruby" BREAKS_OUT | CLOSED_ALONE;
    S "s" FORMATTING | BREAKS_OUT;
    Script "script" SPECIAL;
    Search "search" BLOCK | CLOSED_ALONE;
    Section "section" SPECIAL | BLOCK | CLOSED_ALONE;
    Select "select" SPECIAL | SCOPE | CLOSED_ALONE;
    Small "small" FORMATTING | BREAKS_OUT;
    Source "source" SPECIAL | VOID;
    Span "span" BREAKS_OUT | CLOSED_ALONE;
    Strike "strike" FORMATTING | BREAKS_OUT;
    Strong "strong" FORMATTING | BREAKS_OUT;
    Style "style" SPECIAL;
    Sub "sub" BREAKS_OUT | CLOSED_ALONE;
    Summary "summary" SPECIAL | BLOCK | CLOSED_ALONE;
    Sup "sup" BREAKS_OUT | CLOSED_ALONE;
    Svg "svg" 0;
    Table "table" SPECIAL | SCOPE | TABLE_SCOPE | FOSTERS | BREAKS_OUT;
    Tbody "tbody" SPECIAL | THOROUGH | FOSTERS | TABLE_PART;
    Td "td" SPECIAL | SCOPE | THOROUGH | TABLE_PART;
    Template "template" SPECIAL | SCOPE | TABLE_SCOPE;
    Textarea "textarea" SPECIAL;
    Tfoot "tfoot" SPECIAL | THOROUGH | FOSTERS | TABLE_PART;
    Th "th" SPECIAL | SCOPE | THOROUGH | TABLE_PART;
    Thead "thead" SPECIAL | THOROUGH | FOSTERS | TABLE_PART;
    Title "title" SPECIAL;
    Tr "tr" SPECIAL | THOROUGH | FOSTERS | TABLE_PART;
    Track "track" SPECIAL | VOID;
    Tt "tt" FORMATTING | BREAKS_OUT;
    U "u" FORMATTING | BREAKS_OUT;
    Ul "ul" SPECIAL | BLOCK | LIST_SCOPE | BREAKS_OUT | CLOSED_ALONE;
    Var "var" BREAKS_OUT | CLOSED_ALONE;
    Video "video" CLOSED_ALONE;
    Wbr "wbr" SPECIAL | VOID;
    Xmp "xmp" SPECIAL;
    AnnotationXml "annotation-xml" 0;
    Isindex "isindex" SPECIAL;
    // What follows names entries of the stack of open elements, never a tag: no tag is named so.
    SvgElement "<svg>" FOREIGN;
    SvgPoint "<svg html>" FOREIGN | SCOPE;
    MathElement "<math>" FOREIGN;
    MathText "<math text>" FOREIGN | SCOPE;
    Annotation "<note>" FOREIGN;
    AnnotationPoint "<note html>" FOREIGN;
    Ghost "<ghost>" 0;
}

impl Tag {
    /// The tag that an end or start tag names; `key` is [`key_of`] its name.
    #[inline]
    pub(crate) fn of(name: &[u8], key: u64) -> Self {
        let mut slot = slot_of(key);
        loop {
            let at = usize::from(SLOTS[slot]);
            if at == 0 {
                return Self::Other;
            }
            if KEYS[at] == key {
                let known = NAMES[at];
                let is_it = known.len() == name.len()
                    && (name.len() <= 8 || known.as_bytes().eq_ignore_ascii_case(name));
                return if is_it { TAGS[at] } else { Self::Other };
            }
            slot = (slot + 1) % N_SLOTS;
        }
    }

    /// The tag of a name in any case.
    pub(crate) fn named(name: &str) -> Self {
        Self::of(name.as_bytes(), key_of(name.as_bytes()))
    }

    /// Its name, in lower case; empty for [`Tag::Other`].
    pub(crate) const fn name(self) -> &'static str {
        NAMES[self as usize]
    }

    /// The first bytes of what ends an element of this name, behind the `</`, if it is written as
    /// usual: the name in lower case and a `>`. 0 if the name is too long for that.
    #[inline]
    pub(crate) fn usual_end(self) -> u64 {
        USUAL_ENDS[self as usize]
    }

    /// The tag of a number below [`N_TAGS`].
    pub(crate) const fn numbered(number: usize) -> Self {
        TAGS[number]
    }

    /// Whether it is in one of these sets.
    pub(crate) const fn is(self, sets: u16) -> bool {
        FLAGS[self as usize] & sets != 0
    }

    /// Whether it is a heading.
    pub(crate) const fn is_heading(self) -> bool {
        matches!(self, Self::H1 | Self::H2 | Self::H3 | Self::H4 | Self::H5 | Self::H6)
    }
}

/// The first eight bytes of a name in lower case, as a number.
pub(crate) const fn key_of(name: &[u8]) -> u64 {
    let mut key = 0;
    let mut at = 0;
    while at < name.len() && at < 8 {
        key |= (name[at].to_ascii_lowercase() as u64) << (8 * at);
        at += 1;
    }
    key
}

const USUAL_ENDS: [u64; N_TAGS] = {
    let (mut ends, mut at) = ([0; N_TAGS], 1);
    while at < N_TAGS {
        let len = NAMES[at].len();
        if len < 8 {
            ends[at] = KEYS[at] | (b'>' as u64) << (8 * len);
        }
        at += 1;
    }
    ends
};

const N_SLOTS: usize = 512;

const fn slot_of(key: u64) -> usize {
    // Multiplied by the golden ratio, the upper bits depend on all the lower ones.
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 55) as usize
}

const KEYS: [u64; N_TAGS] = {
    let mut keys = [0; N_TAGS];
    let mut at = 1;
    while at < N_TAGS {
        keys[at] = key_of(NAMES[at].as_bytes());
        at += 1;
    }
    keys
};

/// Where the tag of a key stands in [`TAGS`]; 0 is an empty place. Filled by linear probing.
const SLOTS: [u8; N_SLOTS] = {
    let mut slots = [0; N_SLOTS];
    let mut at = 1;
    while at < N_TAGS {
        let mut slot = slot_of(KEYS[at]);
        while slots[slot] != 0 {
            slot = (slot + 1) % N_SLOTS;
        }
        slots[slot] = at as u8;
        at += 1;
    }
    slots
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case_and_no_other() {
        for tag in TAGS.into_iter().skip(1) {
            assert_eq!(Tag::named(tag.name()), tag);
            assert_eq!(Tag::named(&tag.name().to_ascii_uppercase()), tag);
            for other in [format!("{}x", tag.name()), format!("x{}", tag.name())] {
                let known = NAMES.contains(&&*other);
                assert_eq!(Tag::named(&other) != Tag::Other, known, "{other}");
            }
        }
        for other in
            ["", "blockquo", "blockquotes", "blockquoth", "h\u{11}", "h7", "é", "figcaptiom"]
        {
            assert_eq!(Tag::named(other), Tag::Other, "{other}");
        }
    }
}
