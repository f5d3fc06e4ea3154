//! Runs the callbacks of spiders over fixtures: no network, the parser of a real crawl, and a
//! clock that stands still.
//!
//! A [`Fixture`] is a request and its answer: made in a test from a text, or a file that `crawl
//! record` wrote and a person may edit. A [`SpiderTest`] runs a spider on it by the rules of a
//! crawl (statuses, redirects, `Spider::error`, repeated links) and gives the [`Outcome`]: items,
//! requests, log lines, counts. What a whole folder of fixtures gives is compared with snapshots
//! beside them by [`check_folder`](SpiderTest::check_folder), which is what `crawl check` does, too.
//!
//! ```
//! use crawl_spider::prelude::*;
//! use crawl_spidertest::{Fixture, SpiderTest};
//!
//! struct Teas;
//!
//! impl Spider for Teas {
//!     fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
//!         for tea in page.css("li")? {
//!             out.item(&json!({ "name": tea.text() }))?;
//!         }
//!         out.follow_css(page, "a.next")?.label("list");
//!         Ok(())
//!     }
//! }
//!
//! let page = Fixture::html("http://shop.test/", "<a class=next href=2>next</a><li>Assam<li>Chai");
//! let got = SpiderTest::new(Teas).run(&page);
//! got.assert_items(&json!([{ "name": "Assam" }, { "name": "Chai" }]));
//! assert_eq!(got.urls(), ["http://shop.test/2"]);
//! assert_eq!(&*got.requests[0].label, "list");
//! ```
//!
//! Not here: fetching (`crawl record`), loading plugins (a plugin's own tests link it).

mod fixture;
mod folder;
mod format;
mod outcome;
mod snapshot;
mod test;

mod diff;
mod time;

pub use fixture::Fixture;
pub use folder::{Case, CaseEnd, Folder, FolderError, Mode, Report};
pub use format::FormatError;
pub use outcome::Outcome;
pub use snapshot::UPDATE;
pub use test::SpiderTest;

pub use crawl_model::{FailureKind, Verdict};
pub use crawl_parser::TestPage;
