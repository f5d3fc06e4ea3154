//! The CPU threads, and what happens to one that does not come back.
//!
//! A thread cannot be stopped from outside. So each has a [`Post`] where the ticket lies while
//! the spider is at work; a watch looks at all posts, and when one takes longer than
//! `parse.max-time` it takes the ticket away, settles the page as `spider-timeout` and puts a new
//! thread in the place of the one that hangs. Should that one come back after all, it finds its
//! post empty and goes: what it read is dropped, for the page has already ended.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crawl_model::{Entry, Fetched, Parsed, Source, Ticket, Verdict};
use crawl_spider::{LogLevel, LogLine};
use tokio::sync::{mpsc, oneshot};

use super::case::Case;
use super::parser::{Parser, Read};

/// New links per message: a sitemap's 50,000 go in parts, so that no message and no batch of the
/// store grows without bound.
const MAX_FOUND: usize = 5_000;

/// Threads that may hang at a time. Each holds a page and burns a core, so beyond this the
/// spider is broken, not a page: no more are replaced, and the crawl ends.
const MAX_HANGING: usize = 64;

/// How the CPU threads ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrewEnd {
    /// No answers are left, or nobody takes entries; a thread that hangs is left behind.
    Done,
    /// A thread broke, by a fault that is not the spider's.
    Broken,
    /// So many callbacks hang that the crawl cannot go on.
    Hanging,
}

/// Where a thread works: what it has in hand, if anything.
#[derive(Default)]
struct Post(Mutex<Option<InHand>>);

/// A ticket whose page is being read, and all else that a thread must not keep if that never ends:
/// an edge in the hands of a thread that hangs would never close.
struct InHand {
    since: Instant,
    ticket: Ticket,
    case: Arc<Case>,
    edges: Edges,
}

/// Where answers come from and pages go.
#[derive(Clone)]
struct Edges {
    fetched: async_channel::Receiver<Fetched>,
    entries: mpsc::Sender<Entry>,
}

impl Post {
    fn put(&self, in_hand: InHand) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(in_hand);
    }

    fn take(&self) -> Option<InHand> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn take_if_older(&self, limit: Duration) -> Option<InHand> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        place.take_if(|in_hand| in_hand.since.elapsed() > limit)
    }
}

impl Edges {
    /// Sends a page on; whether the edge is still open. The early parts of a huge page go first
    /// and its verdict last: killed in between, the page is fetched again and its early links
    /// are known by then.
    fn send(&self, mut parsed: Parsed) -> bool {
        while parsed.found.len() > MAX_FOUND {
            let rest = parsed.found.split_off(MAX_FOUND);
            let found = std::mem::replace(&mut parsed.found, rest);
            if self.entries.blocking_send(Entry::Found { found, source: Source::Page }).is_err() {
                return false;
            }
        }
        self.entries.blocking_send(Entry::Parsed(Box::new(parsed))).is_ok()
    }
}

/// What all threads of a crew share.
struct Shop {
    parser: Arc<Parser>,
    hanging: AtomicUsize,
    /// Told by each thread that ends: its number, and whether it broke.
    ended: std::sync::mpsc::Sender<(usize, bool)>,
}

impl Parser {
    /// Starts `n_threads` CPU threads, which read one answer after another until `fetched`
    /// closes or `entries` does, and the watch over them. The receiver is told their end.
    ///
    /// # Errors
    /// [`io::Error`] if a thread cannot be started.
    pub fn start(
        self: Arc<Self>,
        n_threads: usize,
        fetched: async_channel::Receiver<Fetched>,
        entries: mpsc::Sender<Entry>,
    ) -> io::Result<oneshot::Receiver<CrewEnd>> {
        let (ended, ends) = std::sync::mpsc::channel();
        let hanging = AtomicUsize::new(0);
        let shop = Arc::new(Shop { parser: self, hanging, ended });
        let edges = Edges { fetched, entries };
        let posts = (0..n_threads).map(|number| Ok((number, shop.hire(number, edges.clone())?)));
        let posts = posts.collect::<io::Result<Vec<_>>>()?;
        drop(edges);
        let (done, end) = oneshot::channel();
        thread::Builder::new().name("crawl-watch".to_owned()).spawn(move || {
            // Nobody listens only if the crawl has broken.
            let _ = done.send(watch(&shop, posts, &ends));
        })?;
        Ok(end)
    }
}

