//! The grammar of XPath 1.0 (W3C Recommendation of 16 November 1999).
//!
//! A text is cut into tokens (`lex`) and parsed into a typed tree (`parse`, `ast`, `functions`):
//! whatever can be wrong in all documents is found here. Beyond the standard there are, as parsel
//! and lxml have it, `re:test`, `re:match`, `re:replace`, `has-class`, and EXSLT's `set:` functions.
//! There are no variables.

mod lex;

mod ast;
mod functions;
mod parse;

pub use ast::{Arithmetic, Axis, Comparison, Expr, Name, Path, Predicate, Start, Step, Test, Type};
pub use functions::{Function, Signature};

use crate::{Names, SyntaxError, place_of};

/// What an expression is compiled to.
#[derive(Debug)]
pub struct Expression<N: Names> {
    /// Its tree.
    pub expr: Expr<N>,
    /// The prefixes of its name tests, each once.
    pub prefixes: Vec<Box<str>>,
    /// How many paths want their answer kept.
    pub n_slots: usize,
}

/// Compiles an expression.
///
/// # Errors
/// [`SyntaxError`] that says at which character what is wrong: grammar, unknown axes and
/// functions, number and types of arguments, regular expressions.
pub fn parse<N: Names>(source: &str) -> Result<Expression<N>, SyntaxError> {
    parse::parse(source).map_err(|wrong| {
        let reason = format!("{} (character {})", wrong.reason, place_of(source, wrong.at));
        SyntaxError::new("XPath expression", source, reason)
    })
}

/// Whether the flags of a regular expression ask for any case.
///
/// # Errors
/// What is wrong with them, if they are not of `i` (any case) and `g` (all matches).
pub fn regex_flags(flags: &str) -> Result<bool, String> {
    match flags.chars().find(|flag| !matches!(flag, 'i' | 'g')) {
        Some(flag) => {
            Err(format!("the flags of regular expressions are `i` and `g`, not `{flag}`"))
        }
        None => Ok(flags.contains('i')),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    #[test]
    fn what_is_no_expression_says_why_and_where() {
        for (xpath, reason) in [
            ("", "an expression is expected, but it ends (character 1)"),
            ("//", "a name, `*`, `@`, `.` or a node test is expected, but it ends (character 3)"),
            ("//a[", "an expression is expected, but it ends (character 5)"),
            ("//a[1", "`]` is expected, but it ends (character 6)"),
            ("//ä b", "an operator is expected instead of `b` (character 5)"),
            ("a]", "the end is expected (character 2)"),
            ("'x", "the string has no closing ' (character 1)"),
            ("a ! b", "`!` is not expected (character 3)"),
            ("a/string()", "`string()` cannot be a step in XPath 1.0 (character 3)"),
            ("ends-with(a, 'x')", "there is no function `ends-with()` (character 1)"),
            ("str:tokenize('a')", "there is no function `str:tokenize()` (character 1)"),
            ("count()", "`count()` takes 1 argument, not 0 (character 1)"),
            ("last(1)", "`last()` takes no arguments, not 1 (character 1)"),
            ("concat('a')", "`concat()` takes at least 2 arguments, not 1 (character 1)"),
            ("substring('a')", "`substring()` takes 2 to 3 arguments, not 1 (character 1)"),
            ("has-class()", "`has-class()` takes at least 1 argument, not 0 (character 1)"),
            (
                "count('x')",
                "what `count()` takes must be nodes, and this is a string (character 7)",
            ),
            ("sum(1 = 1)", "what `sum()` takes must be nodes, and this is a boolean (character 5)"),
            ("//a | 'b'", "a side of `|` must be nodes, and this is a string (character 7)"),
            ("'a'[1]", "what has a predicate must be nodes, and this is a string (character 1)"),
            ("(1)/a", "what has steps must be nodes, and this is a number (character 1)"),
            ("$x", "there are no variables, so `$x` has no value (character 1)"),
            ("up::a", "`up` is no axis (character 1)"),
            (
                "child::",
                "a name, `*`, `@`, `.` or a node test is expected, but it ends (character 8)",
            ),
            (".[1]", "`.` and `..` take no predicate; `self::node()[…]` does (character 2)"),
            (
                "re:test(., '(')",
                "`(` is no regular expression: unclosed group, at character 1 (character 1)",
            ),
            (
                "re:test(., 'a', 'q')",
                "the flags of regular expressions are `i` and `g`, not `q` (character 1)",
            ),
        ] {
            let error = crate::xpath(xpath).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("`{xpath}` is not an XPath expression: {reason}")
            );
        }
    }
}
