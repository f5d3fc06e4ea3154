//! The logic of the plumbing commands: bytes in, lines out. Reading files and printing is the
//! command line's.

mod decode;

pub use decode::{DecodeLine, decode};
