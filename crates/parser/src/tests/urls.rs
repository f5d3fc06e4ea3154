//! URLs by the URL Standard.

mod agreement;
mod standard;
