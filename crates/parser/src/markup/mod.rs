//! HTML and XML as a stream of tags and texts, without a tree.

pub(crate) mod charref;
pub(crate) mod events;
pub(crate) mod foreign;
pub(crate) mod scan;
