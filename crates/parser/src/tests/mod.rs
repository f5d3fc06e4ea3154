//! Tests of the whole path from bytes to settled pages.

mod agreement;
mod declarative;
mod decoding;
mod linking;
mod outlining;
mod settling;
