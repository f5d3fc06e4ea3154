//! Texts of links and references, cut to what counts.

use std::borrow::Cow;

use super::prefix;

/// Appends about `room` bytes at most, each run of whitespace as one space.
pub(super) fn push_collapsed(out: &mut String, text: &str, room: usize) {
    let full = out.len() + room;
    let bytes = text.as_bytes();
    let mut done = 0;
    while done < bytes.len() && out.len() < full {
        // As far as it is collapsed already: words, one space between.
        let mut end = done;
        let mut before = b' ';
        while let Some(&byte) = bytes.get(end) {
            let is_clean = if byte == b' ' { before != b' ' } else { byte > b' ' && byte != 0xc2 };
            if !is_clean {
                break;
            }
            before = byte;
            end += 1;
        }
        out.push_str(prefix(&text[done..end], full - out.len()));
        done = end;
        let Some(c) = text[done..].chars().next() else { return };
        if !is_blank(c) {
            out.push(c);
        } else if !out.ends_with(' ') {
            out.push(' ');
        }
        done += c.len_utf8();
    }
}

/// As [`collapse_whitespace`](crawl_spider::collapse_whitespace) has it.
fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{a0}'
}

/// Strips C0 controls and spaces from both ends (URL Standard, section 4.4).
pub(super) fn trim_reference(href: Cow<'_, str>) -> Cow<'_, str> {
    let ends = [href.as_bytes().first(), href.as_bytes().last()];
    if ends.into_iter().flatten().all(|&byte| byte > b' ') {
        return href; // the usual case
    }
    let is_junk = |c: char| c <= ' ';
    match href {
        Cow::Borrowed(href) => Cow::Borrowed(href.trim_matches(is_junk)),
        Cow::Owned(href) => Cow::Owned(href.trim_matches(is_junk).to_owned()),
    }
}

pub(super) fn has_word(list: &str, word: &str) -> bool {
    !list.is_empty() && list.split_ascii_whitespace().any(|w| w.eq_ignore_ascii_case(word))
}
