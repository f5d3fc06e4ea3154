//! Whole runs against a pipeline of a few lines, in virtual time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_channel::Receiver;
use crawl_model::{
    Counts, Entry, Errand, Found, Health, HostFree, Outcome, Request, RobotsReply, Ticket, Verdict,
    View,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use super::{Control, Edges, End};
use crate::tests::rig::{Journal, config, prints, url};
use crate::{Frontier, FrontierConfig, FrontierError, Seeded, Setting, SharedCounts};

/// What the web of a test does with a URL.
#[derive(Clone)]
enum Answer {
    /// A page with these links, after so many milliseconds.
    Page(u64, Vec<String>),
    /// A failure that may be tried again.
    Fail,
    /// Nobody is there.
    Gone,
    /// The worker panics, so to say.
    Lose,
    Robots(RobotsReply),
}

type Web = Arc<dyn Fn(&str, u32) -> Answer + Send + Sync>;

/// A running frontier with everything around it.
struct World {
    control: mpsc::Sender<Control>,
    credit: Option<Arc<Semaphore>>,
    counts: Arc<SharedCounts>,
    log: Arc<Mutex<Vec<(String, Duration)>>>,
    journal: Journal,
    run: tokio::task::JoinHandle<Result<End, FrontierError>>,
}

fn page(ms: u64, links: &[&str]) -> Answer {
    Answer::Page(ms, links.iter().map(|&link| link.to_owned()).collect())
}

fn start(
    web: impl Fn(&str, u32) -> Answer + Send + Sync + 'static,
    change: impl FnOnce(&mut FrontierConfig),
    seeds: &[&str],
    n_credit: Option<usize>,
) -> World {
    let (source, sources) = mpsc::channel(1);
    drop(source);
    start_with(web, change, seeds, n_credit, sources)
}

fn start_with(
    web: impl Fn(&str, u32) -> Answer + Send + Sync + 'static,
    change: impl FnOnce(&mut FrontierConfig),
    seeds: &[&str],
    n_credit: Option<usize>,
    sources: mpsc::Receiver<std::convert::Infallible>,
) -> World {
    let journal = Journal::default();
    let frontier =
        Frontier::new(config(change), "bot", prints(), Vec::new(), Box::new(journal.clone()))
            .unwrap();
    let n_workers = 8;
    let (tickets, tickets_in) = async_channel::bounded(n_workers);
    // As narrow as can be: whoever waits in a circle hangs here.
    let (host_free_out, host_free) = mpsc::channel(1);
    let (outcomes_out, outcomes) = mpsc::channel(n_workers);
    let (entries, entries_in) = mpsc::channel(1);
    let (control, control_in) = mpsc::channel(4);
    let log = Arc::new(Mutex::new(Vec::new()));
    let credit = n_credit.map(|n| Arc::new(Semaphore::new(n)));
    if !seeds.is_empty() {
        let requests = seeds.iter().map(|seed| Request::get(url(seed))).collect();
        control.try_send(Control::AddSeeds { requests, done: None }).unwrap();
    }
    let web: Web = Arc::new(web);
    let begin = Instant::now();
    for _ in 0..n_workers {
        let worker = Worker {
            web: web.clone(),
            view: frontier.view(),
            log: log.clone(),
            begin,
            host_free: host_free_out.clone(),
            outcomes: outcomes_out.clone(),
        };
        tokio::spawn(worker.run(tickets_in.clone()));
    }
    tokio::spawn(store(entries_in, outcomes_out));
    let counts = frontier.counts();
    let workers = Arc::new(Semaphore::new(n_workers));
    let edges = Edges {
        sources,
        closing: Arc::new(watch::channel(false).0),
        tickets,
        workers,
        credit: credit.clone(),
        host_free,
        outcomes,
        entries,
        control: control_in,
    };
    let run = tokio::spawn(frontier.run(edges));
    World { control, credit, counts, log, journal, run }
}

/// Answers what the frontier sends, after a group commit's time.
async fn store(mut entries: mpsc::Receiver<Entry>, outcomes: mpsc::Sender<Outcome>) {
    while let Some(entry) = entries.recv().await {
        sleep(Duration::from_millis(3)).await;
        let outcome = match entry {
            Entry::Found { found, source } => Outcome::Found { found, source },
            Entry::Ended(ended) => Outcome::Ended(ended),
            Entry::Parsed(_) | Entry::FeedCursor { .. } => continue,
        };
        if outcomes.send(outcome).await.is_err() {
            return;
        }
    }
}

/// Fetcher, parser and store's answer in one.
struct Worker {
    web: Web,
    view: Arc<dyn View>,
    log: Arc<Mutex<Vec<(String, Duration)>>>,
    begin: Instant,
    host_free: mpsc::Sender<HostFree>,
    outcomes: mpsc::Sender<Outcome>,
}

impl Worker {
    async fn run(self, tickets: Receiver<(Ticket, OwnedSemaphorePermit)>) {
        while let Ok((ticket, permit)) = tickets.recv().await {
            self.serve(ticket).await;
            drop(permit);
        }
    }

    async fn serve(&self, ticket: Ticket) {
        let sent = Instant::now();
        let text = ticket.url().as_str().to_owned();
        self.log.lock().unwrap().push((text.clone(), sent - self.begin));
        let answer = (self.web)(&text, ticket.attempt());
        match &answer {
            Answer::Lose => return,
            Answer::Page(ms, _) => sleep(Duration::from_millis(*ms)).await,
            Answer::Fail | Answer::Gone | Answer::Robots(_) => {
                sleep(Duration::from_millis(10)).await;
            }
        }
        let done_at = Instant::now().into_std();
        let is_gone = matches!(answer, Answer::Gone);
        let (id, sent_at) = (ticket.id(), (!is_gone).then_some(sent.into_std()));
        let free = HostFree {
            id,
            sent_at,
            done_at,
            rest: None,
            latency: None,
            health: if is_gone { Health::Unreachable } else { Health::Good },
            remote: None,
        };
        let _ = self.host_free.send(free).await;
        sleep(Duration::from_millis(5)).await; // parsed and committed
        let outcome = self.outcome(ticket, answer);
        let _ = self.outcomes.send(outcome).await;
    }

    fn outcome(&self, ticket: Ticket, answer: Answer) -> Outcome {
        match (answer, ticket.errand().clone()) {
            (Answer::Robots(reply), Errand::Robots { origin, .. }) => {
                Outcome::Robots { spent: ticket.spend(), origin, reply }
            }
            (Answer::Gone, Errand::Robots { origin, .. }) => {
                let reply = RobotsReply::Unreachable { cause: "refused".to_owned(), rest: None };
                Outcome::Robots { spent: ticket.spend(), origin, reply }
            }
            (Answer::Fail | Answer::Gone, Errand::Page(_)) if !ticket.is_last_attempt() => {
                Outcome::Retry { spent: ticket.spend(), rest: None }
            }
            (Answer::Page(_, links), Errand::Page(request)) => {
                let found = links.iter().filter_map(|link| self.judge(link, request.depth + 1));
                let found = found.collect();
                let verdict = Verdict::Ok;
                Outcome::Settled { spent: ticket.spend(), verdict, n_items: 1, found }
            }
            (_, Errand::Page(_)) => Outcome::Settled {
                spent: ticket.spend(),
                verdict: Verdict::Timeout,
                n_items: 0,
                found: Vec::new(),
            },
            (_, Errand::Robots { origin, .. }) => {
                Outcome::Robots { spent: ticket.spend(), origin, reply: RobotsReply::AllowAll }
            }
        }
    }

    fn judge(&self, link: &str, depth: u32) -> Option<Found> {
        let mut request = Request::get(url(link));
        request.depth = depth;
        let print = self.view.fingerprint(request.url.as_str());
        let filtered = match self.view.look(print, &request.url, depth) {
            crawl_model::Look::Known => return None,
            crawl_model::Look::Admit => None,
            crawl_model::Look::Filter(reason) => Some(reason),
        };
        Some(Found { print, request, filtered, renews: false })
    }
}

impl World {
    /// Waits for the end, which must come within an hour of virtual time.
    async fn end(&mut self) -> (End, Counts) {
        let end = timeout(Duration::from_secs(3600), &mut self.run).await.expect("it hangs");
        let counts = self.counts.get();
        assert!(counts.is_conserved(), "{counts:?}");
        assert!(self.journal.0.lock().unwrap().is_empty(), "slots are open after the end");
        (end.unwrap().unwrap(), counts)
    }

    fn urls(&self) -> Vec<String> {
        self.log.lock().unwrap().iter().map(|(url, _)| url.clone()).collect()
    }

    async fn pass(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
        assert!(self.counts.get().is_conserved());
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_is_fetched_whole_once_and_politely() {
    let web = |url: &str, _| match url {
        "http://h/" => page(40, &["http://h/1", "http://h/2", "http://h/1", "http://x/"]),
        "http://h/1" => page(40, &["http://h/", "http://h/2", "http://h/3"]),
        "http://h/robots.txt" => Answer::Robots(RobotsReply::AllowAll),
        _ => page(300, &[]),
    };
    let change = |c: &mut FrontierConfig| {
        c.politeness.robots = true;
        c.politeness.delay = Duration::from_millis(100);
    };
    let mut world = start(web, change, &["http://h/", "http://h/"], None);
    let (end, counts) = world.end().await;
    assert_eq!(end, End::Finished);
    assert_eq!((counts.pages, counts.items, counts.discovered), (4, 4, 5));
    assert_eq!(counts.filtered["off-domain"], 1);
    let log = world.log.lock().unwrap().clone();
    let urls: Vec<&str> = log.iter().map(|(url, _)| url.as_str()).collect();
    let all = ["robots.txt", "", "1", "2", "3"].map(|path| format!("http://h/{path}"));
    assert_eq!(urls, all);
    let gaps: Vec<Duration> = log.windows(2).map(|two| two[1].1 - two[0].1).collect();
    assert!(gaps.iter().all(|gap| *gap >= Duration::from_millis(100)), "{gaps:?}");
    assert!(gaps[3] >= Duration::from_millis(300), "one at a time: {gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn without_seeds_it_ends_at_once() {
    let mut world = start(|_, _| Answer::Lose, |_| (), &[], None);
    assert_eq!(world.end().await.0, End::Finished);
}

#[tokio::test(start_paused = true)]
async fn seeds_that_are_all_refused_end_the_crawl_with_a_reason() {
    let mut world = start(|_, _| Answer::Lose, |_| (), &["http://x/"], None);
    let (end, counts) = world.end().await;
    assert_eq!((end, counts.filtered["off-domain"]), (End::Finished, 1));
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_slows_no_other() {
    let web = |url: &str, _| match url {
        "http://a/" => page(3_000_000, &[]),
        "http://b/" => page(10, &["http://b/1", "http://b/2", "http://b/3"]),
        _ => page(10, &[]),
    };
    let mut world = start(web, |_| (), &["http://a/", "http://b/", "http://a/1"], None);
    world.end().await;
    let log = world.log.lock().unwrap();
    let last = log.iter().find(|(url, _)| url == "http://b/3").unwrap().1;
    assert!(last < Duration::from_millis(3100), "{last:?}");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_fetched_beyond_what_the_reader_promised_to_take() {
    let web = |url: &str, attempt| match (url, attempt) {
        ("http://h/robots.txt" | "http://a/robots.txt" | "http://b/robots.txt", _) => {
            Answer::Robots(RobotsReply::AllowAll)
        }
        ("http://a/1", 1) => Answer::Fail,
        _ => page(10, &[]),
    };
    let seeds = ["http://h/1", "http://a/1", "http://b/1", "http://h/2", "http://b/2"];
    let mut world = start(web, |c| c.politeness.robots = true, &seeds, Some(2));
    world.pass(600_000).await;
    let is_page = |url: &String| !url.ends_with("robots.txt");
    // Two pages were delivered; the failed try gave its place back.
    assert_eq!(world.counts.get().pages, 2);
    assert_eq!(world.urls().into_iter().filter(is_page).count(), 3);
    for _ in 0..3 {
        world.credit.as_ref().unwrap().add_permits(1);
        world.pass(10_000).await;
    }
    let (end, counts) = world.end().await;
    assert_eq!((end, counts.pages), (End::Finished, 5));
    assert_eq!(world.credit.unwrap().available_permits(), 0);
}

#[tokio::test(start_paused = true)]
async fn closing_settles_what_is_in_flight_and_leaves_the_rest_queued() {
    let seeds = ["http://h/1", "http://h/2", "http://a/1"];
    let web = |url: &str, _| if url == "http://a/1" { Answer::Fail } else { page(500, &[]) };
    let mut world = start(web, |_| (), &seeds, None);
    world.pass(8).await;
    world.control.send(Control::Close).await.unwrap();
    let (done, answer) = oneshot::channel();
    let requests = vec![Request::get(url("http://h/9"))];
    world.control.send(Control::AddSeeds { requests, done: Some(done) }).await.unwrap();
    let (end, counts) = world.end().await;
    assert_eq!(end, End::Closed);
    assert_eq!((counts.pages, counts.queued, counts.retries), (1, 2, 1));
    assert!(answer.await.is_err(), "who comes too late is told");
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_pages_is_exact_with_failures_and_many_workers() {
    let web = |url: &str, attempt| match (url, attempt) {
        ("http://h/", _) => {
            let links = (0..40).map(|n| format!("http://{}/{n}", ["h", "a", "b"][n % 3]));
            Answer::Page(10, links.collect())
        }
        (_, 1) if url.ends_with('4') => Answer::Fail,
        _ if url.ends_with('7') => Answer::Fail,
        _ => page(70, &[]),
    };
    let change = |c: &mut FrontierConfig| {
        c.scope.max_pages = 17;
        c.politeness.delay = Duration::from_millis(5);
        c.politeness.per_host = std::num::NonZeroU32::new(5).unwrap();
    };
    let mut world = start(web, change, &["http://h/"], None);
    let (end, counts) = world.end().await;
    assert_eq!(end, End::LimitReached("scope.max-pages"));
    assert_eq!((counts.pages, counts.in_flight, counts.discovered), (17, 0, 41));
}

#[tokio::test(start_paused = true)]
async fn a_crawl_whose_last_page_is_the_limit_is_finished() {
    let change = |c: &mut FrontierConfig| c.scope.max_pages = 1;
    let mut world = start(|_, _| page(1, &[]), change, &["http://h/"], None);
    assert_eq!(world.end().await.0, End::Finished);
}

#[tokio::test(start_paused = true)]
async fn added_seeds_are_answered_when_they_are_durable() {
    let mut world = start(|_, _| page(5000, &[]), |_| (), &["http://h/"], None);
    world.pass(100).await;
    let (done, answer) = oneshot::channel();
    let urls = ["http://h/", "http://a/", "http://a/", "http://x/"];
    let requests = urls.map(|text| Request::get(url(text))).to_vec();
    let asked = Instant::now();
    world.control.send(Control::AddSeeds { requests, done: Some(done) }).await.unwrap();
    let seeded = answer.await.unwrap();
    assert_eq!(seeded, Seeded { admitted: 1, known: 2, filtered: 1 });
    assert!(asked.elapsed() >= Duration::from_millis(3));
    assert_eq!(world.end().await.1.pages, 2);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_ends_go_through_the_narrowest_edges() {
    let rules = "User-agent: *\nDisallow: /no\n";
    let web = move |url: &str, _| match url {
        "http://h/robots.txt" => {
            Answer::Robots(RobotsReply::Rules(bytes::Bytes::from_static(rules.as_bytes())))
        }
        "http://h/" => {
            let links = (0..5000).map(|n| format!("http://h/no{n}"));
            Answer::Page(1, links.collect())
        }
        _ => page(1, &[]),
    };
    let seeds: Vec<String> = (0..5000).map(|n| format!("http://h/no/{n}")).collect();
    let mut seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
    seeds.push("http://h/");
    let change = |c: &mut FrontierConfig| c.politeness.robots = true;
    let mut world = start(web, change, &seeds, Some(1));
    let (end, counts) = world.end().await;
    assert_eq!((end, counts.pages, counts.filtered["robots"]), (End::Finished, 1, 10_000));
}

#[tokio::test(start_paused = true)]
async fn lost_tickets_come_back_and_do_not_hang_the_crawl() {
    let tries = Mutex::new(HashMap::<String, u32>::new());
    let web = move |url: &str, _| {
        let mut tries = tries.lock().unwrap();
        let n = tries.entry(url.to_owned()).or_default();
        *n += 1;
        if *n < 3 || url == "http://a/" { Answer::Lose } else { page(1, &[]) }
    };
    let mut world = start(web, |_| (), &["http://h/", "http://a/"], Some(2));
    let (end, counts) = world.end().await;
    assert_eq!((end, counts.pages, counts.settled["poisoned"]), (End::Finished, 1, 1));
    assert_eq!(world.credit.unwrap().available_permits(), 1);
}

#[tokio::test(start_paused = true)]
async fn without_workers_or_store_the_run_closes() {
    let frontier =
        || Frontier::new(config(|_| ()), "bot", prints(), Vec::new(), Box::<Journal>::default());
    for is_store_gone in [true, false] {
        let (tickets, _) = async_channel::bounded(1);
        let (_free, host_free) = mpsc::channel(1);
        let (outcomes_out, outcomes) = mpsc::channel(4);
        let (entries, entries_in) = mpsc::channel(4);
        let (control, control_in) = mpsc::channel(4);
        let requests = vec![Request::get(url("http://h/"))];
        control.try_send(Control::AddSeeds { requests, done: None }).unwrap();
        let workers = Arc::new(Semaphore::new(1));
        let store_task = (!is_store_gone).then(|| tokio::spawn(store(entries_in, outcomes_out)));
        let edges = Edges {
            sources: mpsc::channel(1).1,
            closing: Arc::new(watch::channel(false).0),
            tickets,
            workers,
            credit: None,
            host_free,
            outcomes,
            entries,
            control: control_in,
        };
        let end = timeout(Duration::from_secs(60), frontier().unwrap().run(edges)).await;
        assert_eq!(end.expect("it hangs").unwrap(), End::Closed);
        drop(store_task);
    }
}

#[tokio::test(start_paused = true)]
async fn a_site_that_is_down_for_five_minutes_is_crawled_to_its_end() {
    let begin = Instant::now();
    let links: Vec<String> = (0..200).map(|n| format!("http://h/{n}")).collect();
    let web = move |url: &str, _| match begin.elapsed().as_secs() {
        10..310 => Answer::Gone,
        _ if url == "http://h/" => Answer::Page(20, links.clone()),
        _ => page(20, &[]),
    };
    let mut world = start(web, |_| (), &["http://h/"], None);
    let (end, counts) = world.end().await;
    assert_eq!(end, End::Finished);
    assert!(!counts.settled.contains_key("host-dead"), "{counts:?}");
    // Those that were tried three times in these minutes; all others were had.
    assert!(counts.settled["timeout"] <= 3, "{counts:?}");
    let n_knocks = counts.retries + counts.settled["timeout"];
    assert!(n_knocks <= 9, "{n_knocks} attempts at a host that is not there");
    assert!(begin.elapsed() < Duration::from_secs(310 + 240 + 201 + 200), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_thousand_hosts_that_are_gone_cost_two_minutes_and_four_attempts_each() {
    let begin = Instant::now();
    let seeds: Vec<String> = (0..1000)
        .flat_map(|n| (0..5).map(move |path| format!("http://gone{n}.h/{path}")))
        .collect();
    let seeds: Vec<&str> = seeds.iter().map(String::as_str).collect();
    for robots in [false, true] {
        let change = |c: &mut FrontierConfig| c.politeness.robots = robots;
        let mut world = start(|_: &str, _| Answer::Gone, change, &seeds, None);
        let (end, counts) = world.end().await;
        assert_eq!((end, counts.n_settled()), (End::Finished, 5000), "{counts:?}");
        let n_attempts = world.urls().len();
        assert!(n_attempts <= 4000, "{n_attempts} attempts");
        if robots {
            assert_eq!(counts.settled["robots-unreachable"], 5000);
        } else {
            assert!(counts.settled["host-dead"] >= 4000, "{counts:?}");
        }
    }
    assert!(begin.elapsed() < Duration::from_secs(2 * 120), "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_paused_crawl_sends_nothing_does_not_end_and_goes_on_when_it_is_told() {
    let web = |_: &str, _| page(500, &["http://h/2", "http://a/1"]);
    let mut world = start(web, |_| (), &["http://h/1"], Some(9));
    world.pass(100).await;
    let steer = |is_pause: bool| {
        let (control, (done, answer)) = (world.control.clone(), oneshot::channel());
        async move {
            let order = if is_pause { Control::Pause { done } } else { Control::Resume { done } };
            control.send(order).await.unwrap();
            answer.await.unwrap()
        }
    };
    assert!(!steer(true).await);
    assert!(steer(true).await);
    assert!(world.counts.is_paused());
    sleep(Duration::from_secs(3600)).await;
    let counts = world.counts.get();
    assert_eq!((counts.pages, counts.queued, counts.in_flight), (1, 2, 0), "in flight settles");
    assert_eq!(world.log.lock().unwrap().len(), 1);
    assert!(steer(false).await);
    world.pass(10_000).await;
    // Two of its URLs are all it had: paused, it waits for more.
    let (end, counts) = world.end().await;
    assert_eq!((end, counts.pages), (End::Finished, 3));
}

#[tokio::test(start_paused = true)]
async fn a_paused_crawl_with_nothing_left_waits_and_can_be_closed() {
    let mut world = start(|_, _| page(10, &[]), |_| (), &["http://h/1"], None);
    let (done, answer) = oneshot::channel();
    world.control.send(Control::Pause { done }).await.unwrap();
    answer.await.unwrap();
    sleep(Duration::from_secs(600)).await;
    assert!(!world.run.is_finished());
    world.control.send(Control::Close).await.unwrap();
    assert_eq!(world.end().await.0, End::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_crawl_whose_seeds_are_not_all_read_does_not_finish() {
    let (source, sources) = mpsc::channel(1);
    let mut world = start_with(|_, _| page(10, &[]), |_| (), &["http://h/1"], None, sources);
    sleep(Duration::from_secs(600)).await;
    assert!(!world.run.is_finished());
    let (done, answer) = oneshot::channel();
    let requests = vec![Request::get(url("http://h/2"))];
    world.control.send(Control::AddSeeds { requests, done: Some(done) }).await.unwrap();
    assert_eq!(answer.await.unwrap().admitted, 1);
    drop(source);
    let (end, counts) = world.end().await;
    assert_eq!((end, counts.pages), (End::Finished, 2));
}

#[tokio::test(start_paused = true)]
async fn a_delay_is_told_as_it_was_set_though_it_is_kept_with_slack() {
    let mut world = start(|_, _| page(60_000, &[]), |_| (), &["http://h/1"], None);
    let two = Setting::Delay(Duration::from_secs(2));
    for was in [Setting::Delay(Duration::from_secs(1)), two] {
        let (done, answer) = oneshot::channel();
        world.control.send(Control::Set { setting: two, host: None, done }).await.unwrap();
        assert_eq!(answer.await.unwrap(), was);
    }
    let (done, answer) = oneshot::channel();
    world.control.send(Control::Status { done }).await.unwrap();
    assert_eq!(answer.await.unwrap().pace.delay, Duration::from_secs(2));
    world.end().await;
}
