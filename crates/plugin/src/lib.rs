//! Spiders that were compiled apart from the program that runs them.
//!
//! Not here: HTML, the network, the command line.

pub mod process;
