//! What the store knows of one URL: who found it, every attempt, where it stands, who waits before
//! it. One row of facts; which rule would say what is for those who know the rules.
//!
//! Reads the log once, and once more if the URL waits, to count who stands before it: then the
//! host's waiting URLs are held in memory, some thirty bytes each.

use std::collections::{HashMap, VecDeque};

use crawl_model::{
    CanonicalUrl, Event, FileKind, FilterReason, Fingerprint, Fingerprinter, Found, Origin,
    Request, RobotsReply,
};
use serde_json::{Value, json};

use super::{Emit, Filter};
use crate::codec::{Raw, RawFound, Thaw};
use crate::fold::{Fold, Part};
use crate::log::Log;
use crate::reader::Reader;
use crate::{Blocks, SeedHostsFile, StoreError, StoredRobots, journal};

/// Attempts that are told; of more, the last.
const MOST_ATTEMPTS: usize = 100;
/// Hosts of seeds that are told.
const MOST_SEED_HOSTS: usize = 1000;

pub(super) fn why(reader: &Reader, filter: &Filter<'_>, emit: Emit<'_>) -> Result<(), StoreError> {
    let Some(url) = &filter.url else {
        return Err(StoreError::Query { what: "say which URL".to_owned() });
    };
    let mut story = Story::new(url.clone(), reader.fingerprinter()?);
    story.read(reader)?;
    if story.first.is_none() {
        // What items ask for is a request of its own.
        let file = Request::file(url.clone(), FileKind::File);
        let prints = reader.fingerprinter()?;
        let print = Some(prints.request(&file)).filter(|_| !prints.has_second());
        let mut other = Story { print, request: file, ..Story::new(url.clone(), prints) };
        other.read(reader)?;
        if other.first.is_some() {
            story = other;
        }
    }
    let _ = emit(story.row(reader)?);
    Ok(())
}

/// What the log says of it.
struct Story {
    url: CanonicalUrl,
    /// What asks for it: a plain GET, or an item that wants it as a file.
    request: Request,
    prints: Fingerprinter,
    /// Its first fingerprint; in a crawl of 128 bits what it is called by, once that is known.
    print: Option<Fingerprint>,
    /// The line that found it first, and the one that let it in.
    first: Option<Found>,
    admitted: Option<Found>,
    n_found: u64,
    /// Requests to the same URL that are another's by body, method or number.
    n_variants: u64,
    attempts: VecDeque<Value>,
    n_attempts: u64,
    state: &'static str,
    reason: Option<FilterReason>,
    seed_hosts: Vec<String>,
    host_last_ms: u64,
    host_rest_ms: u64,
}

impl Story {
    fn new(url: CanonicalUrl, prints: Fingerprinter) -> Self {
        let print = Some(prints.get(&url)).filter(|_| !prints.has_second());
        Self {
            request: Request::get(url.clone()),
            url,
            prints,
            print,
            first: None,
            admitted: None,
            n_found: 0,
            n_variants: 0,
            attempts: VecDeque::new(),
            n_attempts: 0,
            state: "never-found",
            reason: None,
            seed_hosts: Vec::new(),
            host_last_ms: 0,
            host_rest_ms: 0,
        }
    }

    fn read(&mut self, reader: &Reader) -> Result<(), StoreError> {
        let mut log = Log::all(&reader.shared.log);
        let mut thaw = Thaw::default();
        while let Some(raw) = log.next()? {
            match raw {
                Raw::Found(found) => self.found(&found, &mut thaw),
                Raw::Settled { n, ending, verdict } => {
                    if self.note_host(ending.host, ending.at_ms, ending.rest_until_ms, ending.print)
                    {
                        self.state = "settled";
                        self.tried(json!({
                            "at_ms": ending.at_ms, "outcome": verdict.name(), "n": n,
                        }));
                    }
                }
                Raw::Retried { ending, attempt } => {
                    if self.note_host(ending.host, ending.at_ms, ending.rest_until_ms, ending.print)
                    {
                        self.tried(json!({
                            "at_ms": ending.at_ms, "outcome": "retry", "attempt": attempt,
                            "rest_until_ms": ending.rest_until_ms,
                        }));
                    }
                }
                Raw::Filtered { print, reason } => {
                    if self.print == Some(print) && self.state == "queued" {
                        (self.state, self.reason) = ("filtered", Some(reason));
                    }
                }
            }
        }
        Ok(())
    }

