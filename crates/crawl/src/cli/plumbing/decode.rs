//! `crawl decode`: bytes to text.

use std::iter;

use crawl::parser::plumbing;

use super::output::Lines;
use super::source::{self, FileArgs};
use crate::cli::failure::Failure;

/// Prints the encoding and the text.
pub(crate) fn decode(args: &FileArgs) -> Result<(), Failure> {
    let body = source::read(&args.file)?;
    Lines::write_all(iter::once(plumbing::decode(&body, args.content_type.as_deref())))
}
