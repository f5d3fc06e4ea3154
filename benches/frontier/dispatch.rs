//! How fast tickets are cut when many hosts are due, and how the cost of one grows with the hosts.
//!
//! `cargo bench --manifest-path benches/frontier/Cargo.toml --bench dispatch` cuts a million tickets
//! each over 1,000, 10,000 and 100,000 hosts; a number behind `--` is another number of millions.
//!
//! The hosts need no rest (`delay = "0s"`), so all of them are due at once; all else is as by default,
//! robots.txt included. A ticket is answered as soon as it is there: "that host is free", then "that
//! is durable", in the writer's place. So what is measured is the frontier alone; nothing of the
//! answers reaches the disk, and after the kill every URL has to be back in its queue.

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crawl_bench_frontier::crawl::{Crawl, Error, Running, WORKERS};
use crawl_bench_frontier::figures::{cpu_by_thread, load, peak_bytes};
use crawl_bench_frontier::filling::fill;
use crawl_bench_frontier::growth::new_folder;
use crawl_bench_frontier::judge::{Judge, show};
use crawl_bench_frontier::process::{Part, run_and_kill, tell_and_wait};
use crawl_bench_frontier::web::{NEW, Web};
use crawl_frontier::FrontierConfig;
use crawl_model::{Errand, Fingerprint, Health, HostFree, Outcome, RobotsReply, Ticket, Verdict};

/// As in the `crawl` binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const HOSTS: [u64; 3] = [1_000, 10_000, 100_000];
const FLOOR: f64 = 50_000.0;
/// How much more a ticket may cost among a hundred times as many hosts: log 100,000 / log 1,000,
/// twice over, for a hundred times as many hosts do not fit into the processor's caches. A scan would
/// make it a hundred.
const MOST_GROWTH: f64 = 2.0 * 5.0 / 3.0;

fn main() -> Result<ExitCode, Error> {
    match Part::read() {
        Part::Lead(args) => lead(&args),
        Part::Child(part, folder, numbers) => match (part.as_str(), &numbers[..]) {
            ("crawl", &[n_hosts, n_pages]) => crawl(&folder, Web { n_hosts }, n_pages),
            ("resume", &[]) => resume(&folder),
            _ => Err(format!("there is no part `{part}` with numbers {numbers:?}").into()),
        },
    }
}

fn lead(args: &[String]) -> Result<ExitCode, Error> {
    let millions = match args {
        [] if cfg!(debug_assertions) => 0.02,
        [] => 1.0,
        [number] => number.parse::<f64>().map_err(|_| format!("{number}: not a number"))?,
        _ => return Err("it takes one number: how many millions of tickets".into()),
    };
    let n_pages = (millions * 1e6 / NEW as f64).ceil().max(1.0) as u64;
    let mut judge = Judge::of(millions);
    let mut costs = Vec::new();
    for n_hosts in HOSTS {
        let folder = new_folder("dispatch")?;
        println!("dispatch: {} hosts; load {}", show(n_hosts as f64), load());
        let figures = run_and_kill("crawl", &folder, &[n_hosts, n_pages])?;
        let cost = figures["frontier cpu"] / figures["tickets"] * 1e6;
        println!(
            "  {} tickets in {} s, {cost:.2} us of the frontier's CPU each, peak RSS {} MB; load {}",
            show(figures["tickets"]),
            show(figures["seconds"]),
            show(figures["peak MB"]),
            load(),
        );
        costs.push(cost);
        judge.at_least("tickets a second", figures["tickets/s"], FLOOR);
        judge.must("no URL had two tickets, none is lost", figures["sound"] > 0.0);
        let resume = run_and_kill("resume", &folder, &[])?;
        let n_urls = (n_pages * NEW) as f64;
        judge.must(
            "every URL is back in its queue after kill -9",
            ["discovered", "queued"].iter().all(|&name| resume[name] == n_urls),
        );
        std::fs::remove_dir_all(&folder)?;
    }
    let growth = costs[HOSTS.len() - 1] / costs[0];
    judge.at_most("cost of a ticket, 100,000 hosts over 1,000", growth, MOST_GROWTH);
    Ok(judge.exit())
}

