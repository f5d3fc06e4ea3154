//! The stage of the pipeline: takes what was fetched, gives what is to be stored.

mod crew;
mod parser;

mod case;
mod loadout;
mod policy;

mod admit;
mod copies;
mod files;
mod near;
mod page;
mod record;
mod sitemap;

pub use crew::{CrewEnd, LetGo};
pub(crate) use parser::check_expression;
pub use parser::{Parser, ResponseHook, SpiderLog, check_spider, start};
pub use policy::give_way;
