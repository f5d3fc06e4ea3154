//! What the plumbing commands do, without their input and output: one function each.

mod url;

pub use url::{UrlLine, normalize};
