//! `crawl links`: the links of a document.

use crawl::parser::plumbing;

use super::output::Lines;
use super::source::{self, BasedFileArgs};
use crate::cli::failure::Failure;

/// Prints a line per link.
pub(crate) fn links(args: &BasedFileArgs) -> Result<(), Failure> {
    let base = args.base.to_url();
    let body = source::read(&args.file.file)?;
    let links = plumbing::links(&body, args.file.content_type.as_deref(), &base);
    Lines::write_all(links.into_iter())
}
