//! `kill -9`, for real: this test binary runs itself as the process that dies.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crawl_model::{
    Event, Fingerprint, Fingerprinter, ItemKey, ItemKeys, Keys, Outcome, OwnKey, TicketId,
};
use crawl_store::inspect::{Query, What, answer};
use crawl_store::verify::verify;
use crawl_store::{Options, Store, StoreError};

use crate::rig::{Brings, Rig, config, item, open, url};

const FOLDER: &str = "CRAWL_STORE_TEST_FOLDER";
const ROLE: &str = "CRAWL_STORE_TEST_ROLE";
/// A child that is not killed ends by itself.
const LIFETIME: Duration = Duration::from_secs(60);

/// Pages in hand at a time.
const WINDOW: u64 = 16;

pub(crate) fn child(role: &str, folder: &Path) -> Child {
    command(role, folder).spawn().unwrap()
}

/// This program as the process that dies.
pub(crate) fn command(role: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["kill::the_process_that_dies", "--exact", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .env(ROLE, role)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Not a test of its own: does nothing unless a test below runs it.
#[test]
fn the_process_that_dies() {
    let (Some(folder), Ok(role)) = (std::env::var_os(FOLDER), std::env::var(ROLE)) else { return };
    let folder = Path::new(&folder);
    let end = Instant::now() + LIFETIME;
    match role.as_str() {
        "settle" => settle_pages(folder, end),
        "dedup" => settle_keyed(folder, end),
        "hold" => hold_tickets(folder, end),
        "gc" => drop(crawl_store::gc(folder, Duration::from_secs(1))),
        "compact" => drop(crawl_store::compact(folder)),
        "repair" => drop(crawl_store::verify::repair(folder, &mut |_| ())),
        "verify" => crate::verify::measured(folder),
        "fresh" => {
            drop(Store::open(&config(folder), Options { fresh: true }).unwrap());
            println!("wiped");
        }
        _ => {
            while Instant::now() < end {
                println!("open");
                drop(open(folder));
            }
        }
    }
}

fn settle_pages(folder: &Path, end: Instant) {
    settle_all(folder, end, |rig, i| (page(i), brings(rig, i)));
}

fn settle_keyed(folder: &Path, end: Instant) {
    settle_all(folder, end, |rig, i| keyed(ItemKeys::new(rig.store.identity().secret), i));
}

/// Settles what `make` makes of 0, 1, ..: on with the first that is not durable.
fn settle_all(folder: &Path, end: Instant, make: impl Fn(&Rig, u64) -> (String, Brings)) {
    let mut rig = Rig::new(folder);
    let mut journal = rig.store.journal();
    let mut next = rig.store.recovery().last;
    let mut acked = next;
    while Instant::now() < end {
        while next < acked + WINDOW {
            let (url, brings) = make(&rig, next);
            journal.opened(TicketId((next % WINDOW) as u32), rig.print(&url));
            journal.write();
            let entry = rig.page(&url, brings);
            rig.send(entry);
            next += 1;
        }
        let Some(Outcome::Settled { .. }) = rig.outcome() else { panic!("no outcome") };
        journal.closed(TicketId((acked % WINDOW) as u32));
        acked += 1;
        println!("ack {acked}");
    }
}

fn hold_tickets(folder: &Path, end: Instant) {
    let store = open(folder);
    let mut journal = store.journal();
    for slot in 0..3 {
        journal.opened(TicketId(slot), Fingerprint(u64::from(slot) + 100));
        journal.write();
    }
    println!("held");
    while Instant::now() < end {
        std::thread::park_timeout(LIFETIME);
    }
}

fn page(i: u64) -> String {
    format!("http://h/{i}")
}

fn brings(rig: &Rig, i: u64) -> Brings {
    let found = (0..8).map(|j| rig.found(&format!("http://h/{i}/{j}"))).collect();
    let items = vec![item(&format!("\"{i}a\"")), item(&format!("\"{i}b\""))];
    Brings { found, items, body: format!("body {i}").into(), ..Brings::default() }
}

/// The `i`-th settle of a crawl with keys: most pages share keys with their neighbours, and each
/// fifth settle is of an earlier page that now has other items.
fn keyed(keys: ItemKeys, i: u64) -> (String, Brings) {
    let (of, variant) = if i % 5 == 4 { (i - 3, 1) } else { (i, 0) };
    let names =
        [format!("own{of}"), format!("shared{}", of / 3 + variant), format!("v{variant}-{of}")];
    let items = names.iter().map(|name| item(&format!("{{\"name\":\"{name}\"}}"))).collect();
    let of_item = |name: &String| {
        let key = keys.key("", name);
        let content = keys.content(serde_json::json!({"name": name}));
        Keys { own: Some(OwnKey { key, content }), unique: vec![key] }
    };
    let keys = names.iter().map(of_item).collect();
    (page(of), Brings { items, keys, ..Brings::default() })
}

/// What the first `n` settles of such a crawl come to: each page's items, and how many were
/// duplicates.
#[derive(Default)]
struct Oracle {
    owner: HashMap<ItemKey, String>,
    items: BTreeMap<String, Vec<(ItemKey, String)>>,
    duplicates: BTreeMap<String, u64>,
}

impl Oracle {
    fn of(keys: ItemKeys, n: u64) -> Self {
        let mut oracle = Self::default();
        for (url, brings) in (0..n).map(|i| keyed(keys, i)) {
            let mut items = Vec::new();
            let mut duplicates = 0;
            for (item, keys) in brings.items.iter().zip(&brings.keys) {
                match oracle.owner.get(&keys.unique[0]) {
                    Some(owner) if *owner != url => duplicates += 1,
                    _ => items.push((keys.unique[0], item.json.to_string())),
                }
            }
            for (key, _) in oracle.items.remove(&url).unwrap_or_default() {
                oracle.owner.remove(&key);
            }
            oracle.owner.extend(items.iter().map(|(key, _)| (*key, url.clone())));
            oracle.items.insert(url.clone(), items);
            oracle.duplicates.insert(url, duplicates);
        }
        oracle
    }
}

/// Reads the child's output up to the `n`-th line that starts with `word`, then kills it.
/// Returns the last such line it managed to write.
fn kill_after(mut child: Child, word: &str, n: usize) -> String {
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = String::new();
    let mut seen = 0;
    while seen < n {
        let line = lines.next().expect("the child writes on").unwrap();
        if line.contains(word) {
            seen += 1;
            last = line;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).filter(|line| line.contains(word)).last().unwrap_or(last)
}

#[test]
fn what_was_acknowledged_before_a_kill_is_there_whole_and_once() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=4_usize {
        let last = kill_after(child("settle", dir.path()), "ack ", round * 37);
        let acked: u64 = last.rsplit(' ').next().unwrap().parse().unwrap();
        check_whole(dir.path(), acked);
    }
}

/// Opens what a killed process of role `settle` left, which had told of `acked` settles.
#[track_caller]
pub(crate) fn check_whole(dir: &Path, acked: u64) {
    let rig = Rig::new(dir);
    let recovery = rig.store.recovery();
    assert!(!recovery.clean && recovery.last >= acked, "{recovery:?}, {acked}");
    assert!(recovery.n_open as u64 <= WINDOW, "{recovery:?}");
    for (print, _) in &recovery.suspects {
        assert!(rig.store.reader().page(*print).unwrap().is_none());
    }
    let mut settled = 0;
    let mut found = 0;
    for event in rig.store.events() {
        match event.unwrap() {
            Event::Settled { n, print, .. } => {
                settled += 1;
                assert_eq!((n, print), (settled, rig.print(&page(n - 1))));
            }
            Event::Found(_) => found += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((settled, found), (recovery.last, recovery.last * 8));
    for i in 0..settled {
        let page = rig.store.reader().load(rig.print(&page(i))).unwrap().unwrap();
        assert_eq!(
            (page.record.n, page.items),
            (i + 1, vec![format!("{i}a").into(), format!("{i}b").into()])
        );
        assert_eq!(page.body.unwrap(), format!("body {i}"));
    }
    assert_eq!(rig.store.reader().counts().unwrap().items, settled * 2);
}

#[test]
fn after_any_kill_there_is_one_item_of_each_key_and_all_sums_are_right() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=4_usize {
        kill_after(child("dedup", dir.path()), "ack ", round * 41);
        let rig = Rig::new(dir.path());
        let keys = ItemKeys::new(rig.store.identity().secret);
        let oracle = Oracle::of(keys, rig.store.recovery().last);
        let reader = rig.store.reader();
        let mut seen = BTreeSet::new();
        for (url, expected) in &oracle.items {
            let items: Vec<_> = reader.items(rig.print(url)).map(Result::unwrap).collect();
            let expected: Vec<_> = expected.iter().map(|(_, item)| item.clone()).collect();
            assert_eq!(items, expected, "{url}");
            items.into_iter().for_each(|item| assert!(seen.insert(item), "stored twice"));
            let n_dropped = reader.dropped(rig.print(url)).map(Result::unwrap).count() as u64;
            assert_eq!(n_dropped, oracle.duplicates[url], "{url}");
        }
        let n_items = seen.len() as u64;
        let n_duplicates = oracle.duplicates.values().sum::<u64>();
        assert!(n_duplicates > 0);
        assert_eq!(reader.n_items().unwrap(), n_items);
        assert_eq!(reader.drop_counts().unwrap().n_dropped(), n_duplicates);
        let run = reader.last_runs().unwrap().run;
        let kind = &run.fields.kinds[""];
        assert_eq!((kind.items, kind.fields["name"]), (n_items, n_items));
        assert_eq!(run.pages, rig.store.recovery().last);
        // What became of the items, and which are gone, is as it is told in other places, too.
        drop((reader, rig));
        let mut found = Vec::new();
        let verified = patient(|| verify(dir.path(), &mut |it| found.push(it.clone())));
        assert_eq!(verified.damage, 1, "only the limits of the run are missing: {found:#?}");
        let store = patient(|| Store::inspect(dir.path()));
        let query = Query { what: What::Items, gone: true, ..Query::default() };
        let mut n_gone = 0;
        let mut count = |_| {
            n_gone += 1;
            ControlFlow::Continue(())
        };
        answer(&store.reader(), &query, &mut count, &mut |_| {}).unwrap();
        assert!(n_gone > 0);
    }
}

/// A process that another test is just beginning has our files open, and so the folder, until it is
/// its own.
fn patient<T>(mut look: impl FnMut() -> Result<T, StoreError>) -> T {
    let begun = Instant::now();
    loop {
        match look() {
            Err(StoreError::InUse { .. }) if begun.elapsed() < LIFETIME => {
                std::thread::yield_now();
            }
            looked => return looked.unwrap(),
        }
    }
}

#[test]
fn deaths_are_counted_exactly_once_even_if_recovery_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let held = |deaths| (0..3).map(|i| (Fingerprint(i + 100), deaths)).collect::<Vec<_>>();
    for round in 1..=3 {
        kill_after(child("hold", dir.path()), "held", 1);
        for opens in [1, 2, 5] {
            kill_after(child("open", dir.path()), "open", opens);
        }
        // Looking counts nothing.
        assert!(Store::inspect(dir.path()).is_ok());
        assert_eq!(open(dir.path()).recovery().suspects, held(round));
    }
}

#[test]
fn a_suspect_that_settles_is_acquitted() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let print = Fingerprinter::new(store.identity().secret).get(&url("http://h/"));
    let mut journal = store.journal();
    journal.opened(TicketId(0), print);
    journal.write();
    drop(store); // no clean stop: to the next open this is a death
    let mut rig = Rig::new(dir.path());
    assert_eq!(rig.store.recovery().suspects, [(print, 1)]);
    rig.settle("http://h/", Brings::default());
    let rig = rig.reopened(dir.path());
    assert!(rig.store.recovery().suspects.is_empty());
}
