//! Fetches one page as a crawl would: robots.txt, redirects, address rules and limits.

use std::collections::HashMap;
use std::sync::Arc;

use crawl::fetcher::Fetcher;
use crawl::{CanonicalUrl, Config, Fingerprint, Request};
use crawl_model::{
    Desk, Errand, Failure as FetchFailure, Origin, Response, RobotsReply, Ticket, TicketId,
    robots_reply,
};
use crawl_robots::{Robots, Rules, product_token};

use crate::cli::args::SettingsArgs;
use crate::cli::failure::{Exit, Failure};

/// Redirects of a robots.txt that are followed (RFC 9309, section 2.3.1.2).
const MAX_ROBOTS_REDIRECTS: usize = 5;

/// A page that was fetched.
pub(crate) struct Visited {
    /// Where it was found after all redirects.
    pub(crate) url: CanonicalUrl,
    /// Its body, content codings removed.
    pub(crate) body: bytes::Bytes,
    /// Its `Content-Type`.
    pub(crate) content_type: Option<String>,
}

/// Fetches `url`, following redirects as far as the settings allow.
pub(crate) async fn visit(
    mut url: CanonicalUrl,
    settings: &SettingsArgs,
) -> Result<Visited, Failure> {
    let config = match &settings.config {
        Some(path) => Config::load(path, &settings.set)?,
        None => Config::parse("defaults", "", &settings.set)?,
    };
    let max_redirects = config.fetch.max_redirects;
    let mut visitor = Visitor::new(config)?;
    for _ in 0..=max_redirects {
        visitor.ask_robots(&url).await?;
        let response = visitor.fetch(&url).await?;
        let is_redirect = matches!(response.status, 301 | 302 | 303 | 307 | 308);
        let Some(location) = response.location().filter(|_| is_redirect) else {
            if !(200..300).contains(&response.status) {
                eprintln!("warning: {url} answered with status {}", response.status);
            }
            let content_type = response.header("content-type").map(str::to_owned);
            return Ok(Visited { url, body: response.body, content_type });
        };
        url = url.join(&location).map_err(|error| {
            Failure::new(Exit::Broken, format!("{url} redirects to `{location}`: {error}"))
        })?;
    }
    let what = format!("more than {max_redirects} redirects, the last one to {url}");
    Err(Failure::new(Exit::Broken, what).hint("`-s fetch.max-redirects=N` follows more"))
}

/// One that fetches, and minds what it may.
struct Visitor {
    fetcher: Fetcher,
    agent: String,
    obeys_robots: bool,
    rules: HashMap<Origin, Rules>,
}

impl Visitor {
    fn new(config: Config) -> Result<Self, Failure> {
        let agent = product_token(&config.fetch.user_agent).to_owned();
        let obeys_robots = config.politeness.robots;
        let fetcher =
            Fetcher::new(config.fetch).map_err(|error| Failure::new(Exit::Usage, error))?;
        Ok(Self { fetcher, agent, obeys_robots, rules: HashMap::new() })
    }

    /// Whether robots.txt lets us fetch `url`; an error that says so if not.
    async fn ask_robots(&mut self, url: &CanonicalUrl) -> Result<(), Failure> {
        if !self.obeys_robots {
            return Ok(());
        }
        let origin = url.origin();
        if !self.rules.contains_key(&origin) {
            let rules = self.robots_of(&origin).await?;
            self.rules.insert(origin.clone(), rules);
        }
        if self.rules[&origin].allows(url.path_and_query()) {
            return Ok(());
        }
        let what = format!("robots.txt of {origin} disallows {url}");
        Err(Failure::new(Exit::Broken, what).hint("`-s politeness.robots=false` does not ask"))
    }

    async fn robots_of(&self, origin: &Origin) -> Result<Rules, Failure> {
        let mut url = origin.robots_url();
        for _ in 0..=MAX_ROBOTS_REDIRECTS {
            let errand = Errand::Robots { origin: origin.clone(), url: url.clone() };
            match robots_reply(&url, &self.reply(errand).await, None) {
                RobotsReply::Rules(body) => return Ok(Robots::parse(&body).rules(&self.agent)),
                RobotsReply::AllowAll => return Ok(Robots::parse(b"").rules(&self.agent)),
                RobotsReply::Redirect(target) => url = target,
                RobotsReply::Unreachable { cause, .. } => {
                    let what = format!("{url} cannot be had, so nothing may be fetched: {cause}");
                    let hint = "`-s politeness.robots=false` does not ask for it";
                    return Err(Failure::new(Exit::Broken, what).hint(hint));
                }
            }
        }
        // Too many hops count as no robots.txt at all (section 2.3.1.2).
        Ok(Robots::parse(b"").rules(&self.agent))
    }

    async fn fetch(&self, url: &CanonicalUrl) -> Result<Response, Failure> {
        let reply = self.reply(Errand::Page(Request::get(url.clone()))).await;
        reply.map_err(|failure| {
            let verdict = failure.kind.verdict();
            Failure::new(Exit::Broken, format!("{url}: {verdict}: {}", failure.detail))
        })
    }

    async fn reply(&self, errand: Errand) -> Result<Response, FetchFailure> {
        let (id, print) = (TicketId(0), Fingerprint(0));
        let ticket = Ticket::issue(Arc::new(Nobody), id, print, errand, 1, true);
        self.fetcher.fetch(&ticket).await.reply
    }
}

/// Nobody counts these tickets.
struct Nobody;

impl Desk for Nobody {
    fn abandoned(&self, _: TicketId) {}
}
