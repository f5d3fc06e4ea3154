//! Checks regular expressions in the syntax of the `regex` crate, without its engine.

use regex_syntax::ast;

use crate::SyntaxError;

/// Checks a regular expression.
///
/// Its grammar is checked, not whether a `\p{..}` names a property that there is: that would take
/// all of Unicode's tables.
///
/// # Errors
/// [`SyntaxError`] that says what is wrong and where.
pub fn regex(pattern: &str) -> Result<(), SyntaxError> {
    let mut parser = ast::parse::ParserBuilder::new().nest_limit(250).build();
    match parser.parse(pattern) {
        Ok(_) => Ok(()),
        Err(error) => {
            let at = error.span().start.offset;
            let reason = match at < pattern.trim_end().len() {
                true => format!("{}, at character {}", error.kind(), crate::place_of(pattern, at)),
                false => error.kind().to_string(),
            };
            Err(SyntaxError::new("regular expression", pattern, reason))
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_no_expression_says_why_and_where() {
        for (pattern, reason) in [
            (r"(\d+", "unclosed group, at character 1"),
            (
                "ä{2,1}",
                "invalid repetition count range, the start must be <= the end, at character 2",
            ),
            ("a)", "unopened group, at character 2"),
            (
                "[z-a]",
                "invalid character class range, the start must be <= the end, at character 2",
            ),
            (
                "a(?=b)",
                "look-around, including look-ahead and look-behind, is not supported, at character 2",
            ),
            ("*", "repetition operator missing expression, at character 1"),
            (
                "a\\",
                "incomplete escape sequence, reached end of pattern prematurely, at character 2",
            ),
        ] {
            let error = crate::regex(pattern).expect_err(pattern);
            assert_eq!(error.reason, reason, "{pattern}");
            assert!(error.to_string().starts_with(&format!("`{pattern}` is not a regular")));
        }
        for pattern in [r"star-rating (\w+)", r"\p{Greek}+", "(?P<n>x)|(?i:y)", ""] {
            assert_eq!(crate::regex(pattern), Ok(()), "{pattern}");
        }
        assert!(crate::regex(&"(".repeat(100_000)).is_err());
    }
}
