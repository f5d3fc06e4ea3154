//! A death at each step that brings something to the disk, over whole crawls: in a commit, in a
//! checkpoint of the frontier, in recovery. Resumed by the same command, nothing is lost and
//! nothing is there twice.
//!
//! A round for each step here; `CRAWL_CRASH_ROUNDS=500 cargo test --test it crash:: -- --nocapture` for
//! the long run (`--features crash-points` with `--release`).

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use crawl_store::{Store, crash};
use crawl_testsite::Bookshop;

use crate::kill::{Dice, assert_feed_is_whole, assert_store_is_whole, refetched};
use crate::support::{BOOKS, Scratch, Server, crawl, finish, local_config, stderr};

const N_BOOKS: u32 = 60;

/// Small files of log and archive, so that many are begun.
const LIMITS: [(&str, &str); 2] =
    [("CRAWL_LIMIT_SEGMENT", "6000"), ("CRAWL_LIMIT_BODIES", "40000")];

/// The points that a resumed crawl can pass.
fn points() -> Vec<&'static str> {
    // Those of files have a test of their own, with files.
    let others = ["wipe-", "gc-", "compact-", "media-", "mend-", "shrink-"];
    let is_ours = |point: &&str| !others.iter().any(|other| point.starts_with(other));
    crash::POINTS.iter().copied().filter(is_ours).collect()
}

/// Whether it is passed once, at the start of a run.
fn is_of_start(point: &str) -> bool {
    points().iter().take_while(|&&other| other != "commit-begun").any(|&other| other == point)
}

/// Where a process has to die so that the next passes the point.
fn leftovers(point: &str) -> Option<&'static str> {
    match point {
        "log-cut" => Some("log-half-appended"),
        "log-surplus-removed" => Some("segment-synced"),
        _ => None,
    }
}

/// Runs until the process dies at `point`, or to the end of the crawl; says whether it died, and
/// how many tickets were open then.
fn die_at(config: &str, store: &Path, point: &str, passings: u64) -> (bool, usize) {
    let mut command = crawl(&["run", config]);
    command.env(crash::VARIABLE, format!("{point}:{passings}"));
    command.envs(LIMITS);
    let output = finish(command.spawn().unwrap());
    match output.status.signal() {
        Some(6) => (true, Store::in_hand(store).unwrap()),
        None if output.status.success() => (false, 0),
        _ => panic!("at {point}:{passings}: {:?}: {}", output.status, stderr(&output)),
    }
}

#[test]
fn a_crawl_that_dies_at_any_step_to_the_disk_loses_nothing() {
    if !crash::IS_ON {
        panic!("this build has no crash points: add `--features crash-points`");
    }
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let points = points();
    let rounds = std::env::var("CRAWL_CRASH_ROUNDS");
    let rounds = rounds.map_or(points.len(), |text| text.parse().unwrap());
    let mut reached = BTreeSet::new();
    for (round, point) in (1..=rounds).zip(points.iter().cycle()) {
        one_round(round, point, &mut dice, &mut reached);
    }
    // What is passed may depend on how a commit falls; so who was missed has three more turns.
    for point in points.iter().filter(|_| rounds >= points.len()) {
        for round in rounds + 1..rounds + 4 {
            if !reached.contains(point) {
                one_round(round, point, &mut dice, &mut reached);
            }
        }
    }
    let missed: Vec<_> = points.iter().filter(|point| !reached.contains(*point)).collect();
    println!("{} of {} points reached; not: {missed:?}", reached.len(), points.len());
    assert!(missed.is_empty() || rounds < points.len(), "nothing passes {missed:?}");
}

/// A crawl that dies at `point` and at another one, and goes on to its end. Two deaths, for at the
/// third a URL would be blamed for them.
fn one_round(
    round: usize,
    point: &'static str,
    dice: &mut Dice,
    reached: &mut BTreeSet<&'static str>,
) {
    let truth = Bookshop { books: N_BOOKS, ..Bookshop::default() }.truth();
    let scratch = Scratch::new();
    let server = Server::start(&scratch, N_BOOKS, "1ms");
    let (store, feed) = (scratch.path("store"), scratch.path("items.jsonl"));
    let more = format!(
        "bodies = \"html\"\n[queue]\ncheckpoint-after = 40\n[[feed]]\npath = \"{}\"\n{BOOKS}",
        feed.display()
    );
    let config = scratch.write("crawl.toml", &local_config(server.addr, &store, &more));
    let mut open = 0;
    let mut story = Vec::new();
    // The second dies while it makes good what the first left, or soon after.
    let (first, second) = match leftovers(point) {
        Some(before) => ((before, 1 + dice.roll(3)), point),
        None => ((point, 1), points()[dice.roll(points().len() as u64) as usize]),
    };
    let later = if is_of_start(second) || second == point { 1 } else { 1 + dice.roll(3) };
    for (point, passings) in [first, (second, later)] {
        let (has_died, n_open) = die_at(&config, &store, point, passings);
        if has_died {
            reached.insert(point);
            open += n_open;
        }
        story.push(format!("{point}:{passings}{}", if has_died { "" } else { " (not)" }));
    }
    let mut last = crawl(&["run", &config]);
    let output = finish(last.envs(LIMITS).spawn().unwrap());
    assert!(output.status.success(), "{story:?}: {}", stderr(&output));
    let refetched = refetched(&server.served());
    println!("round {round}: {}; refetched {refetched} of {open} open", story.join(", "));
    assert!(refetched <= open, "{story:?}: refetched {refetched} of {open} open");
    assert_store_is_whole(&store, &truth.urls);
    assert_feed_is_whole(&feed, truth.books);
}
