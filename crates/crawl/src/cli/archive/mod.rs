//! Commands for archives: index, import, clean up.

pub(crate) mod args;

mod cdxj;
mod import;
mod upkeep;

pub(crate) use cdxj::cdxj;
pub(crate) use import::import;
pub(crate) use upkeep::{compact, gc};
