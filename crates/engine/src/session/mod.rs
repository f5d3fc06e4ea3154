//! Fetches single URLs as a crawl would, without a crawl: no folder, no spider, no frontier.
//!
//! For commands that look at one page and programs that want a handful. The rules are a crawl's,
//! scope aside: robots.txt is asked first and obeyed, hosts rest between two requests, addresses
//! are checked at each hop of a redirect, limits hold. There are no retries: whoever looks wants to
//! see.
//!
//! Waiting happens here in the tasks that fetch, a host's turn first and a connection last, so that
//! who waits for a host holds nothing that another host's request needs. With thousands of URLs a
//! crawl is the better way.

mod gather;
mod host;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crawl_fetcher::{Answer, Fetcher};
use crawl_frontier::HostPoliteness;
use crawl_model::{
    CanonicalUrl, Desk, Errand, FilterReason, Fingerprint, Hop, Host, HostTable, Origin, Redirect,
    Request, Response, RobotsReply, Ticket, TicketId, Timing, Verdict, robots_reply, verdict_of,
};
use crawl_robots::{Robots, Rules, product_token};
use tokio::sync::{OnceCell, Semaphore};

pub use gather::Completed;
use host::{HostState, Pace};

use crate::config::CrawlConfig;
use crate::error::CrawlError;

/// Redirects of a robots.txt that are followed (RFC 9309, section 2.3.1.2).
const MAX_ROBOTS_REDIRECTS: usize = 5;

/// Hosts, and origins, beyond which those are forgotten that need not be remembered.
const MANY: usize = 4096;

/// Fetches URLs, and remembers what the robots.txts on the way said, which cookies were set and
/// when a host may be asked again.
///
/// A clone is another handle on the same session, so fetches in several tasks keep to the rules
/// together. See [`fetch`](Self::fetch) for one URL, [`gather`](Self::gather) and
/// [`as_completed`](Self::as_completed) for several.
///
/// # Examples
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use crawl_engine::{CrawlConfig, Session};
/// use crawl_model::{CanonicalUrl, Request};
///
/// let session = Session::new(&CrawlConfig::default())?;
/// let looked = session.fetch(Request::get(CanonicalUrl::parse("https://example.org/")?)).await;
/// println!("{} {:?}", looked.end.name(), looked.response.map(|response| response.status));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Session {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    fetcher: Fetcher,
    max_redirects: u32,
    /// What holds for hosts without a table of their own.
    politeness: HostPoliteness,
    hosts: HostTable<HostPoliteness>,
    n_connections: usize,
    connections: Semaphore,
    /// Of all hosts together.
    pace: Mutex<Pace>,
    states: Mutex<HashMap<Host, Arc<HostState>>>,
    rules: Mutex<HashMap<Origin, Arc<OnceCell<Rules>>>>,
}

/// What a fetch gave.
#[derive(Debug)]
pub struct Looked {
    /// The URL that was asked for last.
    pub url: CanonicalUrl,
    /// The hops before it, in order.
    pub chain: Vec<Followed>,
    /// The last response, whatever its status; `None` if there was none.
    pub response: Option<Response>,
    /// How it ended, as a crawl would say it.
    pub end: LookEnd,
    /// Phases of the last fetch.
    pub timing: Timing,
    /// From the start of the last fetch to its last byte.
    pub elapsed: Duration,
}

/// A redirect that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// What was asked for.
    pub url: CanonicalUrl,
    /// The status that was answered.
    pub status: u16,
}

/// How a fetch ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookEnd {
    /// A response came and is the last one.
    Came(Verdict),
    /// None came, or one that leads nowhere.
    Failed {
        /// The class.
        verdict: Verdict,
        /// What happened, for people; names the key of a limit.
        detail: String,
    },
    /// robots.txt forbids it.
    Disallowed,
}

impl LookEnd {
    /// The stable name of the verdict or, for what is not allowed, of the reason.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Came(verdict) | Self::Failed { verdict, .. } => verdict.name(),
            Self::Disallowed => FilterReason::Robots.name(),
        }
    }
}

