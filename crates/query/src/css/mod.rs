//! The grammar of CSS selectors.
//!
//! Selectors Level 4 (`:is`, `:where`, `:not` and `:has` with lists, `:nth-child(.. of S)`, the
//! flags `i` and `s`, namespaces), with three things that people who scrape are used to: `::text`,
//! `::attr(name)` and `:contains("text")`. cssparser tokenizes; the grammar (`parse.rs`,
//! `simple.rs`) is our own, because its users' selectors need errors that say where.

mod ast;
mod parse;
mod simple;

pub use ast::{
    AttrTest, Case, Complex, Ending, Name, Nth, Operator, Part, Relation, Selector, State, Test,
    ValueTest, is_place,
};

use crate::{Names, SyntaxError};

/// Compiles a list of selectors.
///
/// # Errors
/// [`SyntaxError`] that says what is wrong and where.
pub fn parse<N: Names>(css: &str) -> Result<Selector<N>, SyntaxError> {
    Ok(Selector { list: parse::parse(css)? })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    #[test]
    fn errors_say_what_is_wrong_and_where_in_one_line() {
        for (css, reason) in [
            ("", "it is empty"),
            (" \n", "it is empty"),
            ("a >", "a combinator has nothing behind it"),
            ("a > , b", "a combinator has nothing behind it, at character 5"),
            ("> a", "a combinator has nothing before it"),
            ("a,,b", "nothing is before a comma, at character 3"),
            ("a,", "it is empty"),
            ("[", "the name of an attribute is missing"),
            ("a[href", ""),
            ("[=x]", "the name of an attribute is missing, at character 2"),
            ("[*]", "`|` and a name is missing, at character 3"),
            ("[a=]", "a name or a string in quotes is missing"),
            ("[a=1]", "a name or a string in quotes is missing, at character 4"),
            ("[a!=b]", "`!` is not expected there, at character 3"),
            ("[a=b x]", "`x` is not expected there, at character 6"),
            ("[a=b i i]", "`i` is not expected there, at character 8"),
            ("..a", "the name of a class is missing, at character 2"),
            ("a b!", "`!` is not expected there, at character 4"),
            ("é #1st", "`#1st` is no name; write `[id=\"1st\"]`, at character 3"),
            ("p:hoover", "the pseudo-class `:hoover` is not known, at character 2"),
            ("p:before", "the pseudo-class `:before` is not known, at character 2"),
            ("p::before", "`::before` is not `::text` or `::attr(name)`, at character 2"),
            ("p::text b", "`b` is not expected there, at character 9"),
            ("p::text.b", "`.` is not expected there, at character 8"),
            ("p::attr", "`::attr` needs the name of an attribute: `::attr(href)`, at character 2"),
            ("p::attr()", "the name of an attribute is missing"),
            ("p::attr(a b)", "`b` is not expected there, at character 11"),
            ("p:::", "the name of a pseudo-class is missing, at character 4"),
            (":not(p::text)", "`::text` cannot stand in brackets, at character 7"),
            (":not()", "it is empty"),
            (":not(:foo)", "the pseudo-class `:foo` is not known, at character 6"),
            (":has(a:has(b))", "`:has()` cannot stand in `:has()`, at character 7"),
            ("a:nth-child(x)", "is missing, at character 13"),
            ("a:nth-child(2 of)", "it is empty"),
            ("a:nth-of-type(2 of b)", "`of` is not expected there, at character 17"),
            ("foo|a", "the prefix `foo` is not known; `*|` means any namespace, at character 1"),
            ("a:lang()", "a language is missing"),
            ("a:contains(b c)", "`c` is not expected there, at character 14"),
            ("a)", "`)` is not expected there, at character 2"),
            (":is(])", "`]` is not expected there, at character 5"),
            ("a {}", "`{` is not expected there, at character 3"),
        ] {
            if reason.is_empty() {
                assert!(crate::css(css).is_ok(), "{css}");
                continue;
            }
            let error = crate::css(css).expect_err(css).to_string();
            assert!(error.starts_with(&format!("`{css}` is not a CSS selector: ")), "{error}");
            assert!(error.contains(reason), "{error}");
            assert!(error.len() < 140 && (!error.contains('\n') || css == " \n"), "{error}");
        }
    }

    #[test]
    fn what_is_too_deep_is_an_error_and_what_is_long_is_not() {
        let nested = |n: usize| format!("{}a{}", ":not(".repeat(n), ")".repeat(n));
        assert!(crate::css(&nested(16)).is_ok());
        let error = crate::css(&nested(100_000)).unwrap_err();
        assert_eq!(error.reason, "its brackets nest too deep");
        assert!(crate::css(&"a ".repeat(500)).is_ok());
        let error = crate::css(&"a ".repeat(600)).unwrap_err();
        assert_eq!(error.reason, "it has more than 512 parts");
        assert!(crate::css("#a > b,".repeat(10_000).trim_end_matches(',')).is_ok());
    }
}
