//! Wires the stages into a crawl; the only crate that knows them all.
//!
//! `pipeline` is the one screen that shows every channel and every task. The rest of the
//! crate is what stands around it: the builder before, the [`Pages`] stream and the [`Handle`]
//! beside, the closing after.
//!
//! Not here: TOML, the command line (crate `crawl`), and any rule of crawling (the stages).

mod builder;
mod config;
mod error;
mod middleware;
mod recrawl;
mod report;

mod opened;
mod pipeline;
mod supervise;

mod backlog;
mod handle;
mod pages;
mod running;

mod control;
mod links;
mod order;

mod admission;
mod seeds_file;

mod import;
mod replay;
mod session;

pub use builder::{Crawl, CrawlBuilder};
pub use config::{CrawlConfig, HostRules};
pub use control::{ControlError, ask, order};
pub use crawl_frontier::{Blocked, End, Pace, Seeded, Setting, Status, TrapSighting};
pub use error::CrawlError;

pub use handle::Handle;
pub use links::answer;

pub use import::{ImportNews, Imported, import};
pub use middleware::{Middleware, Waiting};
pub use order::{Order, Reload};
pub use pages::Pages;
pub use recrawl::Recrawled;
pub use replay::Replayed;
pub use report::{Change, Report};
pub use running::Running;
pub use seeds_file::SeedsRead;
pub use session::{Completed, Followed, LookEnd, Looked, Session};
