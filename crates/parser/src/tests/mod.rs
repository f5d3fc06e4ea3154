//! Tests of the whole path from bytes to settled pages.

mod agreement;
mod data;
mod declarative;
mod decoding;
mod deriving;
mod hard_sitemaps;
mod labels;
mod linking;
mod outlining;
mod prescanning;
mod proposing;
mod reading;
mod ready;
mod rules;
mod selecting;
mod settling;
mod sitemaps;
mod sniffing;
mod streaming;
mod urls;
mod viewing;
mod xpathing;
