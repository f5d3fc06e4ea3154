//! Tests of the whole path from bytes to settled pages.

mod agreement;
mod declarative;
mod decoding;
mod hard_sitemaps;
mod linking;
mod settling;
mod sitemaps;
