//! `crawl sitemap`: the entries of a sitemap or feed.

use crawl::parser::plumbing;

use super::output::Lines;
use super::source::{self, BasedFileArgs};
use crate::cli::failure::Failure;

/// Prints a line per entry.
pub(crate) fn sitemap(args: &BasedFileArgs) -> Result<(), Failure> {
    let base = args.base.to_url();
    let body = source::read(&args.file.file)?;
    let entries = plumbing::sitemap(&body, args.file.content_type.as_deref(), &base);
    Lines::write_all(entries.into_iter())
}
