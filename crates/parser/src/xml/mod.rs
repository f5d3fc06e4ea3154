//! XML documents that are lists of links: sitemaps and feeds.

pub(crate) mod feed;
