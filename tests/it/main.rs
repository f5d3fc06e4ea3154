//! Whole crawls against the local test site, the command line, and the shape of the workspace.
//!
//! One binary, so that the tests link once. Nothing here leaves the loopback interface.

mod bad_input;
mod bookshop;
mod graph;
mod hosts;
mod kill;
mod resume;
mod stream;
mod support;
