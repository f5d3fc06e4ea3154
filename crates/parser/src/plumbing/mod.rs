//! The logic of the plumbing commands: bytes in, lines out. Reading files and printing is the
//! command line's.

mod links;

pub use links::{LinkLine, links};
