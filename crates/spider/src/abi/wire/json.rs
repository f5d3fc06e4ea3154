//! Whether a text is JSON: for items, of which the host needs to know no more.
//!
//! A page has some dozen items, and each crosses as text. Reading them with a deserialiser that
//! throws its values away took as long as all the rest of the crossing.

/// Levels of nesting, as those who read items later take them.
const MAX_DEPTH: usize = 127;

/// Checks that `text` is one JSON value (RFC 8259).
///
/// # Errors
/// What is wrong, with its place in bytes.
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut scan = Scan { bytes: text.as_bytes(), at: 0 };
    scan.document().map_err(|what| format!("{what} at byte {}", scan.at))
}

struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Whether a byte ends the plain part of a string: a quote, a backslash, a control character.
fn ends_plain(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// How many bytes from the start of `bytes` belong to the plain part of a string; all of them if
/// nothing ends it. Eight at a time: this is where a scan spends its time.
fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const TOPS: u64 = 0x8080_8080_8080_8080;
    let (words, rest) = bytes.as_chunks();
    for (n, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // Taking 0x20, or 1, from a byte sets its top bit if it was less and had none. Bytes
        // behind such a one may borrow of it and look alike, so the lowest counts.
        let less = |word: u64, limit: u64| word.wrapping_sub(ONES * limit);
        let is = |byte: u8| less(word ^ (ONES * u64::from(byte)), 1);
        let ends = (less(word, 0x20) | is(b'"') | is(b'\\')) & !word & TOPS;
        if ends != 0 {
            return n * 8 + ends.trailing_zeros() as usize / 8;
        }
    }
    bytes.len() - rest.len() + plain_rest(rest)
}

/// As [`plain`], of the last bytes of a document.
#[cold]
fn plain_rest(rest: &[u8]) -> usize {
    rest.iter().position(|&byte| ends_plain(byte)).unwrap_or(rest.len())
}

