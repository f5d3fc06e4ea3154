//! Pages for a spider that runs elsewhere than on the CPU threads: in a child process, in a test.

use std::sync::Arc;

use crawl_model::{Request, Response};
use crawl_spider::{Page, Spider};

use super::{Document, Habit, Reading};
use crate::links::kinds::Kinds;
use crate::spiders::ParseConfig;
use crate::stream::Table;

/// Opens pages just as a crawl with this config does for this spider, which was prepared: the same text, the same
/// links, and what the spider wants matched in the same pass.
pub struct PageOpener {
    detect_encoding: bool,
    kinds: Kinds,
    table: Option<Arc<Table>>,
    habit: Arc<Habit>,
}

impl PageOpener {
    /// Asks the spider what it wants, once.
    #[must_use]
    pub fn new(config: &ParseConfig, spider: &dyn Spider) -> Self {
        Self {
            detect_encoding: config.detect_encoding,
            kinds: config.links.iter().copied().collect(),
            table: Table::of(spider),
            habit: Arc::default(),
        }
    }

    /// Opens a page that was fetched then (milliseconds since the Unix epoch) and lets `read` have
    /// it.
    pub fn open<T>(
        &self,
        request: &Request,
        response: &Response,
        fetched_ms: u64,
        read: impl FnOnce(&Page<'_>) -> T,
    ) -> T {
        let reading = Reading {
            detect_encoding: self.detect_encoding,
            kinds: self.kinds,
            table: self.table.clone(),
            habit: Some(self.habit.clone()),
            readers: None,
            judge: None,
            recall: None,
        };
        let document = Document::open(&request.url, response, &reading).at(fetched_ms);
        read(&Page::new(request, response, &document))
    }
}
