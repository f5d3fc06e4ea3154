//! The stage of the pipeline: takes what was fetched, gives what is to be stored.

mod parser;
mod run;

mod admit;
mod page;
mod record;
mod redirect;

pub use parser::{Parser, SpiderLog, start};
