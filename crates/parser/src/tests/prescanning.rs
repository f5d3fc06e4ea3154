//! The prescan against the HTML Standard's steps (section 13.2.3.2), written out one by one and
//! one byte at a time, without a thought of speed.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use proptest::prelude::*;

use crate::decode::prescan;

/// The bytes ran out.
struct End;

struct Steps<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Steps<'_> {
    fn byte(&self) -> Result<u8, End> {
        self.bytes.get(self.position).copied().ok_or(End)
    }

    fn is_at(&self, pattern: &[u8]) -> bool {
        let here = self.bytes[self.position..].iter().take(pattern.len());
        here.len() == pattern.len()
            && here.zip(pattern).all(|(byte, wanted)| match wanted {
                b'_' => is_space(*byte) || *byte == b'/',
                b'A' => byte.is_ascii_alphabetic(),
                wanted => byte.to_ascii_lowercase() == *wanted,
            })
    }

    fn prescan(&mut self) -> Result<&'static Encoding, End> {
        if self.bytes.starts_with(b"<\0?\0x\0") {
            return Ok(UTF_16LE);
        }
        if self.bytes.starts_with(b"\0<\0?\0x") {
            return Ok(UTF_16BE);
        }
        loop {
            self.byte()?;
            if self.is_at(b"<!--") {
                let start = self.position;
                self.position += 4;
                while !(self.byte()? == b'>'
                    && self.bytes[start + 2..self.position].ends_with(b"--"))
                {
                    self.position += 1;
                }
            } else if self.is_at(b"<meta_") {
                self.position += 5;
                if let Some(encoding) = self.meta()? {
                    return Ok(encoding);
                }
            } else if self.is_at(b"<A") || self.is_at(b"</A") {
                while !(is_space(self.byte()?) || self.byte()? == b'>') {
                    self.position += 1;
                }
                while self.attribute()?.is_some() {}
            } else if self.is_at(b"<!") || self.is_at(b"</") || self.is_at(b"<?") {
                while self.byte()? != b'>' {
                    self.position += 1;
                }
            }
            self.position += 1;
        }
    }

    fn meta(&mut self) -> Result<Option<&'static Encoding>, End> {
        let (mut list, mut got_pragma, mut need_pragma) = (Vec::new(), false, None);
        // Null, then an encoding or failure.
        let mut charset: Option<Option<&'static Encoding>> = None;
        while let Some((name, value)) = self.attribute()? {
            if list.contains(&name) {
                continue;
            }
            list.push(name.clone());
            if name == "http-equiv" && value == "content-type" {
                got_pragma = true;
            } else if name == "content" && charset.is_none() {
                if let Some(found) = extract(&value) {
                    charset = Some(Some(found));
                    need_pragma = Some(true);
                }
            } else if name == "charset" {
                charset = Some(Encoding::for_label(value.as_bytes()));
                need_pragma = Some(false);
            }
        }
        match (need_pragma, charset) {
            (None, _) | (_, None | Some(None)) => Ok(None),
            (Some(true), _) if !got_pragma => Ok(None),
            (_, Some(Some(found))) if found == UTF_16BE || found == UTF_16LE => Ok(Some(UTF_8)),
            (_, Some(Some(found))) if found == X_USER_DEFINED => Ok(Some(WINDOWS_1252)),
            (_, Some(found)) => Ok(found),
        }
    }

    fn attribute(&mut self) -> Result<Option<(String, String)>, End> {
        while is_space(self.byte()?) || self.byte()? == b'/' {
            self.position += 1;
        }
        if self.byte()? == b'>' {
            return Ok(None);
        }
        let (mut name, mut value) = (String::new(), String::new());
        loop {
            match self.byte()? {
                b'=' if !name.is_empty() => break,
                byte if is_space(byte) => {
                    while is_space(self.byte()?) {
                        self.position += 1;
                    }
                    if self.byte()? != b'=' {
                        return Ok(Some((name, value)));
                    }
                    break;
                }
                b'/' | b'>' => return Ok(Some((name, value))),
                byte => name.push(char::from(byte.to_ascii_lowercase())),
            }
            self.position += 1;
        }
        self.position += 1;
        while is_space(self.byte()?) {
            self.position += 1;
        }
        let quote = self.byte()?;
        if quote == b'"' || quote == b'\'' {
            loop {
                self.position += 1;
                let byte = self.byte()?;
                if byte == quote {
                    self.position += 1;
                    return Ok(Some((name, value)));
                }
                value.push(char::from(byte.to_ascii_lowercase()));
            }
        }
        while !(is_space(self.byte()?) || self.byte()? == b'>') {
            value.push(char::from(self.byte()?.to_ascii_lowercase()));
            self.position += 1;
        }
        Ok(Some((name, value)))
    }
}

