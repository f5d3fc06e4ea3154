//! The stage of the pipeline: takes what was fetched, gives what is to be stored.

mod crew;
mod parser;

mod case;

mod admit;
mod page;
mod record;
mod sitemap;

pub use crew::CrewEnd;
pub use parser::{Parser, ResponseHook, SpiderLog, start};