    fn found(&mut self, raw: &RawFound<'_>, thaw: &mut Thaw) {
        let is_it = self.is_it(raw);
        let is_seed = raw.depth() == 0 && raw.filtered.is_none();
        if !is_it && !is_seed {
            self.n_variants += u64::from(raw.has_extension() && raw.url == self.url.as_str());
            return;
        }
        let Some(Event::Found(found)) = thaw.event(Raw::Found(*raw)) else { return };
        if is_seed && found.request.referrer.is_none() && found.request.chain.is_empty() {
            let host = found.request.url.host_str();
            let is_new = !self.seed_hosts.iter().any(|known| known == host);
            if is_new && self.seed_hosts.len() < MOST_SEED_HOSTS {
                self.seed_hosts.push(host.to_owned());
            }
        }
        if !is_it {
            return;
        }
        self.n_found += 1;
        let may_wait = match self.state {
            "settled" => found.renews,
            "queued" => false,
            _ => true,
        };
        match found.filtered {
            None if may_wait => {
                (self.state, self.reason) = ("queued", None);
                self.admitted = Some((*found).clone());
            }
            Some(reason) if self.state == "never-found" => {
                (self.state, self.reason) = ("filtered", Some(reason));
            }
            _ => {}
        }
        self.first.get_or_insert(*found);
    }

    /// Whether a line of the log is of this URL. Where there are second fingerprints, its first may
    /// be another URL's name.
    fn is_it(&mut self, raw: &RawFound<'_>) -> bool {
        if self.print.is_some() {
            return self.print == Some(raw.print);
        }
        let second = self.prints.second(&self.request);
        let first = self.prints.request(&self.request);
        let is_named_so = raw.print == first || Some(raw.print) == second;
        let of_line = || {
            let url = CanonicalUrl::parse(raw.url).ok()?;
            self.prints.second(&Request { url, ..self.request.clone() })
        };
        if is_named_so && of_line() == second {
            self.print = Some(raw.print);
        }
        self.print.is_some()
    }

    /// Notes when its host was asked; whether it was for this URL.
    fn note_host(&mut self, host: &str, at_ms: u64, rest_ms: u64, print: Fingerprint) -> bool {
        if host == self.url.host_str() {
            self.host_last_ms = self.host_last_ms.max(at_ms);
            self.host_rest_ms = self.host_rest_ms.max(rest_ms);
        }
        self.print == Some(print)
    }

    fn tried(&mut self, row: Value) {
        self.n_attempts += 1;
        if self.attempts.len() >= MOST_ATTEMPTS {
            self.attempts.pop_front();
        }
        self.attempts.push_back(row);
    }

    fn row(self, reader: &Reader) -> Result<Value, StoreError> {
        let mut state = self.state;
        let is_in_hand = |print| is_in_hand(reader, print);
        if state == "queued" && self.print.map_or(Ok(false), is_in_hand)? {
            state = "in-hand";
        }
        let host = self.url.host_str();
        let queue = match state {
            "queued" => Some(self.queue(reader)?),
            _ => None,
        };
        let record = self.print.map(|print| reader.page(print)).transpose()?.flatten();
        let deaths = self.print.map_or(Ok(0), |print| reader.deaths(print))?;
        let robots = reader.robots_told(&self.url.origin())?;
        Ok(json!({
            "url": self.url.without_credentials(),
            "state": state,
            "reason": self.reason.map(FilterReason::name),
            "n_found": self.n_found,
            "n_variants": self.n_variants,
            "first": self.first.as_ref().map(line),
            "admitted": self.admitted.as_ref().map(line),
            "attempts": self.attempts,
            "n_attempts": self.n_attempts,
            "deaths": deaths,
            "record": record,
            "queue": queue,
            "host": {
                "host": host,
                "last_ms": self.host_last_ms,
                "rest_until_ms": self.host_rest_ms,
                "is_later_seed": reader.is_later_seed(host)?,
            },
            "seed_hosts": self.seed_hosts,
            "blocked": reader.blocked()?,
            "robots": robots,
            "config": reader.stored_config()?,
        }))
    }

