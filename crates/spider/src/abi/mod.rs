//! The boundary between a host and a plugin that were compiled apart.
//!
//! A plugin is a shared library with one exported static, its [`Header`](layout::Header): what it
//! was built with, readable from the file before any of its code runs, and what can be called.
//! Calls are synchronous. A page goes in as borrowed bytes and one function that serves what needs
//! a parser ([`layout::Service`]); one frame with all that was harvested comes out.
//!
//! - [`wire`]: values as bytes. It holds no pointers and trusts nobody, so that the same frames
//!   serve over a pipe to a child process.
//! - [`layout`]: the structs that cross, and who owns what.
//! - [`guest`]: the plugin's half: the callbacks behind the header, and a page whose services are
//!   the host's. The host's half is the crate `crawl-plugin`.
//!
//! `#[spider]` writes the one static; nobody else has to look in here.

pub mod guest;
pub mod layout;
pub mod wire;
