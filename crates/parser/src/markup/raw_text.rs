//! Elements whose content is no markup, and where that ends (HTML Standard, sections 13.2.5.2 to 31).

use memchr::{memchr, memchr2};

use super::split::is_blank;
use super::tags::Tag;

/// Elements whose content is no markup, scripting off (section 13.2.6.4).
pub(crate) fn holds_raw_text(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Script
            | Tag::Style
            | Tag::Title
            | Tag::Textarea
            | Tag::Xmp
            | Tag::Iframe
            | Tag::Noembed
            | Tag::Noframes
            | Tag::Plaintext
    )
}

/// Of those, the ones in which character references count.
pub(crate) fn has_references(tag: Tag) -> bool {
    matches!(tag, Tag::Title | Tag::Textarea)
}

/// Where the content of such an element ends that begins at `start`: at its end tag, or at the
/// document's end.
pub(super) fn raw_text_end(bytes: &[u8], start: usize, tag: Tag) -> usize {
    match tag {
        Tag::Plaintext => bytes.len(),
        Tag::Script => script_end(bytes, start),
        tag => {
            let mut at = start;
            loop {
                match memchr(b'<', &bytes[at..]) {
                    None => break bytes.len(),
                    Some(len) if is_tag_of(&bytes[at + len..], b"</", tag.name()) => {
                        break at + len;
                    }
                    Some(len) => at += len + 1,
                }
            }
        }
    }
}

/// Whether `rest` begins with `prefix`, `name` in any case, and a character that ends a name.
fn is_tag_of(rest: &[u8], prefix: &[u8], name: &str) -> bool {
    let Some(rest) = rest.strip_prefix(prefix) else { return false };
    let (Some(found), Some(&next)) = (rest.get(..name.len()), rest.get(name.len())) else {
        return false;
    };
    found.eq_ignore_ascii_case(name.as_bytes()) && (is_blank(next) || matches!(next, b'/' | b'>'))
}

/// Finds the `</script` that ends a script which begins at `start`, minding its escaped states:
/// in `<!-- <script> </script> -->` the first one does not (sections 13.2.5.4 and 15 to 31).
fn script_end(bytes: &[u8], start: usize) -> usize {
    #[derive(PartialEq)]
    enum State {
        Plain,
        Escaped,
        DoubleEscaped,
    }
    let mut state = State::Plain;
    let mut pos = start;
    loop {
        let rest = &bytes[pos..];
        // Dashes matter only inside of `<!-- -->`.
        let found = match state {
            State::Plain => memchr(b'<', rest),
            _ => memchr2(b'<', b'-', rest),
        };
        let Some(len) = found else { return bytes.len() };
        pos += len;
        let rest = &bytes[pos..];
        let closes = is_tag_of(rest, b"</", "script");
        match state {
            State::Plain | State::Escaped if closes => return pos,
            State::Plain if rest.starts_with(b"<!--") => {
                state = State::Escaped;
                // The dashes may be those of `-->`, too.
                pos += 1;
            }
            State::Escaped if is_tag_of(rest, b"<", "script") => state = State::DoubleEscaped,
            State::DoubleEscaped if closes => state = State::Escaped,
            State::Escaped | State::DoubleEscaped if rest.starts_with(b"-->") => {
                state = State::Plain;
            }
            _ => {}
        }
        pos += 1;
    }
}