impl Scan<'_> {
    fn document(&mut self) -> Result<(), &'static str> {
        // One bit per open list or object: whether it is an object.
        let (mut open, mut depth) = (0_u128, 0_usize);
        loop {
            // A value begins here.
            match self.next() {
                Some(b'{' | b'[') if depth == MAX_DEPTH => return Err("more than 127 levels"),
                Some(b'{') if self.peek() == Some(b'}') => self.at += 1,
                Some(b'[') if self.peek() == Some(b']') => self.at += 1,
                Some(bracket @ (b'{' | b'[')) => {
                    depth += 1;
                    open = open << 1 | u128::from(bracket == b'{');
                    if bracket == b'{' {
                        self.name()?;
                    }
                    continue;
                }
                Some(b'"') => self.string()?,
                Some(b't') => self.word(b"rue")?,
                Some(b'f') => self.word(b"alse")?,
                Some(b'n') => self.word(b"ull")?,
                Some(b'-') => self.number(None)?,
                Some(digit @ b'0'..=b'9') => self.number(Some(digit))?,
                _ => return Err("no value"),
            }
            // And has ended here, with all that it ends.
            loop {
                if depth == 0 {
                    return if self.peek().is_none() {
                        Ok(())
                    } else {
                        Err("something behind the end")
                    };
                }
                let is_object = open & 1 == 1;
                match (self.next(), is_object) {
                    (Some(b','), true) => {
                        self.name()?;
                        break;
                    }
                    (Some(b','), false) => break,
                    (Some(b'}'), true) | (Some(b']'), false) => {
                        depth -= 1;
                        open >>= 1;
                    }
                    _ => return Err("no comma and no end"),
                }
            }
        }
    }

    /// Skips white space; the byte behind it.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += usize::from(byte.is_some());
        byte
    }

    /// A name and its colon.
    fn name(&mut self) -> Result<(), &'static str> {
        match self.next() {
            Some(b'"') => self.string()?,
            _ => return Err("no name"),
        }
        if self.next() == Some(b':') { Ok(()) } else { Err("no colon") }
    }

    /// The rest of a string, behind its quote.
    fn string(&mut self) -> Result<(), &'static str> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = plain(rest);
            let Some(&end) = rest.get(plain) else { return Err("no end of a string") };
            self.at += plain + 1;
            match end {
                b'"' => return Ok(()),
                b'\\' => match rest.get(plain + 1) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
                    Some(b'u') => {
                        let digits = rest.get(plain + 2..plain + 6).unwrap_or_default();
                        if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                            return Err("a wrong escape");
                        }
                        self.at += 5;
                    }
                    _ => return Err("a wrong escape"),
                },
                _ => return Err("a control character in a string"),
            }
        }
    }

    fn word(&mut self, rest: &[u8]) -> Result<(), &'static str> {
        if !self.bytes[self.at..].starts_with(rest) {
            return Err("no value");
        }
        self.at += rest.len();
        Ok(())
    }

    /// The rest of a number, behind its sign or its first digit.
    fn number(&mut self, first: Option<u8>) -> Result<(), &'static str> {
        let first = match first {
            Some(digit) => digit,
            None => {
                self.at += 1;
                *self.bytes.get(self.at - 1).ok_or("no number")?
            }
        };
        match first {
            b'0' => {}
            b'1'..=b'9' => {
                self.digits();
            }
            _ => return Err("no number"),
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err("no number");
            }
        }
        if let Some(b'e' | b'E') = self.bytes.get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes.get(self.at) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err("no number");
            }
        }
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.at - start
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::check;

    #[track_caller]
    fn same(text: &str) {
        let reader = serde_json::from_str::<IgnoredAny>(text).is_ok();
        assert_eq!(check(text).is_ok(), reader, "{text:?}: {:?}", check(text));
    }

    #[test]
    fn it_says_what_the_reader_says() {
        for text in [
            "",
            " ",
            "1",
            " 1 ",
            "1 2",
            "-",
            "-0",
            "01",
            "1.",
            "1.0",
            ".5",
            "1e",
            "1e+",
            "1E-5",
            "-1x",
            "true",
            "tru",
            "nul",
            "null ",
            "falsex",
            "\"",
            "\"\\",
            "\"a\"",
            "\"\\u12\"",
            "\"\\u123g\"",
            "\"\\u1234\"",
            "\"\\ud800\"",
            "\"\\x\"",
            "\"\n\"",
            "\"ü\"",
            "[",
            "[]",
            "[ ]",
            "[1",
            "[1,",
            "[1,]",
            "[1 2]",
            "[1}",
            "{",
            "{}",
            "{ }",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1}",
            "{\"a\" : 1 , \"b\":[ ]}",
            "{\"a\":1,}",
            "{1:2}",
            "{\"a\":1]",
            "[[],[{}],{\"a\":[]}]",
            "]",
            "}",
            ",",
            "[,]",
            "\u{feff}1",
        ] {
            same(text);
        }
        // What ends the plain part of a string, wherever it stands in a word.
        for n in 0..20 {
            for end in [
                "\"",
                "\\",
                "\\n\"",
                "\u{1f}\"",
                "\u{20}!\"",
                "\u{7f}\"",
                "ü\"",
                "\u{a2}\u{e000}\"",
                "",
            ] {
                same(&format!("\"{}{end}", "x".repeat(n)));
                same(&format!("[\"{}{end}, \"{end}]", "é".repeat(n)));
            }
        }
        for levels in [126, 127, 128, 129] {
            let deep = "[".repeat(levels) + &"]".repeat(levels);
            let reader = serde_json::from_str::<serde_json::Value>(&deep).is_ok();
            assert_eq!(check(&deep).is_ok(), reader, "{levels}: {:?}", check(&deep));
        }
    }

    proptest! {
        #[test]
        fn it_says_what_the_reader_says_of_anything_like_json(
            text in r#"([\[\]{},:"a\\u0-9 .eE+-]|true|null|"a":|\\n){0,12}"#,
        ) {
            same(&text);
        }
    }
}