impl Session {
    /// Checks the config, of which only fetching and politeness count. Nothing is sent yet.
    ///
    /// # Errors
    /// [`CrawlError`] that names the key.
    pub fn new(config: &CrawlConfig) -> Result<Self, CrawlError> {
        let agent = product_token(&config.fetch.user_agent).to_owned();
        let fetcher = Fetcher::with_hosts(config.fetch.clone(), config.fetch_by_host()?)?;
        let politeness = config.frontier.politeness.clone();
        let n_connections = usize::try_from(config.fetch.connections.get()).unwrap_or(usize::MAX);
        let n_connections = n_connections.min(Semaphore::MAX_PERMITS);
        let inner = Inner {
            fetcher,
            max_redirects: config.fetch.max_redirects,
            pace: Mutex::new(Pace::per_second(politeness.max_rate)),
            politeness: HostPoliteness { politeness, agent },
            hosts: config.politeness_by_host()?,
            n_connections,
            connections: Semaphore::new(n_connections),
            states: Mutex::default(),
            rules: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn politeness(&self, host: &str) -> &HostPoliteness {
        self.inner.hosts.get(host).unwrap_or(&self.inner.politeness)
    }

    /// Fetches what `request` asks for and follows its redirects.
    ///
    /// Waits for hosts that rest and for a free connection. Must run on a tokio runtime with I/O and time enabled.
    pub async fn fetch(&self, request: Request) -> Looked {
        let mut request = request;
        let mut chain = Vec::new();
        loop {
            let url = request.url.clone();
            if let Err(end) = self.ask_robots(&url).await {
                let (timing, elapsed) = (Timing::default(), Duration::ZERO);
                return Looked { url, chain, response: None, end, timing, elapsed };
            }
            let answer = self.send(&url, Errand::Page(request.clone())).await;
            let (timing, elapsed) = (answer.timing, answer.elapsed);
            let (end, response) = match answer.reply {
                Err(failure) => {
                    let verdict = failure.kind.verdict();
                    (LookEnd::Failed { verdict, detail: failure.detail }, None)
                }
                Ok(response) => match self.next(&request, &response, !answer.cookies.is_empty()) {
                    Ok(Some(next)) => {
                        chain.push(Followed { url, status: response.status });
                        request = next;
                        continue;
                    }
                    Ok(None) => (LookEnd::Came(verdict_of(&response)), Some(response)),
                    Err(end) => (end, Some(response)),
                },
            };
            return Looked { url, chain, response, end, timing, elapsed };
        }
    }

    /// What follows a response; `None` if it is the last one.
    fn next(
        &self,
        request: &Request,
        response: &Response,
        sets_cookies: bool,
    ) -> Result<Option<Request>, LookEnd> {
        if verdict_of(response) != Verdict::Redirected {
            return Ok(None);
        }
        let redirect = Redirect { request, status: response.status, sets_cookies };
        match redirect.judge(response, self.inner.max_redirects) {
            Hop::To(next) => Ok(Some(*next)),
            Hop::Refused { verdict, detail, .. } => Err(LookEnd::Failed { verdict, detail }),
        }
    }

    /// Whether robots.txt lets us fetch `url`. Those who ask at once about one origin share the
    /// answer; a robots.txt that cannot be had is asked for again by the next one.
    async fn ask_robots(&self, url: &CanonicalUrl) -> Result<(), LookEnd> {
        let politeness = &self.politeness(url.host_str()).politeness;
        if !politeness.robots {
            return Ok(());
        }
        let origin = url.origin();
        let cell = {
            let mut rules = self.inner.rules.lock().unwrap_or_else(PoisonError::into_inner);
            if rules.len() >= MANY {
                rules.retain(|_, cell| Arc::strong_count(cell) > 1);
            }
            Arc::clone(rules.entry(origin.clone()).or_default())
        };
        let rules = cell.get_or_try_init(|| self.robots_of(&origin)).await?;
        if !rules.allows(url.path_and_query()) {
            return Err(LookEnd::Disallowed);
        }
        if let Some(asks) = rules.crawl_delay().and_then(|s| Duration::try_from_secs_f64(s).ok()) {
            // robots.txt itself went out before this was known; it counts from there all the same.
            self.state(&url.host()).slow_down(asks.min(politeness.max_crawl_delay));
        }
        Ok(())
    }

    fn state(&self, host: &Host) -> Arc<HostState> {
        let mut states = self.inner.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(state) = states.get(host) {
            return Arc::clone(state);
        }
        if states.len() >= MANY {
            let now = Instant::now();
            states.retain(|_, state| Arc::strong_count(state) > 1 || !state.is_rested(now));
        }
        let politeness = &self.politeness(host.as_str()).politeness;
        let per_host = usize::try_from(politeness.per_host.get()).unwrap_or(usize::MAX);
        let per_host = per_host.min(Semaphore::MAX_PERMITS);
        let state = Arc::new(HostState::new(per_host, politeness.delay));
        states.insert(host.clone(), Arc::clone(&state));
        state
    }

    async fn robots_of(&self, origin: &Origin) -> Result<Rules, LookEnd> {
        let mut url = origin.robots_url();
        for _ in 0..=MAX_ROBOTS_REDIRECTS {
            let errand = Errand::Robots { origin: origin.clone(), url: url.clone() };
            let answer = self.send(&url, errand).await;
            match robots_reply(&url, &answer.reply, answer.rest) {
                RobotsReply::Rules(body) => {
                    return Ok(
                        Robots::parse(&body).rules(&self.politeness(origin.host().as_str()).agent)
                    );
                }
                RobotsReply::AllowAll => return Ok(Rules::allow_all()),
                RobotsReply::Redirect(target) => url = target,
                RobotsReply::Unreachable { cause, .. } => {
                    return Err(LookEnd::Failed {
                        // What a person can act on: a private address, a name that is unknown.
                        verdict: match &answer.reply {
                            Err(failure) => failure.kind.verdict(),
                            Ok(_) => Verdict::RobotsUnreachable,
                        },
                        detail: format!("{url} cannot be had, so nothing may be fetched: {cause}"),
                    });
                }
            }
        }
        // Too many hops count as no robots.txt at all (section 2.3.1.2).
        Ok(Rules::allow_all())
    }

    /// Sends one request, once its host is due and a connection is free.
    async fn send(&self, url: &CanonicalUrl, errand: Errand) -> Answer {
        let state = self.state(&url.host());
        let _turn = state.turns.acquire().await;
        let _connection = self.start(&state).await;
        let (id, print) = (TicketId(0), Fingerprint(0));
        let ticket = Ticket::issue(Arc::new(Nobody), id, print, errand, 1, true);
        let answer = self.inner.fetcher.fetch(&ticket).await;
        state.sent(answer.sent_at, answer.done_at, answer.rest);
        answer
    }

    /// Waits until a request to this host may start, and counts it. The semaphore is never closed,
    /// so there is a permit.
    async fn start(&self, state: &HostState) -> Option<tokio::sync::SemaphorePermit<'_>> {
        loop {
            let connection = self.inner.connections.acquire().await.ok();
            let Err(due) = self.may_start(state, Instant::now()) else { return connection };
            drop(connection);
            tokio::time::sleep_until(due.into()).await;
        }
    }

    /// Counts a start with the host and with all hosts together, or with neither and says when.
    fn may_start(&self, state: &HostState, now: Instant) -> Result<(), Instant> {
        let mut all = self.inner.pace.lock().unwrap_or_else(PoisonError::into_inner);
        all.check(now)?;
        state.start(now)?;
        all.start(now)
    }
}

/// Nobody counts these tickets.
struct Nobody;

impl Desk for Nobody {
    fn abandoned(&self, _: TicketId) {}
}
