//! The names in compiled selectors and expressions: those of the tree, which compare as numbers.

use crawl_query::Names;
use html5ever::{LocalName, Namespace};
use regex::Regex;

use crate::xpath;

/// Names as the tree has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Atoms;

impl Names for Atoms {
    type Local = LocalName;
    type Space = Namespace;
    type Pattern = Regex;

    fn pattern(pattern: &str, any_case: bool) -> Result<Regex, String> {
        xpath::pattern(pattern, any_case)
    }
}
