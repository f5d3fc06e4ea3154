//! The CPU threads, and what happens to one that does not come back.
//!
//! A thread cannot be stopped from outside. So each has a [`Post`] where the ticket lies while
//! the spider is at work; a watch looks at all posts, and when one takes longer than
//! `parse.max-time` it takes the ticket away, settles the page as `spider-timeout` and puts a new
//! thread in the place of the one that hangs, which is left to run only when nobody else wants to
//! (`policy.rs`). Should that one come back after all, it finds its post empty and goes: what it
//! read is dropped, for the page has already ended.
//!
//! When a crawl closes and its grace time is over, callbacks that are still at work are let go in
//! the same way, but their tickets report themselves, and the next run fetches those pages again.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crawl_model::{Entry, Fetched, Parsed, Source, Ticket, Verdict};
use crawl_spider::{LogLevel, LogLine};
use tokio::sync::{mpsc, oneshot};

use super::case::Case;
use super::parser::{Parser, Read};
use super::policy::{Thread, give_way};

/// New links per message: a sitemap's 50,000 go in parts, so that no message and no batch of the
/// store grows without bound.
const MAX_FOUND: usize = 5_000;

/// Threads that may hang at a time. Each holds a page and burns a core, so beyond this the
/// spider is broken, not a page: no more are replaced, and the crawl ends.
const MAX_HANGING: usize = 64;

/// How long a callback may have been at work that is not let go when the crawl's grace time is
/// over: a page that was just begun is as good as read.
const JUST_BEGUN: Duration = Duration::from_millis(300);

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

/// What the watch hears.
enum News {
    /// A thread has ended: its number, and whether it broke.
    Ended(usize, bool),
    /// The grace time is over.
    LetGo,
}

/// Through which the CPU threads are told that the crawl does not wait for them any longer.
#[derive(Clone)]
pub struct LetGo(Sender<News>);

impl LetGo {
    /// Gives up all callbacks that are at work and do not end at once. Their tickets report
    /// themselves as abandoned.
    pub fn now(&self) {
        // The watch is gone only when all threads are.
        let _ = self.0.send(News::LetGo);
    }
}

/// Where a thread works: what it has in hand, if anything.
#[derive(Default)]
struct Post(Mutex<Option<InHand>>);

/// A ticket whose page is being read, and all else that a thread must not keep if that never ends:
/// an edge in the hands of a thread that hangs would never close.
struct InHand {
    since: Instant,
    thread: Thread,
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

    /// Takes away what is in hand for longer than `limit`, and demotes the thread.
    fn take_if_older(&self, limit: Duration) -> Option<InHand> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = place.take_if(|in_hand| in_hand.since.elapsed() > limit)?;
        // While we hold the lock the thread cannot take its page back, so it lives.
        taken.thread.demote();
        Some(taken)
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
    news: Sender<News>,
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
    ) -> io::Result<(oneshot::Receiver<CrewEnd>, LetGo)> {
        let (news, heard) = std::sync::mpsc::channel();
        let let_go = LetGo(news.clone());
        let shop = Arc::new(Shop { parser: self, hanging: AtomicUsize::new(0), news });
        let edges = Edges { fetched, entries };
        let posts = (0..n_threads).map(|number| Ok((number, shop.hire(number, edges.clone())?)));
        let posts = posts.collect::<io::Result<Vec<_>>>()?;
        drop(edges);
        let (done, end) = oneshot::channel();
        thread::Builder::new().name("crawl-watch".to_owned()).spawn(move || {
            let watch = Watch { next_number: posts.len(), posts, end: CrewEnd::Done, shop };
            // Nobody listens only if the crawl has broken.
            let _ = done.send(watch.run(&heard));
        })?;
        Ok((end, let_go))
    }
}

/// Looks after the threads until none is left but those that hang.
struct Watch {
    shop: Arc<Shop>,
    posts: Vec<(usize, Arc<Post>)>,
    next_number: usize,
    end: CrewEnd,
}

