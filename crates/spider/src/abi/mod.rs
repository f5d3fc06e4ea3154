//! The boundary between a host and a plugin that were compiled apart.
//!
//! What crosses it is plain bytes, written and read by [`wire`]: it holds no pointers and trusts
//! nobody, so that the same frames serve over a pipe to a child process.

pub mod wire;
