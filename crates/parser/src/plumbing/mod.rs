//! The logic of the plumbing commands: bytes in, lines out. Reading files and printing is the
//! command line's.

mod select;

pub use select::{Output, Query, SelectLine, Selected, select, selected};
