//! The plugin's half of the boundary.
//!
//! Panics end here: each callback is caught and answered as a status with a message. What the host
//! serves is borrowed where it can be: texts and attributes are read where they lie, in the host's
//! memory.

#![allow(unsafe_code, reason = "this is where a plugin meets its host; each block says why")]

mod calls;
mod header;
mod line;
mod page;
mod rows;
mod urls;
