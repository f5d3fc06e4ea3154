//! One answer of the fetcher in, one settled page out.

use std::any::Any;
use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crawl_model::{
    Archivist, CanonicalUrl, Ending, Errand, Exchange, Fetched, Found, PageItems, PageRecord,
    Parsed, Request, Response, Texts, Ticket, Verdict, View,
};
use crawl_pipeline::Pipeline;
use crawl_spider::{
    Closed, Expression, Harvest, Harvested, Language, LogLevel, LogLine, Spider, SpiderError,
};
use tokio::sync::watch;

use super::admit::number_all;
use super::case::Case;
use super::copies::Copies;
use super::loadout::{Current, Loadout};
use super::near::NearCopies;
use super::record;
use crate::css;
use crate::data::{json, pattern};
use crate::document::{Judge, Reading};
use crate::links::memo::{Memo, Recall};
use crate::reader::{MediaPattern, Reader, Readers};
use crate::spiders::ParseConfig;
use crate::xpath;

/// Reads the answers to tickets, and runs the spider on those that are pages.
///
/// Shared by all CPU threads. A callback stands or falls as a whole: of one that returned an
/// error or panicked neither items nor requests are kept, so that what a page gave is always
/// all that the spider wanted of it. (Scrapy keeps what was yielded before an exception.)
pub struct Parser {
    pub(crate) config: ParseConfig,
    pub(crate) max_redirects: u32,
    /// The product token that robots meta tags may name.
    pub(crate) agent: Box<str>,
    /// The spider; another may take its place at any time.
    current: Current,
    pub(crate) view: Arc<dyn View>,
    /// Which references lead to URLs that it knows.
    pub(crate) memo: Arc<Memo>,
    keeps_responses: bool,
    readers: Readers,
    pub(crate) pipeline: Pipeline,
    hook: Option<Arc<dyn ResponseHook>>,
    pub(crate) archivist: Option<Arc<dyn Archivist>>,
    pub(crate) copies: Copies,
    pub(crate) near_copies: NearCopies,
    pub(crate) log: Arc<dyn SpiderLog>,
    stats: Mutex<BTreeMap<String, i64>>,
    /// Why the spider wants the crawl closed, once it does.
    stop: watch::Sender<Option<Arc<str>>>,
}

/// What a program does to the answers of pages before they are read.
pub trait ResponseHook: Send + Sync {
    /// Changes an answer in place; what it is then is judged, read, kept and streamed. Called on
    /// the CPU threads, under the time limit of `parse.max-time`.
    fn after_response(&self, request: &Request, response: &mut Response);
}

/// Takes the lines that spiders log.
pub trait SpiderLog: Send + Sync {
    /// One line of `spider`, about the page `url` or, in `start` and `closed`, about none. Called
    /// from all CPU threads.
    fn line(&self, spider: &str, url: Option<&CanonicalUrl>, line: &LogLine);
}

/// Writes to standard error: `warn books http://…: text`.
struct Stderr;

impl SpiderLog for Stderr {
    fn line(&self, spider: &str, url: Option<&CanonicalUrl>, line: &LogLine) {
        let level = line.level.name();
        let text = line.text.replace(['\n', '\r'], " ");
        let place = url.map(|url| format!(" {url}")).unwrap_or_default();
        // A closed standard error is nothing to stop a crawl for.
        let _ = writeln!(std::io::stderr().lock(), "{level} {spider}{place}: {text}");
    }
}

/// What was read of an answer.
pub(crate) struct Read {
    pub(crate) ending: Ending,
    pub(crate) record: PageRecord,
    pub(crate) items: PageItems,
    pub(crate) found: Vec<Found>,
    /// Whether the response is not to be kept.
    pub(crate) is_forgotten: bool,
    /// What a hook has made of the response; `None` if it is as it came.
    pub(crate) changed: Option<Response>,
    /// The page in other forms, for the archive.
    pub(crate) texts: Texts,
}

impl Read {
    pub(crate) fn bare(ending: Ending, record: PageRecord) -> Self {
        Self {
            ending,
            record,
            items: PageItems::default(),
            found: Vec::new(),
            is_forgotten: false,
            changed: None,
            texts: Texts::default(),
        }
    }

    /// Keeps nothing of what the page says but its links.
    pub(crate) fn forget(&mut self) {
        if self.record.verdict == Verdict::Ok || self.record.verdict.is_truncated() {
            self.record.verdict = Verdict::NoIndex;
        }
        if !self.record.verdict.is_http_error() {
            // Of an error page the items are what the spider says of the error.
            self.items = PageItems::default();
            self.found.retain(|found| !found.request.is_file());
        }
        self.record.title.clear();
        self.is_forgotten = true;
    }
}

