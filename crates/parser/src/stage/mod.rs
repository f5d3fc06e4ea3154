//! The stage of the pipeline: takes what was fetched, gives what is to be stored.

mod crew;
mod parser;

mod case;

mod admit;
mod page;
mod record;
mod sitemap;

pub use crew::CrewEnd;
pub(crate) use parser::check_expression;
pub use parser::{Parser, SpiderLog, start};
