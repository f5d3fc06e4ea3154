//! Documents that are data: JSON queries, rows of CSV, regular expressions on what was found.
//!
//! Each with its own kind of text that is compiled once and kept per thread (`compiled`).

pub(crate) mod csv;
pub(crate) mod json;
pub(crate) mod pattern;

mod compiled;
