//! Runs a spider's callbacks by the rules of a crawl, without one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crawl_model::{
    CanonicalUrl, Desk, Errand, Fetched, Fingerprint, Fingerprinter, Look, Request, Response,
    Ticket, TicketId, Timing, Verdict, View,
};
use crawl_parser::{ParseConfig, Parser, SpiderLog};
use crawl_spider::{Closed, Harvest, Harvested, LogLine, Spider, SpiderError};

use crate::snapshot::SinceStart;
use crate::{Fixture, Outcome};

/// Redirects in a row that are followed, as by default in a crawl.
const MAX_REDIRECTS: u32 = 10;

/// A spider under test.
///
/// It is given pages as a crawl gives them: only statuses that it wants, redirects as further
/// requests, failures to its `error`, a panic as the end of its page.
#[derive(Clone)]
pub struct SpiderTest {
    spider: Arc<dyn Spider>,
    parse: ParseConfig,
    max_redirects: u32,
    agent: String,
}

impl SpiderTest {
    /// A test of `spider` with the settings that a crawl has by default.
    #[must_use]
    pub fn new(spider: impl Spider) -> Self {
        Self::shared(Arc::new(spider))
    }

    /// As [`new`](Self::new), of a spider that is shared or came from elsewhere (a plugin, say).
    #[must_use]
    pub fn shared(spider: Arc<dyn Spider>) -> Self {
        let (parse, agent) = (ParseConfig::default(), "crawl".to_owned());
        Self { spider, parse, max_redirects: MAX_REDIRECTS, agent }
    }

    /// Reads pages as the table `[parse]` says; `max_redirects` and the user agent's product token
    /// are those of `[fetch]`.
    #[must_use]
    pub fn with_settings(mut self, parse: ParseConfig, max_redirects: u32, agent: &str) -> Self {
        self.parse = parse;
        self.max_redirects = max_redirects;
        self.agent = agent.to_owned();
        self
    }

    /// Runs the callback that a crawl would run for the answer.
    #[must_use]
    pub fn run(&self, fixture: &Fixture) -> Outcome {
        self.run_since(fixture).0
    }

    pub(crate) fn run_since(&self, fixture: &Fixture) -> (Outcome, SinceStart) {
        let since = SinceStart::now(fixture.time_ms);
        let log = Arc::new(Lines::default());
        let parser = Parser::new(
            self.parse.clone(),
            self.max_redirects,
            self.spider.clone(),
            Arc::new(Everything(Fingerprinter::new([0; 16]))),
        )
        .with_agent(&self.agent)
        .with_log(log.clone());
        let errand = Errand::Page(fixture.request.clone());
        let fetched = Fetched {
            // The last attempt: what fails is not tried again, it is told to the spider.
            ticket: Ticket::issue(Arc::new(Nobody), TicketId(0), Fingerprint(0), errand, 1, true),
            reply: fixture.reply.clone(),
            rest: None,
            sent_ms: fixture.time_ms,
            elapsed: Duration::ZERO,
            timing: Timing::default(),
            cookies: Vec::new(),
        };
        let parsed = parser.parse(fetched);
        let items = parsed.items.kept.iter().map(|item| {
            serde_json::from_str(&item.json).expect("items are serialised by the harvest")
        });
        let outcome = Outcome {
            verdict: parsed.record.verdict,
            error: parsed.record.error.clone(),
            items: items.collect(),
            requests: parsed.found.into_iter().map(|found| found.request).collect(),
            logs: log.take(),
            stats: parser.stats(),
            stop: parser.stop_reason().map(|reason| reason.to_string()),
        };
        (outcome, since)
    }

    /// Runs [`Spider::start`].
    ///
    /// Its verdict is `ok`, `spider-error` or `spider-panic`.
    #[must_use]
    pub fn start(&self) -> Outcome {
        self.bare(|out| self.spider.start(out))
    }

    /// Runs [`Spider::closed`].
    #[must_use]
    pub fn closed(&self, closed: &Closed<'_>) -> Outcome {
        self.bare(|out| self.spider.closed(closed, out))
    }

    /// Runs a callback that has no page. A panic is the test's own.
    fn bare(&self, call: impl FnOnce(&mut Harvest) -> Result<(), SpiderError>) -> Outcome {
        let mut out = Harvest::new();
        let result = call(&mut out);
        let Harvested { items, follows, logs, stats, stop, .. } = out.into_parts();
        let values = items.iter().map(|item| serde_json::from_str(&item.json).unwrap_or_default());
        let mut outcome = Outcome {
            verdict: Verdict::Ok,
            error: String::new(),
            items: values.collect(),
            requests: follows.into_iter().map(|follow| follow.into_request(0, None)).collect(),
            logs,
            stats,
            stop,
        };
        if let Err(error) = result {
            outcome.verdict = Verdict::SpiderError;
            outcome.error = error.chain();
            outcome.items.clear();
            outcome.requests.clear();
        }
        outcome
    }

    /// The spider's page of an answer, for tests of parts of it that take a page.
    ///
    /// # Panics
    /// If the fixture has no answer.
    #[must_use]
    #[track_caller]
    pub fn page(&self, fixture: &Fixture) -> crawl_parser::TestPage {
        let response: Response = match &fixture.reply {
            Ok(response) => response.clone(),
            Err(failure) => panic!("{} has no answer: {failure}", fixture.request.url),
        };
        crawl_parser::TestPage::new(fixture.request.clone(), response)
            .with_spider(&*self.spider)
            .at(UNIX_EPOCH + Duration::from_millis(fixture.time_ms))
    }
}

/// The milliseconds of a clock.
pub(crate) fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Finds everything new: a callback's requests are all of interest.
struct Everything(Fingerprinter);

impl View for Everything {
    fn fingerprint(&self, url: &str) -> Fingerprint {
        self.0.get_text(url)
    }

    fn fingerprint_of(&self, request: &Request) -> Fingerprint {
        self.0.request(request)
    }

    fn look(&self, _: Fingerprint, _: &CanonicalUrl, _: u32) -> Look {
        Look::Admit
    }
}

/// Nobody counts these tickets.
struct Nobody;

impl Desk for Nobody {
    fn abandoned(&self, _: TicketId) {}
}

/// Keeps log lines.
#[derive(Default)]
struct Lines(Mutex<Vec<LogLine>>);

impl Lines {
    fn take(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl SpiderLog for Lines {
    fn line(&self, _: &str, _: Option<&CanonicalUrl>, line: &LogLine) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
    }
}
