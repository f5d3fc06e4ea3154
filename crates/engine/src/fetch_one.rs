//! Fetches single URLs as a crawl would, without a crawl: no folder, no spider, no frontier.
//!
//! For commands and programs that look at one page. The rules are a crawl's, scope aside:
//! robots.txt is asked first and obeyed, hosts rest between two requests, addresses are checked at
//! each hop of a redirect, limits hold. There are no retries: whoever looks wants to see.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crawl_fetcher::{Answer, Fetcher};
use crawl_frontier::HostPoliteness;
use crawl_model::{
    CanonicalUrl, Desk, Errand, FilterReason, Fingerprint, Hop, Host, HostTable, Origin, Redirect,
    Request, Response, RobotsReply, Ticket, TicketId, Timing, Verdict, robots_reply, verdict_of,
};
use crawl_robots::{Robots, Rules, product_token};

use crate::config::CrawlConfig;
use crate::error::CrawlError;

/// Redirects of a robots.txt that are followed (RFC 9309, section 2.3.1.2).
const MAX_ROBOTS_REDIRECTS: usize = 5;

/// Fetches URLs one after another, and remembers what the robots.txts on the way said.
#[derive(Debug)]
pub struct OneByOne {
    fetcher: Fetcher,
    max_redirects: u32,
    /// What holds for hosts without a table of their own.
    politeness: HostPoliteness,
    hosts: HostTable<HostPoliteness>,
    rules: HashMap<Origin, Rules>,
    rests: HashMap<Host, Rest>,
}

/// How a host rests.
#[derive(Debug)]
struct Rest {
    /// When the last request went out.
    sent_at: Instant,
    /// Least time till the next one.
    delay: Duration,
}

impl Rest {
    /// When the next request may go out. A little later than the delay says: the server's clock
    /// counts from when it reads a request, ours from when it was written.
    fn due(&self) -> Instant {
        let more = if self.delay.is_zero() { Duration::ZERO } else { Duration::from_millis(1) };
        // Beyond a year it makes no difference, and no sum of times overflows.
        let delay = self.delay.min(Duration::from_secs(365 * 24 * 3600));
        self.sent_at + delay + delay / 50 + more
    }
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

impl OneByOne {
    /// Checks the config, of which only fetching and politeness count. Nothing is sent yet.
    ///
    /// # Errors
    /// [`CrawlError`] that names the key.
    pub fn new(config: &CrawlConfig) -> Result<Self, CrawlError> {
        let agent = product_token(&config.fetch.user_agent).to_owned();
        let fetcher = Fetcher::with_hosts(config.fetch.clone(), config.fetch_by_host()?)?;
        Ok(Self {
            fetcher,
            max_redirects: config.fetch.max_redirects,
            politeness: HostPoliteness { politeness: config.frontier.politeness.clone(), agent },
            hosts: config.politeness_by_host()?,
            rules: HashMap::new(),
            rests: HashMap::new(),
        })
    }

    fn politeness(&self, host: &str) -> &HostPoliteness {
        self.hosts.get(host).unwrap_or(&self.politeness)
    }

    /// Fetches what `request` asks for and follows its redirects.
    ///
    /// Waits for hosts that rest. Must run on a tokio runtime with I/O and time enabled.
    pub async fn fetch(&mut self, request: Request) -> Looked {
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
        match redirect.judge(response, self.max_redirects) {
            Hop::To(next) => Ok(Some(*next)),
            Hop::Refused { verdict, detail, .. } => Err(LookEnd::Failed { verdict, detail }),
        }
    }

    /// Whether robots.txt lets us fetch `url`.
    async fn ask_robots(&mut self, url: &CanonicalUrl) -> Result<(), LookEnd> {
        if !self.politeness(url.host_str()).politeness.robots {
            return Ok(());
        }
        let origin = url.origin();
        if !self.rules.contains_key(&origin) {
            let rules = self.robots_of(&origin).await?;
            self.rules.insert(origin.clone(), rules);
        }
        let rules = &self.rules[&origin];
        if !rules.allows(url.path_and_query()) {
            return Err(LookEnd::Disallowed);
        }
        let asks = rules.crawl_delay().and_then(|s| Duration::try_from_secs_f64(s).ok());
        let asks = asks
            .unwrap_or_default()
            .min(self.politeness(url.host_str()).politeness.max_crawl_delay);
        // robots.txt itself went out before its delay was known, so it is looked up again.
        if let Some(rest) = self.rests.get_mut(&url.host()) {
            rest.delay = rest.delay.max(asks);
        }
        Ok(())
    }

    async fn robots_of(&mut self, origin: &Origin) -> Result<Rules, LookEnd> {
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

    /// Sends one request, once its host is due.
    async fn send(&mut self, url: &CanonicalUrl, errand: Errand) -> Answer {
        let host = url.host();
        if let Some(rest) = self.rests.get(&host) {
            tokio::time::sleep_until(rest.due().into()).await;
        }
        let (id, print) = (TicketId(0), Fingerprint(0));
        let ticket = Ticket::issue(Arc::new(Nobody), id, print, errand, 1, true);
        let answer = self.fetcher.fetch(&ticket).await;
        let delay = self.politeness(host.as_str()).politeness.delay;
        if let Some(sent_at) = answer.sent_at {
            self.rests.insert(host, Rest { sent_at, delay });
        }
        answer
    }
}

/// Nobody counts these tickets.
struct Nobody;

impl Desk for Nobody {
    fn abandoned(&self, _: TicketId) {}
}
