//! What a document says of its own encoding: the HTML Standard's prescan of the first 1,024
//! bytes (section 13.2.3.2), and XML's declaration.
//!
//! A declaration that the 1,024th byte cuts declares nothing, as the standard has it: running
//! out of bytes ends the prescan, and only an XML declaration may still count.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use memchr::{memchr, memmem};

use crate::markup::scan::is_blank;

/// How far into the document its own word is looked for, in bytes.
const PRESCAN_BYTES: usize = 1024;

/// "Prescan a byte stream to determine its encoding", with "get an XML encoding" as its end.
pub(crate) fn html(body: &[u8]) -> Option<&'static Encoding> {
    let head = &body[..body.len().min(PRESCAN_BYTES)];
    match head {
        [b'<', 0, b'?', 0, b'x', 0, ..] => Some(UTF_16LE),
        [0, b'<', 0, b'?', 0, b'x', ..] => Some(UTF_16BE),
        _ => tags(head).or_else(|| xml_declaration(head)),
    }
}

/// The encoding of an XML document by its first bytes (XML 1.0, section 4.3.3 and appendix F):
/// UTF-16 without a byte order mark, or the declaration. Blanks before a declaration are an
/// error there, and forgiven here.
pub(crate) fn xml(body: &[u8]) -> Option<&'static Encoding> {
    let head = &body[..body.len().min(PRESCAN_BYTES)];
    match head {
        [b'<', 0, 1..=255, 0, ..] => Some(UTF_16LE),
        [0, b'<', 0, 1..=255, ..] => Some(UTF_16BE),
        _ => xml_declaration(head.trim_ascii_start()),
    }
}

/// "Get an XML encoding": `<?xml … encoding="…"?>`.
fn xml_declaration(head: &[u8]) -> Option<&'static Encoding> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr(b'>', declaration)?];
    let at = memmem::find(declaration, b"encoding")? + "encoding".len();
    let value = skip_low(skip_low(&declaration[at..]).strip_prefix(b"=")?);
    let (quote, value) = value.split_first().filter(|(quote, _)| b"\"'".contains(quote))?;
    let label = &value[..memchr(*quote, value)?];
    if label.iter().any(|&byte| byte <= b' ') {
        return None;
    }
    Encoding::for_label(label).map(not_utf16)
}

fn skip_low(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|&byte| byte > b' ').unwrap_or(bytes.len());
    &bytes[start..]
}

/// What is read as ASCII is not in UTF-16, whatever it says.
fn not_utf16(encoding: &'static Encoding) -> &'static Encoding {
    if encoding == UTF_16BE || encoding == UTF_16LE { UTF_8 } else { encoding }
}

/// The prescan's loop. `None` where the bytes end.
fn tags(head: &[u8]) -> Option<&'static Encoding> {
    let mut pos = 0;
    loop {
        pos += memchr(b'<', &head[pos..])?;
        let rest = &head[pos..];
        if rest.starts_with(b"<!--") {
            // The two dashes may be those of `-->`.
            pos += 2 + memmem::find(&rest[2..], b"-->")? + 3;
        } else if is_meta(rest) {
            pos += "<meta".len();
            if let Some(encoding) = meta(head, &mut pos)? {
                return Some(encoding);
            }
        } else if is_tag(rest) {
            pos += rest.iter().position(|&b| is_blank(b) || b == b'>')?;
            while attribute(head, &mut pos)?.is_some() {}
        } else if matches!(rest.get(1), Some(b'!' | b'/' | b'?')) {
            pos += memchr(b'>', rest)? + 1;
        } else {
            pos += 1;
        }
    }
}

fn is_meta(rest: &[u8]) -> bool {
    rest.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"<meta"))
        && rest.get(5).is_some_and(|&b| is_blank(b) || b == b'/')
}

fn is_tag(rest: &[u8]) -> bool {
    let name = if rest.get(1) == Some(&b'/') { rest.get(2) } else { rest.get(1) };
    name.is_some_and(u8::is_ascii_alphabetic)
}

