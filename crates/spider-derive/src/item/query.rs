//! Selectors, checked where they are written.

use crawl_query::css::Ending;
use crawl_query::xpath::{Axis, Expr, Path, Start, Test, Type};
use crawl_query::{Plain, SyntaxError};
use syn::{Error, LitStr, Result};

/// Where items stand.
#[derive(Debug, Clone)]
pub(super) enum Select {
    Page,
    Css(String),
    XPath(String),
}

/// What a selector gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// Elements, of which something is to be taken.
    Elements,
    /// Texts or attributes, which are values already.
    Values,
}

fn at(text: &LitStr, error: &SyntaxError) -> Error {
    Error::new(text.span(), error)
}

/// A CSS selector, trimmed, and what it gives.
pub(super) fn css(text: &LitStr) -> Result<(String, Gives)> {
    let css = text.value().trim().to_owned();
    let selector = crawl_query::css(&css).map_err(|error| at(text, &error))?;
    let gives = if selector.has_endings() { Gives::Values } else { Gives::Elements };
    Ok((css, gives))
}

/// The selector and the attribute of one that ends with `::attr(name)`, written so that it can be
/// matched while a page streams by; `None` if it is no such selector.
pub(super) fn with_attribute(css: &str) -> Option<(String, String)> {
    let selector = crawl_query::css(css).ok()?;
    let [complex] = &*selector.list else { return None };
    let Ending::Attr(name) = &complex.ending else { return None };
    let (head, _) = css.rsplit_once("::")?;
    let is_plain = name.written == name.lower && super::field::is_attribute_name(&name.lower);
    let ends_in_name =
        head.ends_with(|c: char| c.is_alphanumeric() || matches!(c, ']' | ')' | '*'));
    (is_plain && ends_in_name && !name.lower.contains([':', '.']))
        .then(|| (format!("{head}[{}]", name.lower), name.lower.to_string()))
}

/// An XPath expression and what it gives.
pub(super) fn xpath(text: &LitStr, is_within: bool) -> Result<(String, Gives)> {
    let source = text.value();
    let parsed = crawl_query::xpath(&source).map_err(|error| at(text, &error))?;
    if is_within && source.trim_start().starts_with('/') {
        let what = format!(
            "`{source}` begins at the page's root, so it finds the same for each item; \
             write `.{source}`, or `({source})` if that is what you mean"
        );
        return Err(Error::new(text.span(), what));
    }
    Ok((source, gives(&parsed.expr)))
}

fn gives(expr: &Expr<Plain>) -> Gives {
    match expr {
        Expr::Union(parts) if parts.iter().all(|part| gives(part) == Gives::Values) => {
            Gives::Values
        }
        Expr::Path(Path { steps, start, .. }) => match (steps.last(), start) {
            (Some(step), _) if step.axis == Axis::Attribute => Gives::Values,
            (Some(step), _) if matches!(step.test, Test::Text | Test::Comment) => Gives::Values,
            (None, Start::Filter(expr, _)) => gives(expr),
            _ => Gives::Elements,
        },
        expr if expr.kind() != Type::Nodes => Gives::Values,
        _ => Gives::Elements,
    }
}

/// The CSS selector of items.
pub(super) fn select_css(text: &LitStr) -> Result<Select> {
    match css(text)? {
        (css, Gives::Elements) => Ok(Select::Css(css)),
        (_, Gives::Values) => {
            let what = "an item stands in an element; leave out `::text` and `::attr(..)`";
            Err(Error::new(text.span(), what))
        }
    }
}

/// The XPath expression of items.
pub(super) fn select_xpath(text: &LitStr) -> Result<Select> {
    match xpath(text, false)? {
        (expr, Gives::Elements) => Ok(Select::XPath(expr)),
        (_, Gives::Values) => {
            let what =
                "an item stands in an element, and this gives texts, attributes or plain values";
            Err(Error::new(text.span(), what))
        }
    }
}

/// A regular expression.
pub(super) fn regex(text: &LitStr) -> Result<String> {
    let pattern = text.value();
    crawl_query::regex(&pattern).map_err(|error| at(text, &error))?;
    Ok(pattern)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn selectors_with_an_attribute_are_split() {
        let split = |css| with_attribute(css);
        let found = split("h3 a::attr(href)").unwrap();
        assert_eq!(found, ("h3 a[href]".to_owned(), "href".to_owned()));
        assert_eq!(split("a[x]::attr('y')").unwrap().0, "a[x][y]");
        for css in ["a", "a::text", "a ::attr(x)", "a > ::attr(x)", "a::attr(X)", "a::attr(x), b"] {
            assert_eq!(split(css), None, "{css}");
        }
    }

    #[test]
    fn what_expressions_give_is_known() {
        for (expr, expected) in [
            ("//a", Gives::Elements),
            ("//a/@href", Gives::Values),
            ("//a/text()", Gives::Values),
            ("//a | //@b", Gives::Elements),
            ("//@a | //text()", Gives::Values),
            ("(//@a)[1]", Gives::Values),
            ("string(//a)", Gives::Values),
            ("count(//a)", Gives::Values),
            ("id('x')", Gives::Elements),
        ] {
            assert_eq!(gives(&crawl_query::xpath(expr).unwrap().expr), expected, "{expr}");
        }
    }
}
