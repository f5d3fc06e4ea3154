//! What scraper alone needs for the trees of a site's pages: the yardstick of the spider that
//! selects in them.
//!
//! Beyond it a crawl fetches, finds links, makes items and keeps all that. It is this binary again,
//! on the crawler's core, so compiler and allocator are the same.

use std::io::{self, Write};
use std::process::Stdio;
use std::time::Duration;

use crawl::parser::bare::BareTree;
use crawl_testsite::{Site, SiteRequest};
use rustix::time::{ClockId, clock_gettime};

use super::crawler::{broken, this_binary};
use super::process;
use super::workload::Workload;
use crate::cli::failure::{Exit, Failure, unless_closed};

/// What `spiders/dom.rs` selects.
const ROWS: &str = "article.product_pod";
const FIELDS: [(&str, Option<&str>); 2] = [("h3 a", Some("title")), (".price_color", None)];

/// Reads all pages of a workload, round by round.
pub(crate) struct Bare {
    workload: Workload,
    pages: Option<u32>,
}

impl Bare {
    pub(crate) fn new(workload: Workload, pages: Option<u32>) -> Self {
        Self { workload, pages }
    }

    /// CPU time of a page: its tree built, selected in, given back.
    pub(crate) fn read(&self, cores: &[usize]) -> Result<Duration, Failure> {
        let mut command = this_binary()?;
        command.args(["bench", "--bare", self.workload.name()]);
        if let Some(pages) = self.pages {
            command.args(["--pages", &pages.to_string()]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = process::spawn_on(cores, &mut command).map_err(broken)?;
        let told = child.wait_with_output().map_err(broken)?.stdout;
        let nanos = String::from_utf8_lossy(&told).trim().parse();
        nanos.map(Duration::from_nanos).map_err(|_| {
            Failure::new(Exit::Broken, "scraper did not read the pages that it is compared with")
        })
    }
}

/// Reads all pages; nanoseconds a page are the first line of stdout.
pub(crate) fn tell(workload: Workload, pages: Option<u32>) -> Result<(), Failure> {
    let market = workload.market(pages);
    let tree = BareTree::new(ROWS, &FIELDS).ok_or_else(|| spoilt("a selector"))?;
    let expected = u64::from(market.shape.cards) * FIELDS.len() as u64;
    let (mut spent, mut n) = (Duration::ZERO, 0_u32);
    for path in market.truth().urls {
        let body = market.respond(&SiteRequest::get("127.0.0.1", &path)).body;
        let html = std::str::from_utf8(&body).map_err(|_| spoilt("a page"))?;
        let start = cpu_time();
        let found = tree.read(html);
        spent += cpu_time().saturating_sub(start);
        n += 1;
        if found as u64 != expected {
            return Err(spoilt("the number of values"));
        }
    }
    unless_closed(writeln!(io::stdout(), "{}", (spent / n.max(1)).as_nanos()))
}

fn spoilt(what: &str) -> Failure {
    Failure::new(Exit::Broken, format!("{what} is not what the benchmark's site has"))
}

/// CPU time of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}