/// Where a meta tag's encoding comes from.
enum Charset {
    /// A `content` attribute, which counts only with `http-equiv=content-type`.
    Content(&'static Encoding),
    /// A `charset` attribute: final, even if it names no encoding.
    Own(Option<&'static Encoding>),
}

/// Reads the attributes of a meta tag: its encoding if it declares one. `None` where the bytes
/// end.
fn meta(head: &[u8], pos: &mut usize) -> Option<Option<&'static Encoding>> {
    let (mut has_pragma, mut charset) = (false, None);
    let mut seen = Vec::new();
    while let Some((name, value)) = attribute(head, pos)? {
        if seen.contains(&name) {
            continue;
        }
        match name.as_slice() {
            b"http-equiv" => has_pragma = value == b"content-type",
            b"content" if charset.is_none() => {
                charset = charset_in_content(&value).map(Charset::Content);
            }
            b"charset" => charset = Some(Charset::Own(Encoding::for_label(&value))),
            _ => {}
        }
        seen.push(name);
    }
    let encoding = match charset {
        Some(Charset::Own(encoding)) => encoding,
        Some(Charset::Content(encoding)) => has_pragma.then_some(encoding),
        None => None,
    };
    Some(encoding.map(|it| if it == X_USER_DEFINED { WINDOWS_1252 } else { not_utf16(it) }))
}

/// "Extracting a character encoding from a meta element" (section 2.5.3), of a value in lower
/// case.
fn charset_in_content(content: &[u8]) -> Option<&'static Encoding> {
    let mut rest = content;
    loop {
        let at = memmem::find(rest, b"charset")?;
        rest = rest[at + "charset".len()..].trim_ascii_start();
        let Some(value) = rest.strip_prefix(b"=") else { continue };
        let value = value.trim_ascii_start();
        let label = match value.split_first()? {
            (quote @ (b'"' | b'\''), value) => &value[..memchr(*quote, value)?],
            _ => {
                let is_end = |&byte: &u8| is_blank(byte) || byte == b';';
                &value[..value.iter().position(is_end).unwrap_or(value.len())]
            }
        };
        return Encoding::for_label(label);
    }
}

/// Name and value in lower case.
type Attribute = (Vec<u8>, Vec<u8>);

/// "Get an attribute". `None` where the bytes end, `Some(None)` at the end of the tag.
fn attribute(head: &[u8], pos: &mut usize) -> Option<Option<Attribute>> {
    while is_blank(*head.get(*pos)?) || head[*pos] == b'/' {
        *pos += 1;
    }
    if head[*pos] == b'>' {
        *pos += 1;
        return Some(None);
    }
    let (mut name, mut value) = (Vec::new(), Vec::new());
    loop {
        let byte = *head.get(*pos)?;
        if (byte == b'=' && !name.is_empty()) || is_blank(byte) {
            break;
        }
        if matches!(byte, b'/' | b'>') {
            return Some(Some((name, value)));
        }
        name.push(byte.to_ascii_lowercase());
        *pos += 1;
    }
    skip_blank(head, pos)?;
    if head[*pos] != b'=' {
        return Some(Some((name, value)));
    }
    *pos += 1;
    skip_blank(head, pos)?;
    match head[*pos] {
        quote @ (b'"' | b'\'') => {
            let end = memchr(quote, &head[*pos + 1..])?;
            value.extend(head[*pos + 1..*pos + 1 + end].to_ascii_lowercase());
            *pos += end + 2;
        }
        _ => loop {
            let byte = *head.get(*pos)?;
            if is_blank(byte) || byte == b'>' {
                break;
            }
            value.push(byte.to_ascii_lowercase());
            *pos += 1;
        },
    }
    Some(Some((name, value)))
}

/// `None` where the bytes end.
fn skip_blank(head: &[u8], pos: &mut usize) -> Option<()> {
    while is_blank(*head.get(*pos)?) {
        *pos += 1;
    }
    Some(())
}
