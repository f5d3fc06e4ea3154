//! The macros of the spider SDK, which re-exports them; nobody depends on this crate directly.