/// Asks a spider for the requests it begins with, beyond the seeds.
///
/// # Errors
/// The spider's own, a panic of it (as its message), or [`SpiderError::Other`] if it makes items
/// before there is a page.
pub fn start(spider: &dyn Spider) -> Result<Vec<Request>, SpiderError> {
    check_spider(spider)?;
    let mut out = Harvest::new();
    let result = catch_unwind(AssertUnwindSafe(|| spider.start(&mut out)));
    let Harvested { items, follows, logs, stop, .. } = out.into_parts();
    logs.iter().for_each(|line| Stderr.line(spider.name(), None, line));
    match result {
        Ok(done) => done?,
        Err(panic) => {
            let text = panic_text(panic);
            return Err(SpiderError::Other(format!("the spider panicked in `start`: {text}")));
        }
    }
    if let Some(reason) = stop {
        let text = format!("the spider wants the crawl closed before it began: {reason}");
        return Err(SpiderError::Other(text));
    }
    if !items.is_empty() {
        let text = "`start` made items; they belong to pages, so make them in `parse`";
        return Err(text.into());
    }
    let mut requests: Vec<_> =
        follows.into_iter().map(|follow| follow.into_request(0, None)).collect();
    number_all(&mut requests);
    Ok(requests)
}

/// Compiles all that a spider says it will use ([`Spider::expressions`]).
///
/// # Errors
/// [`SpiderError::Other`] that names the place of the first one that is wrong, or a panic of the
/// spider's.
pub fn check_spider(spider: &dyn Spider) -> Result<(), SpiderError> {
    let caught = catch_unwind(AssertUnwindSafe(|| spider.expressions()));
    let expressions = caught.map_err(|panic| {
        SpiderError::Other(format!("the spider panicked in `expressions`: {}", panic_text(panic)))
    })?;
    for expression in expressions {
        check_expression(&expression).map_err(|error| {
            SpiderError::Other(format!("{}: {}", expression.place, error.chain()))
        })?;
    }
    Ok(())
}

/// Compiles an expression to see whether it is one.
pub(crate) fn check_expression(expression: &Expression) -> Result<(), SpiderError> {
    let text = &*expression.text;
    match expression.language {
        Language::Css => css::compile(text).map(drop)?,
        Language::XPath => xpath::compile(text).map(drop)?,
        Language::Regex => pattern::check(text)?,
        Language::JsonPath => json::check(text)?,
    }
    Ok(())
}

impl Parser {
    /// Puts a parser together. `max_redirects` is the longest chain of redirects that is
    /// followed; 0 follows none.
    #[must_use]
    pub fn new(
        config: ParseConfig,
        max_redirects: u32,
        spider: Arc<dyn Spider>,
        view: Arc<dyn View>,
    ) -> Self {
        let (log, stats, readers) = (Arc::new(Stderr), Mutex::default(), Readers::default());
        let (current, keeps_responses) = (Current::new(Loadout::new(spider)), true);
        let agent = "robots".into();
        let stop = watch::Sender::new(None);
        Self {
            config,
            max_redirects,
            agent,
            current,
            view,
            memo: Arc::new(Memo::new()),
            keeps_responses,
            readers,
            pipeline: Pipeline::default(),
            hook: None,
            archivist: None,
            copies: Copies::new(0),
            near_copies: NearCopies::new(0, 0),
            log,
            stats,
            stop,
        }
    }

    /// Minds robots meta tags and `X-Robots-Tag` fields for this product token, too.
    #[must_use]
    pub fn with_agent(mut self, token: &str) -> Self {
        self.agent = token.into();
        self
    }

    /// Sends the spider's log lines to `log` instead of standard error.
    #[must_use]
    pub fn with_log(mut self, log: Arc<dyn SpiderLog>) -> Self {
        self.log = log;
        self
    }

    /// Gives bodies of these media types to `reader` instead of reading them here. Of several
    /// readers that fit a body the first one added counts. (That such bodies are downloaded at
    /// all is the fetcher's affair.)
    #[must_use]
    pub fn with_reader(mut self, pattern: MediaPattern, reader: Arc<dyn Reader>) -> Self {
        self.readers.push(pattern, reader);
        self
    }

    /// Sends items through these steps before they are stored. Default: none but the spider's own.
    #[must_use]
    pub fn with_pipeline(mut self, pipeline: Pipeline) -> Self {
        self.pipeline = pipeline;
        self
    }

    /// Follows the links of at most so many pages of a host that are byte for byte the same.
    /// Default: 0, of all.
    #[must_use]
    pub fn with_max_copies(mut self, limit: u32) -> Self {
        self.copies = Copies::new(limit);
        self
    }

