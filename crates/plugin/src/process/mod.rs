//! Plugins in child processes: what cannot be stopped in a process can be stopped as one.
//!
//! An endless loop, an endless allocation, an overflown stack, an `abort` in native code: each
//! takes a whole process with it, or can only be ended with one. So the plugin runs in a child,
//! one for each CPU thread that is at work, and the two halves talk in frames over a socket pair:
//!
//! ```text
//! parent: Isolated (a Spider)  --- request + response ---> child: serve(Guest)
//!                              <-- harvest, or error ----
//! ```
//!
//! The child opens the page itself, with the same parser, so that selecting needs no round trip.
//! Strictly one question, one answer; each frame is bounded, and the parent waits with a deadline.
//! A child that dies or is late costs its page and nothing else; the next page gets a new one.
//!
//! This keeps mistakes from doing harm. It is no sandbox against malice: a plugin may do whatever
//! the user may do who runs it.
//!
//! Not here: how a page is opened and a library is loaded (the program brings a [`Guest`]).

mod frames;
mod pipe;

mod child;
mod parent;

pub use child::{Guest, serve};
pub use frames::Sent;
pub use parent::{Isolated, IsolationError, Launch};

#[cfg(test)]
mod tests;