    /// How many of its host wait before it, in the order that the last run kept.
    fn queue(&self, reader: &Reader) -> Result<Value, StoreError> {
        let host = self.url.host_str();
        let config = reader.stored_config()?;
        let order = config.as_ref().and_then(|config| config.pointer("/queue/order")?.as_str());
        let order = order.unwrap_or("breadth-first");
        let mut waiting: HashMap<Fingerprint, Rank> = HashMap::new();
        let mut log = Log::all(&reader.shared.log);
        let (mut thaw, mut nth) = (Thaw::default(), 0_u64);
        let fold = Fold::of(&reader.shared.log, Part::All)?;
        while let Some(raw) = log.next()? {
            nth += 1;
            let Raw::Found(found) = raw else { continue };
            let waits = found.filtered.is_none() && fold.is_queued(found.print);
            if !waits || !found.url.contains(host) || waiting.contains_key(&found.print) {
                continue;
            }
            let Some(Event::Found(found)) = thaw.event(Raw::Found(found)) else { continue };
            if found.request.url.host_str() == host {
                waiting.insert(found.print, rank(order, &found.request, nth));
            }
        }
        let own = self.print.and_then(|print| waiting.get(&print).copied());
        let ahead = waiting.values().filter(|rank| own.is_some_and(|own| **rank < own)).count();
        Ok(json!({ "ahead": ahead, "of_host": waiting.len(), "order": order }))
    }
}

/// Where a URL stands among those of its host; the least goes first.
type Rank = (i64, i64, u64);

/// By priority, by link distance as `queue.order` has it, and by discovery.
fn rank(order: &str, request: &Request, nth: u64) -> Rank {
    let depth = match order {
        "depth-first" => -i64::from(request.depth),
        "best-first" => 0,
        _ => i64::from(request.depth),
    };
    (-i64::from(request.priority), depth, nth)
}

fn line(found: &Found) -> Value {
    let request = &found.request;
    json!({
        "referrer": request.referrer.as_ref().map(CanonicalUrl::without_credentials),
        "depth": request.depth,
        "label": &*request.label,
        "priority": request.priority,
        "filtered": found.filtered.map(FilterReason::name),
    })
}

/// What is known beside the log.
impl Reader {
    /// The same for people and tools: what kind of answer it was, when it came, and its text.
    fn robots_told(&self, origin: &Origin) -> Result<Option<Value>, StoreError> {
        let reply = StoredRobots::of(&self.shared.db, origin).next().transpose()?;
        Ok(reply.map(|(_, reply, fetched_ms)| {
            let (kind, text) = match &reply {
                RobotsReply::Rules(rules) => ("rules", String::from_utf8_lossy(rules).into_owned()),
                RobotsReply::AllowAll => ("allow-all", String::new()),
                RobotsReply::Unreachable { cause, .. } => ("unreachable", cause.clone()),
                RobotsReply::Redirect(_) => ("redirect", String::new()),
            };
            json!({ "kind": kind, "text": text, "fetched_ms": fetched_ms })
        }))
    }

    /// How many processes died with this URL in hand.
    fn deaths(&self, print: Fingerprint) -> Result<u32, StoreError> {
        let deaths = self.shared.db.deaths()?;
        Ok(deaths.into_iter().find(|(of, _)| *of == print).map_or(0, |(_, deaths)| deaths))
    }

    /// The domains that are blocked.
    fn blocked(&self) -> Result<Vec<String>, StoreError> {
        Ok(Blocks::load(self.shared.clone())?.get())
    }

    /// Whether the host, or its twin with or without `www.`, came into the scope with later seeds.
    fn is_later_seed(&self, host: &str) -> Result<bool, StoreError> {
        let (_, hosts) = SeedHostsFile::load(self.shared.clone())?;
        let twin = host.strip_prefix("www.").map_or_else(|| format!("www.{host}"), str::to_owned);
        let prints = Fingerprinter::new(self.shared.identity.secret);
        let wanted = [prints.host(host), prints.host(&twin)];
        Ok(hosts.iter().any(|print| wanted.contains(print)))
    }
}

/// Whether a process has it in hand, or had when it died.
fn is_in_hand(reader: &Reader, print: Fingerprint) -> Result<bool, StoreError> {
    let path = reader.folder().join(crate::folder::OPEN_JOURNAL);
    let leftovers = journal::read(&path)?;
    Ok(leftovers.is_some_and(|leftovers| leftovers.open.contains(&print)))
}