/// Looks after the threads until none is left but those that hang.
fn watch(
    shop: &Arc<Shop>,
    mut posts: Vec<(usize, Arc<Post>)>,
    ends: &std::sync::mpsc::Receiver<(usize, bool)>,
) -> CrewEnd {
    let limit = shop.parser.max_time();
    // Often enough that a page is not marked much too late, seldom enough to cost nothing.
    let tick = limit.map_or(Duration::from_secs(3600), |limit| limit / 4);
    let mut next_number = posts.len();
    let mut end = CrewEnd::Done;
    while !posts.is_empty() {
        if let Ok((number, broke)) = ends.recv_timeout(tick) {
            let had_work = posts.iter().any(|(its, _)| *its == number);
            posts.retain(|(its, _)| *its != number);
            if broke && had_work {
                end = CrewEnd::Broken;
            }
        }
        let Some(limit) = limit else { continue };
        for (number, post) in &mut posts {
            let Some(in_hand) = post.take_if_older(limit) else { continue };
            let edges = shop.give_up(in_hand, limit);
            if shop.hanging.load(Ordering::Relaxed) > MAX_HANGING {
                return CrewEnd::Hanging;
            }
            match shop.hire(next_number, edges) {
                Ok(fresh) => (*number, *post) = (next_number, fresh),
                Err(_) => return CrewEnd::Broken,
            }
            next_number += 1;
        }
    }
    end
}

impl Shop {
    /// Starts a thread and gives its post.
    fn hire(self: &Arc<Self>, number: usize, edges: Edges) -> io::Result<Arc<Post>> {
        let post = Arc::new(Post::default());
        let (shop, its_post) = (self.clone(), post.clone());
        thread::Builder::new().name("crawl-parser".to_owned()).spawn(move || {
            // A panic of ours ends one thread; the watch must know all the same.
            let _report = Report(&shop.ended, number);
            shop.work(&its_post, edges);
        })?;
        Ok(post)
    }

    /// The loop of one thread.
    fn work(&self, post: &Post, mut edges: Edges) {
        while let Ok(answer) = edges.fetched.recv_blocking() {
            let (ticket, case) = Case::split(answer);
            let case = Arc::new(case);
            post.put(InHand { since: Instant::now(), ticket, case: case.clone(), edges });
            let read = self.parser.read(&case);
            let Some(in_hand) = post.take() else {
                self.hanging.fetch_sub(1, Ordering::Relaxed);
                return; // too late: the page has ended without us
            };
            let (ticket, copy);
            InHand { ticket, case: copy, edges, .. } = in_hand;
            drop(copy);
            let Some(case) = Arc::into_inner(case) else { return };
            if !edges.send(self.parser.parsed(ticket, case, read)) {
                return; // the crawl is closing; the ticket inside has reported itself
            }
        }
    }

    /// Settles a page whose callback hangs.
    fn give_up(&self, in_hand: InHand, limit: Duration) -> Edges {
        self.hanging.fetch_add(1, Ordering::Relaxed);
        let InHand { ticket, case, edges, .. } = in_hand;
        let text = format!("the spider did not return within {limit:?} (parse.max-time)");
        let line = LogLine { level: LogLevel::Error, text: text.clone() };
        self.parser.log.line(self.parser.spider.name(), Some(ticket.url()), &line);
        let Read { ending, record, items, found, .. } =
            case.given_up(Verdict::SpiderTimeout, &text);
        // Should the edge be closed, the crawl is closing and the ticket reports itself.
        let cookies = case.cookies.clone();
        edges.send(Parsed { ticket, ending, response: None, record, items, found, cookies });
        edges
    }
}

/// Tells that a thread has ended, however it did.
struct Report<'a>(&'a std::sync::mpsc::Sender<(usize, bool)>, usize);

impl Drop for Report<'_> {
    fn drop(&mut self) {
        // The watch is gone only when all who count have ended.
        let _ = self.0.send((self.1, thread::panicking()));
    }
}
