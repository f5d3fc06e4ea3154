//! What the single commands of the command line answer, as plain functions: bytes in, lines out.

mod sitemap;

pub use sitemap::{Sitemap, SitemapKind, SitemapLine, sitemap};
