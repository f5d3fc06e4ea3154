//! The elements that skimming knows, by the first eight bytes of their names.

use super::super::tags::key_of;

/// What may stand in a link without a word of tree construction.
pub(super) fn is_inline(key: u64) -> bool {
    matches!(
        key,
        SPAN | SVG
            | IMG
            | B
            | I
            | U
            | S
            | EM
            | STRONG
            | SMALL
            | BIG
            | TT
            | CODE
            | SUP
            | SUB
            | MARK
            | TIME
            | ABBR
            | CITE
            | Q
            | VAR
            | KBD
            | SAMP
            | DEL
            | INS
            | PICTURE
            | VIDEO
            | AUDIO
            | LABEL
    )
}

/// What closes a `p` that is open.
pub(super) fn is_block(key: u64) -> bool {
    matches!(
        key,
        DIV | P
            | H1
            | H2
            | H3
            | H4
            | H5
            | H6
            | FIGURE
            | FIGCAPTION
            | ARTICLE
            | SECTION
            | HEADER
            | FOOTER
            | ASIDE
    )
}

/// What has no end tag.
pub(super) fn is_void(key: u64) -> bool {
    matches!(key, IMG | BR | INPUT | SOURCE | TRACK | WBR | HR | EMBED)
}

/// Elements of SVG that are neither text nor anything of HTML.
pub(super) fn is_drawing(key: u64) -> bool {
    matches!(
        key,
        PATH | G
            | CIRCLE
            | RECT
            | LINE
            | POLYLINE
            | POLYGON
            | ELLIPSE
            | USE
            | DEFS
            | SYMBOL
            | STOP
            | LINEAR_GRADIENT
            | RADIAL_GRADIENT
            | CLIP_PATH
            | MASK
    )
}

macro_rules! keys {
    ($($name:ident = $text:literal),* $(,)?) => { $(pub(super) const $name: u64 = key_of($text.as_bytes());)* };
}

keys! {
    A = "a", APPLET = "applet", ABBR = "abbr", AREA = "area", ARTICLE = "article", ASIDE = "aside", AUDIO = "audio",
    B = "b", BASE = "base", BIG = "big", BR = "br", BUTTON = "button", CAPTION = "caption", CIRCLE = "circle",
    CITE = "cite", CLIP_PATH = "clippath", CODE = "code", COL = "col", COLGROUP = "colgroup",
    DEFS = "defs", DEL = "del", DIV = "div", ELLIPSE = "ellipse", EM = "em", EMBED = "embed",
    FIGCAPTION = "figcaption", FIGURE = "figure", FOOTER = "footer", FRAMESET = "frameset", G = "g",
    H1 = "h1", H2 = "h2", H3 = "h3", H4 = "h4", H5 = "h5", H6 = "h6", HEADER = "header", HR = "hr",
    I = "i", IFRAME = "iframe", IMG = "img", INPUT = "input", INS = "ins", KBD = "kbd",
    LABEL = "label", LINE = "line", LINEAR_GRADIENT = "lineargradient", MARK = "mark", MASK = "mask",
    MARQUEE = "marquee", MATH = "math", META = "meta", NOEMBED = "noembed", NOFRAMES = "noframes", NOSCRIPT = "noscript",
    OBJECT = "object", OPTGROUP = "optgroup", OPTION = "option", P = "p", PATH = "path", PICTURE = "picture",
    PLAINTEXT = "plaintext", POLYGON = "polygon", POLYLINE = "polyline", Q = "q",
    RADIAL_GRADIENT = "radialgradient", RECT = "rect", S = "s", SAMP = "samp", SCRIPT = "script",
    SECTION = "section", SELECT = "select", SMALL = "small", SOURCE = "source", SPAN = "span",
    STOP = "stop", STRONG = "strong", STYLE = "style", SUB = "sub", SUP = "sup", SVG = "svg",
    SYMBOL = "symbol", TABLE = "table", TBODY = "tbody", TD = "td", TEMPLATE = "template",
    TEXTAREA = "textarea", TFOOT = "tfoot", TH = "th", THEAD = "thead", TIME = "time",
    TITLE = "title", TR = "tr", TRACK = "track", TT = "tt", U = "u", USE = "use", VAR = "var",
    VIDEO = "video", WBR = "wbr", XMP = "xmp",
}