impl Watch {
    fn run(mut self, heard: &Receiver<News>) -> CrewEnd {
        let limit = self.shop.parser.max_time();
        let mut is_over = false;
        while !self.posts.is_empty() {
            // Often enough that a page is not marked much too late, seldom enough to cost nothing.
            let tick = match is_over {
                true => JUST_BEGUN / 10,
                false => limit.map_or(Duration::from_secs(3600), |limit| limit / 4),
            };
            match heard.recv_timeout(tick) {
                Ok(News::Ended(number, broke)) => self.ended(number, broke),
                Ok(News::LetGo) => is_over = true,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if is_over {
                self.let_go();
            } else if let Some(limit) = limit
                && let Err(end) = self.replace_those_that_hang(limit)
            {
                return end;
            }
        }
        self.end
    }

    fn ended(&mut self, number: usize, broke: bool) {
        let had_work = self.posts.iter().any(|(its, _)| *its == number);
        self.posts.retain(|(its, _)| *its != number);
        if broke && had_work {
            self.end = CrewEnd::Broken;
        }
    }

    /// Gives up each thread that takes longer than `limit` and puts a new one in its place.
    fn replace_those_that_hang(&mut self, limit: Duration) -> Result<(), CrewEnd> {
        for (number, post) in &mut self.posts {
            let Some(in_hand) = post.take_if_older(limit) else { continue };
            let edges = self.shop.give_up(in_hand, limit);
            if self.shop.hanging.load(Ordering::Relaxed) > MAX_HANGING {
                return Err(CrewEnd::Hanging);
            }
            match self.shop.hire(self.next_number, edges) {
                Ok(fresh) => (*number, *post) = (self.next_number, fresh),
                Err(_) => return Err(CrewEnd::Broken),
            }
            self.next_number += 1;
        }
        Ok(())
    }

    /// Leaves the threads behind that are still at work; nobody takes their place.
    fn let_go(&mut self) {
        let shop = &self.shop;
        self.posts.retain(|(_, post)| match post.take_if_older(JUST_BEGUN) {
            Some(in_hand) => {
                shop.abandon(in_hand);
                false
            }
            None => true,
        });
    }
}

impl Shop {
    /// Starts a thread and gives its post.
    fn hire(self: &Arc<Self>, number: usize, edges: Edges) -> io::Result<Arc<Post>> {
        let post = Arc::new(Post::default());
        let (shop, its_post) = (self.clone(), post.clone());
        thread::Builder::new().name("crawl-parser".to_owned()).spawn(move || {
            // A panic of ours ends one thread; the watch must know all the same.
            let _report = Report(&shop.news, number);
            give_way();
            shop.work(&its_post, edges);
        })?;
        Ok(post)
    }

    /// The loop of one thread.
    fn work(&self, post: &Post, mut edges: Edges) {
        let thread = Thread::current();
        while let Ok(answer) = edges.fetched.recv_blocking() {
            let (ticket, case) = Case::split(answer, self.parser.loadout());
            let case = Arc::new(case);
            post.put(InHand { since: Instant::now(), thread, ticket, case: case.clone(), edges });
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
        self.say(&ticket, &case, LogLevel::Error, text.clone());
        let Read { ending, record, items, found, .. } =
            case.given_up(Verdict::SpiderTimeout, &text);
        // Should the edge be closed, the crawl is closing and the ticket reports itself.
        let (cookies, response, archived) = (case.cookies.clone(), None, None);
        edges.send(Parsed { ticket, ending, response, record, items, found, cookies, archived });
        edges
    }

    /// Lets go of a page whose callback the crawl does not wait for; the ticket reports itself.
    fn abandon(&self, in_hand: InHand) {
        self.hanging.fetch_add(1, Ordering::Relaxed);
        let text = "the spider had not returned when the grace time was over (run.grace); the \
                    next run fetches the page again";
        self.say(&in_hand.ticket, &in_hand.case, LogLevel::Warn, text.to_owned());
    }

    fn say(&self, ticket: &Ticket, case: &Case, level: LogLevel, text: String) {
        let line = LogLine { level, text };
        self.parser.log.line(case.loadout.spider.name(), Some(ticket.url()), &line);
    }
}

/// Tells that a thread has ended, however it did.
struct Report<'a>(&'a Sender<News>, usize);

impl Drop for Report<'_> {
    fn drop(&mut self) {
        // The watch is gone only when all who count have ended.
        let _ = self.0.send(News::Ended(self.1, thread::panicking()));
    }
}
