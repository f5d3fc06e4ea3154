//! URLs in columns that compress well.
//!
//! What makes links of one site differ is mostly numbers, and digits amid letters spoil both: they
//! break off every repetition, and cost as much as a letter. So a run of digits is replaced by one
//! byte that says how long it is, and the digits go to a column of their own, where one takes less
//! than three and a half bits. What is left, `/c/#/p/#`, repeats and comes to nearly nothing.
//!
//! A text ends with a line feed. Bytes that mean something here stand behind [`ESCAPE`]; canonical
//! URLs have none, but texts of plugins are taken on trust.

/// What a run of digits becomes: this and its length.
const RUN: u8 = 0x80;
/// Longest run; what is longer is written as several.
const MAX_RUN: usize = (ESCAPE - RUN) as usize - 1;
/// The next byte means itself.
const ESCAPE: u8 = 0xff;
const END: u8 = b'\n';

/// Appends a text to its column, and its digits to theirs.
pub(super) fn put(text: &[u8], letters: &mut Vec<u8>, digits: &mut Vec<u8>) {
    letters.reserve(text.len() + 1);
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        if byte.is_ascii_digit() {
            let most = &text[at..text.len().min(at + MAX_RUN)];
            let run = most.iter().take_while(|byte| byte.is_ascii_digit()).count();
            // At most `MAX_RUN`, so it fits.
            letters.push(RUN + run as u8);
            digits.extend_from_slice(&most[..run]);
            at += run;
            continue;
        }
        if byte >= RUN || byte == END {
            letters.push(ESCAPE);
        }
        letters.push(byte);
        at += 1;
    }
    letters.push(END);
}

/// Appends the next text to `out`; `None` if the columns end before it does.
pub(super) fn take(letters: &mut &[u8], digits: &mut &[u8], out: &mut Vec<u8>) -> Option<()> {
    loop {
        let plain = letters.iter().position(|&byte| byte >= RUN || byte == END)?;
        let (text, rest) = letters.split_at(plain);
        out.extend_from_slice(text);
        let (&byte, rest) = rest.split_first()?;
        *letters = rest;
        match byte {
            END => return Some(()),
            ESCAPE => {
                let (&byte, rest) = letters.split_first()?;
                *letters = rest;
                out.push(byte);
            }
            run => {
                let (run, rest) = digits.split_at_checked(usize::from(run - RUN))?;
                *digits = rest;
                out.extend_from_slice(run);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(texts: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
        let (mut letters, mut digits) = (Vec::new(), Vec::new());
        texts.iter().for_each(|text| put(text, &mut letters, &mut digits));
        let (mut rest, mut rest_digits) = (&letters[..], &digits[..]);
        for text in texts {
            let mut out = Vec::new();
            take(&mut rest, &mut rest_digits, &mut out).unwrap();
            assert_eq!(out, *text);
        }
        assert!(rest.is_empty() && rest_digits.is_empty());
        (letters, digits)
    }

    #[test]
    fn digits_go_to_a_column_of_their_own() {
        let (letters, digits) = check(&[b"/c/17/p/0042", b"/c/18/p/1234", b"/"]);
        assert_eq!(letters, b"/c/\x82/p/\x84\n/c/\x82/p/\x84\n/\n");
        assert_eq!(digits, b"170042181234");
    }

    #[test]
    fn runs_of_any_length_and_bytes_of_any_kind_come_back() {
        check(&[&[b'7'; 1000], b"", b"a\nb\xffc\x80", &[b'1'; MAX_RUN], &[b'2'; MAX_RUN + 1]]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn nothing_panics(letters: Vec<u8>, digits: Vec<u8>) {
            let (mut letters, mut digits, mut out) = (&letters[..], &digits[..], Vec::new());
            while take(&mut letters, &mut digits, &mut out).is_some() {}
        }
    }
}