fn without_delay(config: &mut FrontierConfig) {
    config.politeness.delay = Duration::ZERO;
}

fn crawl(folder: &Path, web: Web, n_pages: u64) -> Result<ExitCode, Error> {
    let n_urls = n_pages * NEW;
    let running = Crawl::open(folder, without_delay)?.start();
    fill(&running, web, n_pages);
    let _ = running.wait_for(n_urls);
    let before = cpu_by_thread();
    let start = Instant::now();
    let answered = answer(&running, n_urls);
    let seconds = start.elapsed().as_secs_f64();
    let after = cpu_by_thread();
    let is_sound = is_sound(&running, &answered, n_urls);
    let figures = [
        ("seconds", seconds),
        ("tickets", answered.n_tickets as f64),
        ("tickets/s", answered.n_tickets as f64 / seconds),
        ("frontier cpu", after["frontier"] - before["frontier"]),
        ("peak MB", peak_bytes() as f64 / 1e6),
        ("sound", f64::from(is_sound)),
    ];
    Ok(tell_and_wait(figures.map(|(name, figure)| (name.to_owned(), figure))))
}

/// What came of answering tickets.
struct Answered {
    /// Robots errands included.
    n_tickets: u64,
    /// Whose pages were asked for, in that order.
    prints: Vec<Fingerprint>,
    /// The last of them, still open: a crawl without work would end.
    _last: Ticket,
}

/// Answers tickets until `n_urls` pages were asked for.
fn answer(running: &Running, n_urls: u64) -> Answered {
    running.workers.add_permits(WORKERS);
    let (mut n_tickets, mut prints) = (0, Vec::new());
    loop {
        let (ticket, permit) = running.tickets.recv_blocking().expect("the frontier is there");
        n_tickets += 1;
        let outcome = match ticket.errand().clone() {
            Errand::Robots { origin, .. } => {
                free(running, &ticket);
                Outcome::Robots { spent: ticket.spend(), origin, reply: RobotsReply::AllowAll }
            }
            Errand::Page(_) => {
                prints.push(ticket.print());
                if prints.len() as u64 == n_urls {
                    return Answered { n_tickets, prints, _last: ticket };
                }
                free(running, &ticket);
                let (verdict, found) = (Verdict::Ok, Vec::new());
                Outcome::Settled { spent: ticket.spend(), verdict, n_items: 0, found }
            }
        };
        running.outcomes.blocking_send(outcome).expect("the frontier is there");
        drop(permit);
    }
}

/// Tells that the ticket's host has nothing more in hand.
fn free(running: &Running, ticket: &Ticket) {
    let now = Instant::now();
    let free = HostFree {
        id: ticket.id(),
        sent_at: Some(now),
        done_at: now,
        rest: None,
        latency: Some(Duration::ZERO),
        health: Health::Good,
        remote: None,
    };
    running.host_free.blocking_send(free).expect("the frontier is there");
}

/// Whether each URL was handed out once, and the numbers say so, too.
fn is_sound(running: &Running, answered: &Answered, n_urls: u64) -> bool {
    let mut prints = answered.prints.clone();
    prints.sort_unstable();
    prints.dedup();
    // The last answers are still on their way.
    let deadline = Instant::now() + Duration::from_secs(10);
    let mut counts = running.counts.get();
    while counts.n_settled() + 1 < n_urls && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(2));
        counts = running.counts.get();
    }
    prints.len() as u64 == n_urls
        && counts.n_settled() + 1 == n_urls
        && (counts.in_flight, counts.queued, counts.discovered) == (1, 0, n_urls)
        && counts.is_conserved()
}

fn resume(folder: &Path) -> Result<ExitCode, Error> {
    let crawl = Crawl::open(folder, without_delay)?;
    let counts = crawl.frontier.counts().get();
    let figures =
        [("discovered", counts.discovered as f64), ("queued", crawl.resumed.queued as f64)];
    Ok(tell_and_wait(figures.map(|(name, figure)| (name.to_owned(), figure))))
}