fn is_space(byte: u8) -> bool {
    [0x09, 0x0a, 0x0c, 0x0d, 0x20].contains(&byte)
}

/// Section 2.5.3.
fn extract(text: &str) -> Option<&'static Encoding> {
    let text: Vec<char> = text.chars().collect();
    let at = |position: usize| text.get(position).copied();
    let blank = |c: Option<char>| c.is_some_and(|c| u8::try_from(c).is_ok_and(is_space));
    let mut position = 0;
    loop {
        let word: String = text.get(position..position + 7)?.iter().collect();
        if !word.eq_ignore_ascii_case("charset") {
            position += 1;
            continue;
        }
        position += 7;
        while blank(at(position)) {
            position += 1;
        }
        if at(position) == Some('=') {
            break;
        }
    }
    position += 1;
    while blank(at(position)) {
        position += 1;
    }
    let mut label = String::new();
    let quote = at(position).filter(|&c| c == '"' || c == '\'');
    position += usize::from(quote.is_some());
    loop {
        match (at(position), quote) {
            (None, Some(_)) => return None,
            (Some(c), Some(quote)) if c == quote => break,
            (None, None) | (Some(';'), None) => break,
            (c, None) if blank(c) => break,
            (Some(c), _) => label.push(c),
        }
        position += 1;
    }
    Encoding::for_label(label.as_bytes())
}

/// "Get an XML encoding". The standard looks for `encoding` without saying where it must end;
/// browsers look before the `>`.
fn xml(bytes: &[u8]) -> Option<&'static Encoding> {
    let end = bytes.iter().position(|&byte| byte == b'>')?;
    let bytes = bytes[..end].strip_prefix(b"<?xml")?;
    let mut position = (0..bytes.len()).find(|&at| bytes[at..].starts_with(b"encoding"))? + 8;
    let skip = |position: &mut usize| {
        while bytes.get(*position).is_some_and(|&byte| byte <= 0x20) {
            *position += 1;
        }
    };
    skip(&mut position);
    if bytes.get(position) != Some(&b'=') {
        return None;
    }
    position += 1;
    skip(&mut position);
    let quote = *bytes.get(position).filter(|&&byte| byte == b'"' || byte == b'\'')?;
    let label: Vec<u8> =
        bytes[position + 1..].iter().copied().take_while(|&b| b != quote).collect();
    bytes.get(position + 1 + label.len())?;
    if label.iter().any(|&byte| byte <= 0x20) {
        return None;
    }
    let encoding = Encoding::for_label(&label)?;
    Some(if encoding == UTF_16BE || encoding == UTF_16LE { UTF_8 } else { encoding })
}

fn by_the_steps(bytes: &[u8]) -> Option<&'static Encoding> {
    let bytes = &bytes[..bytes.len().min(1024)];
    Steps { bytes, position: 0 }.prescan().ok().or_else(|| xml(bytes))
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "<meta",
        "<META ",
        "<meta/",
        "charset",
        "CHARSET=",
        "=",
        "'",
        "\"",
        "koi8-r",
        "utf-16",
        "gbk",
        "x-user-defined",
        " ",
        "/",
        ">",
        "<",
        "<!--",
        "-->",
        "--",
        "<!",
        "</",
        "<?",
        "<?xml",
        "<?xml ",
        "encoding",
        "encoding='gbk'",
        "?>",
        "content",
        "content=",
        "http-equiv",
        "http-equiv=content-type ",
        "content-type",
        "a",
        "<p",
        "</p ",
        ";",
        "\t",
        "\x0c",
        "\r\n",
        "nonsense",
        "charset=koi8-r",
        "content='charset=gbk' ",
        "content=\"charset = 'gbk'\" ",
        "charset=utf-16 ",
        "\0",
        "é",
        "<meta charset=gbk>",
        "<title>",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_prescan_takes_the_standards_steps(
        start in prop::sample::select(vec!["", "", "<?xml ", "<meta ", "<!--", "<p "]),
        pad in prop_oneof![3 => Just(0_usize), 1 => 950..1030_usize],
        pieces in proptest::collection::vec(piece(), 0..14),
        end in prop::sample::select(vec!["", ">", "'>", "\">"]),
    ) {
        let pad = if pad > 0 { format!("<!--{}-->", "x".repeat(pad)) } else { String::new() };
        let text = format!("{start}{pad}{}{end}", pieces.concat());
        prop_assert_eq!(
            prescan::html(text.as_bytes()).map(Encoding::name),
            by_the_steps(text.as_bytes()).map(Encoding::name)
        );
    }
}
