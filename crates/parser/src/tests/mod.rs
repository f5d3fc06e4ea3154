//! Tests of the whole path from bytes to settled pages.

mod agreement;
mod data;
mod declarative;
mod decoding;
mod labels;
mod linking;
mod prescanning;
mod reading;
mod selecting;
mod settling;
mod sniffing;