    /// Follows the links of at most `limit` pages of a host whose text is nearly the same: of whose
    /// 64-bit simhashes no more than `distance` bits differ. Default: 0, of all.
    #[must_use]
    pub fn with_max_near_copies(mut self, limit: u32, distance: u8) -> Self {
        self.near_copies = NearCopies::new(limit, distance);
        self
    }

    /// Shows the answers of pages to `hook` before they are read. Default: to nobody.
    #[must_use]
    pub fn with_hook(mut self, hook: Arc<dyn ResponseHook>) -> Self {
        self.hook = Some(hook);
        self
    }

    pub(crate) fn reading(&self, loadout: &Loadout) -> Reading<'_> {
        Reading {
            detect_encoding: self.config.detect_encoding,
            kinds: self.config.links.iter().copied().collect(),
            table: loadout.table.clone(),
            habit: Some(loadout.habit.clone()),
            readers: Some(&self.readers),
            judge: None,
            recall: None,
        }
    }

    /// As [`reading`](Self::reading), of the page of `request`, whose links can be judged.
    pub(crate) fn reading_of(&self, loadout: &Loadout, request: &Request) -> Reading<'_> {
        let judge = Judge { view: self.view.clone(), depth: request.depth.saturating_add(1) };
        let recall = |era| Recall::new(self.memo.clone(), era).leaving(loadout.reticence.clone());
        // A step of the spider's own makes of each request what it likes.
        let is_stepping = loadout.spider.request_step().is_some();
        let recall = self.view.era().filter(|_| !is_stepping).map(recall);
        Reading { judge: Some(judge), recall, ..self.reading(loadout) }
    }

    /// Has `archivist` make records of the answers that settle. Default: nobody.
    #[must_use]
    pub fn with_archivist(mut self, archivist: Arc<dyn Archivist>) -> Self {
        self.archivist = Some(archivist);
        self
    }

    /// Lets go of responses as soon as they are read and archived: nobody reads the stream.
    #[must_use]
    pub fn without_responses(mut self) -> Self {
        self.keeps_responses = false;
        self
    }

    /// Lets another spider read the pages that come from now on. Pages in hand finish with the old
    /// one.
    ///
    /// # Errors
    /// [`SpiderError::Other`] if the new one panics when it is asked what it wants; the old one
    /// then stays.
    pub fn replace_spider(&self, spider: Arc<dyn Spider>) -> Result<(), SpiderError> {
        self.current.replace(spider)
    }

    /// What a page is read with that begins now.
    pub(crate) fn loadout(&self) -> Arc<Loadout> {
        self.current.get()
    }

    /// The spider's own counts ([`Harvest::stat`]), summed over all pages of this run. At most
    /// 1,000 names are told apart; what comes after is counted as `(other)`.
    #[must_use]
    pub fn stats(&self) -> BTreeMap<String, i64> {
        self.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Why the spider wants the crawl closed ([`Harvest::stop`]); `None` if it does not.
    #[must_use]
    pub fn stop_reason(&self) -> Option<Arc<str>> {
        self.stop.borrow().clone()
    }

    /// Waits until the spider wants the crawl closed. Cancel safe.
    pub async fn stopped(&self) {
        let mut stop = self.stop.subscribe();
        if stop.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await; // the sender is ours, so it is there
        }
    }

    /// Reads one answer. Whatever the page or the spider does, the ticket comes back.
    #[must_use]
    pub fn parse(&self, fetched: Fetched) -> Parsed {
        let (ticket, case) = Case::split(fetched, self.loadout());
        let read = self.read(&case);
        self.parsed(ticket, case, read)
    }

    /// Reads an answer without its ticket, panics caught.
    pub(crate) fn read(&self, case: &Case) -> Read {
        catch_unwind(AssertUnwindSafe(|| match &*case.errand {
            Errand::Page(request) => match self.hooked(request, case) {
                Some(case) => {
                    let read = self.read_page(request, &case);
                    Read { changed: case.reply.ok(), ..read }
                }
                None => self.read_page(request, case),
            },
            Errand::Robots { url, .. } => {
                let verdict = record::verdict_of(&case.reply);
                let record = record::begin(&Request::get(url.clone()), case, verdict);
                Read::bare(case.ending.clone(), record)
            }
        }))
        .unwrap_or_else(|panic| case.given_up(Verdict::SpiderPanic, &panic_text(panic)))
    }

    /// The answer as the hook has made it; `None` without a hook or an answer.
    fn hooked(&self, request: &Request, case: &Case) -> Option<Case> {
        // Of a file there is nothing to be changed.
        let mut response = case.reply.as_ref().ok().filter(|_| !request.is_file())?.clone();
        self.hook.as_ref()?.after_response(request, &mut response);
        Some(case.answered(response))
    }

    /// Puts together what was read and the ticket it was read for.
    pub(crate) fn parsed(&self, mut ticket: Ticket, case: Case, read: Read) -> Parsed {
        let Read { ending, record, items, found, is_forgotten, changed, texts } = read;
        let Case { reply, cookies, .. } = case;
        let response = changed.or(reply.ok()).filter(|_| !is_forgotten);
        let archived = match (&self.archivist, &response, &ending) {
            (Some(archivist), Some(response), Ending::Settled { .. }) => {
                let (print, sent, record, texts) = (ticket.print(), ticket.sent(), &record, &texts);
                archivist.archive(&Exchange { print, sent, response, record, texts })
            }
            _ => None,
        };
        let response = response.filter(|_| self.keeps_responses);
        if response.is_none() {
            ticket.release();
        }
        Parsed { ticket, ending, response, record, items, found, cookies, archived }
    }

    /// Runs a callback and tells its log lines and counts.
    pub(crate) fn call(
        &self,
        loadout: &Loadout,
        url: &CanonicalUrl,
        callback: impl FnOnce(&mut Harvest) -> Result<(), SpiderError>,
    ) -> Result<Harvested, (Verdict, String)> {
        let mut out = Harvest::new();
        let result = catch_unwind(AssertUnwindSafe(|| callback(&mut out)));
        let mut parts = out.into_parts();
        parts.logs.iter().for_each(|line| self.log.line(loadout.spider.name(), Some(url), line));
        self.count(std::mem::take(&mut parts.stats));
        if let Some(reason) = parts.stop.take() {
            self.stop.send_if_modified(|stop| {
                let is_first = stop.is_none();
                stop.get_or_insert_with(|| reason.into());
                is_first
            });
        }
        match result {
            Ok(Ok(())) => Ok(parts),
            Ok(Err(error)) => Err((verdict_of(&error), error.chain())),
            Err(panic) => Err((Verdict::SpiderPanic, panic_text(panic))),
        }
    }

    /// Tells the spider that the run has ended. Its log lines and counts are kept, its panics
    /// caught. Blocks as long as the spider does.
    pub fn closed(&self, closed: &Closed<'_>) {
        let mut out = Harvest::new();
        let spider = self.loadout().spider.clone();
        let result = catch_unwind(AssertUnwindSafe(|| spider.closed(closed, &mut out)));
        let Harvested { items, follows, mut logs, stats, .. } = out.into_parts();
        let mut wrong = |text: String| logs.push(LogLine { level: LogLevel::Error, text });
        if !items.is_empty() || !follows.is_empty() {
            let (n_items, n_requests) = (items.len(), follows.len());
            wrong(format!(
                "`closed` made {n_items} items and {n_requests} requests, which are lost: there \
                 is no page they could belong to, so make them in `parse`"
            ));
        }
        match result {
            Ok(Ok(())) => {}
            Ok(Err(error)) => wrong(format!("`closed` failed: {}", error.chain())),
            Err(panic) => wrong(format!("the spider panicked in `closed`: {}", panic_text(panic))),
        }
        logs.iter().for_each(|line| self.log.line(spider.name(), None, line));
        self.count(stats);
    }

    /// Tells the log that the spider has not returned from its end in time.
    pub fn closed_late(&self, limit: Duration) {
        let text = format!("the spider did not return from `closed` within {limit:?}");
        let line = LogLine { level: LogLevel::Error, text };
        self.log.line(self.loadout().spider.name(), None, &line);
    }

    /// Longest time that a callback may take; `None` for no limit.
    #[must_use]
    pub fn max_time(&self) -> Option<Duration> {
        Some(self.config.max_time).filter(|limit| !limit.is_zero())
    }

    pub(crate) fn count(&self, new: BTreeMap<String, i64>) {
        const MAX_NAMES: usize = 1000;
        if new.is_empty() {
            return;
        }
        let mut stats = self.stats.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, n) in new {
            let is_new = !stats.contains_key(&name);
            let name = if is_new && stats.len() >= MAX_NAMES { "(other)".to_owned() } else { name };
            let sum = stats.entry(name).or_default();
            *sum = sum.saturating_add(n);
        }
    }
}

/// How a page ends whose callback returned this error.
fn verdict_of(error: &SpiderError) -> Verdict {
    match error {
        SpiderError::Panicked(_) => Verdict::SpiderPanic,
        SpiderError::Crashed(_) => Verdict::SpiderCrash,
        SpiderError::TimedOut(_) => Verdict::SpiderTimeout,
        _ => Verdict::SpiderError,
    }
}

pub(crate) fn panic_text(panic: Box<dyn Any + Send>) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        return (*text).to_owned();
    }
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(other) => {
            // Its drop could panic again; better lost than that.
            std::mem::forget(other);
            "a panic without a message".to_owned()
        }
    }
}
