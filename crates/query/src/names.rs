//! What the names and patterns in a compiled text are: interned where documents are searched,
//! plain text where a text is only checked.

use std::fmt::Debug;

/// What names and patterns become when a selector or an expression is compiled.
///
/// Who matches documents has its own kind of names, which compare as fast as numbers do; a macro
/// that only checks a text has no use for them, and must not have to build them.
pub trait Names: Debug + Clone + Copy + PartialEq + Eq + 'static {
    /// The name of an element or an attribute, without prefix.
    type Local: Debug + Clone + PartialEq + Eq + for<'a> From<&'a str>;
    /// A namespace.
    type Space: Debug + Clone + PartialEq + Eq + for<'a> From<&'a str>;
    /// A compiled regular expression.
    type Pattern: Debug;

    /// Compiles a regular expression.
    ///
    /// # Errors
    /// What is wrong with it, in one line that names it.
    fn pattern(pattern: &str, any_case: bool) -> Result<Self::Pattern, String>;
}

/// Names as text, and patterns that are only checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plain;

impl Names for Plain {
    type Local = Box<str>;
    type Space = Box<str>;
    type Pattern = ();

    fn pattern(pattern: &str, _any_case: bool) -> Result<(), String> {
        crate::regex(pattern)
            .map_err(|wrong| format!("`{pattern}` is no regular expression: {}", wrong.reason))
    }
}

/// Namespaces that have a prefix of their own.
pub(crate) mod spaces {
    pub(crate) const NONE: &str = "";
    pub(crate) const HTML: &str = "http://www.w3.org/1999/xhtml";
    pub(crate) const SVG: &str = "http://www.w3.org/2000/svg";
    pub(crate) const MATH: &str = "http://www.w3.org/1998/Math/MathML";
    pub(crate) const XLINK: &str = "http://www.w3.org/1999/xlink";
    pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
}
