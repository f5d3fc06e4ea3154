//! The logic of the plumbing commands: bytes in, lines out. Reading files and printing is the
//! command line's.

mod decode;
mod links;
mod select;
mod sitemap;
mod url;

pub use decode::{DecodeLine, decode};
pub use links::{LinkLine, links};
pub use select::{Output, Query, SelectLine, Selected, select, selected};
pub(crate) use sitemap::entries;
pub use sitemap::{Sitemap, SitemapKind, SitemapLine, sitemap};
pub use url::{UrlLine, normalize};

use crate::decode::declared::Declared;
use crate::decode::kind::Kind;
use crate::decode::{Decoded, Legacy, decode_with};

/// Reads a body as a page with this `Content-Type` would be read. Who names no type asks for a
/// document: what does not look like XML or JSON goes by the rules of HTML, which for text
/// without tags are those of plain text.
fn text_of<'a>(body: &'a [u8], content_type: Option<&str>) -> (Kind, Decoded<'a>) {
    let declared = Declared::of_header(content_type);
    let kind = match Kind::judge(body, &declared) {
        Kind::Text | Kind::Binary if declared.essence().is_none() => Kind::Html,
        kind => kind,
    };
    (kind, decode_with(body, &declared, kind, Legacy::Western))
}
