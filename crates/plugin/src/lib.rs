//! Loads spiders that are shared libraries, and builds them.
//!
//! [`inspect`] reads a library's header out of the file: nothing of it runs before its versions,
//! sizes and panic strategy are found to be right. [`load`] opens it then, and yields a
//! [`PluginSpider`], a [`Spider`](crawl_spider::Spider) like any other. A library stays loaded to
//! the end of the process: its code may stand on any thread's stack, and a new build is a new file
//! beside the old one.
//!
//! [`find`] takes the folder of a crate, too: it is built by cargo, and kept by its content.
//!
//! All bytes that a plugin answers are checked; a frame that makes no sense is an error of that
//! page, as if the spider had returned one. What cannot be caught here is code that is not Rust's
//! any more: a pointer gone wild, a stack run out. [`process`] runs a plugin in a child process
//! instead, which may have all of that.
//!
//! Not here: selecting, which the page's services do.

mod about;
mod error;

mod build;
mod cargo;
mod content;

mod host;
mod library;
mod rows;
mod spider;

pub mod process;

pub use about::{About, inspect};
pub use build::find;
pub use error::PluginError;
pub use spider::{PluginSpider, load, load_in_child};

#[cfg(test)]
mod tests;
