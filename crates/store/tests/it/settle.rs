//! What a settle leaves, and when it is acknowledged.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use crawl_model::{
    EndedBy, Ending, Entry, Errand, Event, FilterReason, Fingerprint, LogPosition, Origin, Outcome,
    PageItems, PageRecord, Parsed, Request, RobotsReply, Source, Verdict,
};

use crawl_store::{Options, Progress, Store, StoreError, WriterEdges, blocking};
use tokio::sync::{mpsc, watch};

use crate::rig::{Brings, Rig, config, item, url};

fn items_of(rig: &Rig, text: &str) -> Vec<String> {
    let items = rig.store.reader().items(rig.print(text));
    items.collect::<Result<_, _>>().unwrap()
}

fn brings(items: &[&str]) -> Brings {
    Brings { items: items.iter().map(|json| item(json)).collect(), ..Brings::default() }
}

#[test]
fn a_settled_page_stays_with_its_items_and_links() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let found = vec![rig.found("http://h/a"), rig.found("http://h/b")];
    let page = Brings { found: found.clone(), ..brings(&[r#"{"a":1}"#, "2"]) };
    let outcome = rig.settle("http://h/", page);
    let Outcome::Settled { verdict: Verdict::Ok, n_items: 2, found: back, .. } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(back, found);
    assert_eq!(rig.settled.borrow().n, 1);

    let rig = rig.reopened(dir.path());
    assert!(rig.store.recovery().clean);
    let record = rig.store.reader().page(rig.print("http://h/")).unwrap().unwrap();
    assert_eq!((record.n, record.n_items, record.verdict), (1, 2, Verdict::Ok));
    assert_eq!(items_of(&rig, "http://h/"), [r#"{"a":1}"#, "2"]);
    let events: Vec<_> = rig.store.events().map(Result::unwrap).collect();
    assert!(matches!(events[0], Event::Settled { n: 1, verdict: Verdict::Ok, .. }));
    assert_eq!(
        events[1..],
        found.into_iter().map(|found| Event::Found(Box::new(found))).collect::<Vec<_>>()
    );
    let page = rig.store.reader().load(rig.print("http://h/")).unwrap().unwrap();
    assert_eq!(page.items[0]["a"], 1);
    assert_eq!(page.body.unwrap(), Bytes::from_static(b"<p>a page"));
}

#[test]
fn outcomes_and_pages_come_in_the_order_of_the_settles() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    for i in 0..600 {
        let entry = rig.page(&format!("http://h/{i}"), brings(&["1"]));
        rig.send(entry);
    }
    for i in 0..600 {
        let print = rig.print(&format!("http://h/{i}"));
        let Some(Outcome::Settled { spent, .. }) = rig.outcome() else { panic!("no outcome") };
        assert_eq!(spent.print, print);
        let page = rig.pages.try_recv().unwrap();
        assert_eq!((page.print, page.record.n, page.items.len()), (print, i + 1, 1));
    }
    rig.end().unwrap();
    assert!(rig.desk.0.lock().unwrap().is_empty());
}

#[test]
fn items_that_a_copy_no_longer_has_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let long = format!("\"{}\"", "x".repeat(9000));
    rig.settle("http://h/", brings(&[&long, &long, "3"]));
    assert_eq!(items_of(&rig, "http://h/"), [&long, &long, "3"]);
    rig.settle("http://h/", brings(&["1"]));
    assert_eq!(items_of(&rig, "http://h/"), ["1"]);
    // Twice in one group.
    for items in [[long.as_str()], ["2"]] {
        let entry = rig.page("http://h/", brings(&items));
        rig.send(entry);
    }
    rig.outcome().unwrap();
    rig.outcome().unwrap();
    assert_eq!(items_of(&rig, "http://h/"), ["2"]);
    assert_eq!(rig.store.reader().counts().unwrap().items, 1);
    rig.settle("http://h/", brings(&[]));
    assert_eq!(items_of(&rig, "http://h/"), [""; 0]);
}

#[test]
fn a_worse_copy_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/", brings(&["1", "2"]));
    let cut = Brings { verdict: Verdict::Truncated, ..brings(&["1"]) };
    rig.settle("http://h/", cut);
    let down = Brings { verdict: Verdict::HttpError, status: 503, ..brings(&[]) };
    let outcome = rig.settle("http://h/", down);
    assert!(matches!(outcome, Outcome::Settled { verdict: Verdict::Ok, .. }), "{outcome:?}");
    let reader = rig.store.reader();
    let record = reader.page(rig.print("http://h/")).unwrap().unwrap();
    assert_eq!((record.verdict, record.n, record.n_items), (Verdict::Ok, 1, 2));
    assert_eq!(items_of(&rig, "http://h/"), ["1", "2"]);
    // Numbers go on, the page is listed once, and log and records agree.
    assert_eq!(reader.last().unwrap(), 3);
    assert_eq!(reader.pages().unwrap().count(), 1);
    let counts = reader.counts().unwrap();
    assert_eq!((counts.settled["ok"], counts.items, counts.discovered), (1, 2, 1));
    let gone = Brings { verdict: Verdict::HttpError, status: 404, ..brings(&[]) };
    rig.settle("http://h/", gone);
    let record = reader.page(rig.print("http://h/")).unwrap().unwrap();
    assert_eq!((record.status, record.n), (Some(404), 4));
}

#[test]
fn a_page_that_has_just_been_written_reads_as_the_database_has_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let reader = rig.store.reader();
    reader.follow();
    let long = format!("\"{}\"", "x".repeat(9000));
    let cut = || Brings { verdict: Verdict::Truncated, ..brings(&["1"]) };
    let visits = [brings(&[&long, "2"]), cut(), brings(&["3"]), cut(), brings(&[]), brings(&["4"])];
    let print = rig.print("http://h/");
    for visit in visits {
        rig.settle("http://h/", Brings { label: "list", ..visit });
        let record = reader.page(print).unwrap().unwrap();
        let glance = reader.glance(print).unwrap().unwrap();
        let of_record = (record.n, &record.label, record.n_items, record.n_files);
        assert_eq!((glance.n, &glance.label, glance.n_items, glance.n_files), of_record);
        // With what is known of each, they are always read from the database.
        let stored = reader.stored_items(print, &record).map(|item| item.unwrap().json);
        assert_eq!(items_of(&rig, "http://h/"), Vec::from_iter(stored));
    }
}

#[test]
fn a_retry_is_logged_with_the_rest_that_its_host_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let ticket = rig.ticket(4, Errand::Page(Request::get(url("http://h/"))));
    let print = ticket.print();
    let rest = Some(Duration::from_secs(120));
    let ending = Ending::Retry { cause: "status 429".into(), rest };
    let record = PageRecord::new(url("http://h/"), Verdict::HttpError);
    let (items, found) = (PageItems::default(), vec![]);
    let parsed = Parsed {
        ticket,
        ending,
        response: None,
        record,
        items,
        found,
        cookies: vec![],
        archived: None,
    };
    let outcome = rig.post(Entry::Parsed(Box::new(parsed)));
    assert!(matches!(outcome, Outcome::Retry { rest: r, .. } if r == rest), "{outcome:?}");
    let events: Vec<_> = rig.store.events().map(Result::unwrap).collect();
    let [Event::Retried { print: p, host, attempt: 1, at_ms, rest_until_ms }] = &events[..] else {
        panic!("{events:?}");
    };
    assert_eq!((*p, host.as_str(), *rest_until_ms), (print, "h", *at_ms + 120_000));
    assert!(rig.store.reader().page(print).unwrap().is_none());
}

#[test]
fn seeds_and_ends_by_the_frontier_are_durable_when_answered() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let seeds = vec![rig.found("http://h/a"), rig.found("http://h/b")];
    let prints: Vec<Fingerprint> = seeds.iter().map(|seed| seed.print).collect();
    let outcome = rig.post(Entry::Found { found: seeds, source: Source::Seeds });
    assert!(matches!(outcome, Outcome::Found { source: Source::Seeds, found } if found.len() == 2));
    let record = Box::new(PageRecord::new(url("http://h/b"), Verdict::Poisoned));
    let ends = vec![
        (prints[0], EndedBy::Filter(FilterReason::Robots)),
        (prints[1], EndedBy::Verdict(Verdict::Poisoned, record)),
    ];
    let outcome = rig.post(Entry::Ended(ends.clone()));
    assert!(matches!(outcome, Outcome::Ended(back) if back == ends));
    assert!(rig.pages.try_recv().is_err());

    let rig = rig.reopened(dir.path());
    let counts = rig.store.reader().counts().unwrap();
    assert_eq!(
        (counts.discovered, counts.settled["poisoned"], counts.filtered["robots"]),
        (2, 1, 1)
    );
    assert!(counts.is_conserved());
    let record = rig.store.reader().page(prints[1]).unwrap().unwrap();
    assert_eq!((record.n, record.verdict), (1, Verdict::Poisoned));
}

#[test]
fn robots_replies_are_kept_whole_and_redirects_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let origin = |host: &str| Origin::new(false, host, 8080);
    let rules = |n: usize| RobotsReply::Rules(Bytes::from(vec![b'#'; n]));
    let unreachable =
        RobotsReply::Unreachable { cause: "no".into(), rest: Some(Duration::from_millis(1500)) };
    let replies = [
        ("a", rules(20_000)),
        ("b", RobotsReply::AllowAll),
        ("a.b", unreachable.clone()),
        ("c", RobotsReply::Redirect(url("http://a/robots.txt"))),
        ("a", rules(5000)),
    ];
    for (host, reply) in replies {
        let errand = Errand::Robots { origin: origin(host), url: origin(host).robots_url() };
        let ticket = rig.ticket(1, errand);
        let record = PageRecord::new(ticket.url().clone(), Verdict::Ok);
        let ending = Ending::Robots(reply.clone());
        let (items, found) = (PageItems::default(), vec![]);
        let parsed = Parsed {
            ticket,
            ending,
            response: None,
            record,
            items,
            found,
            cookies: vec![],
            archived: None,
        };
        match rig.post(Entry::Parsed(Box::new(parsed))) {
            Outcome::Robots { origin: of, reply: back, .. } => {
                assert_eq!((of, back), (origin(host), reply));
            }
            other => panic!("{other:?}"),
        }
    }
    let rig = rig.reopened(dir.path());
    let mut stored: Vec<_> = rig.store.robots().map(Result::unwrap).collect();
    stored.sort_by(|a, b| a.0.cmp(&b.0));
    let stored: Vec<_> = stored.into_iter().map(|(of, reply, _)| (of, reply)).collect();
    assert_eq!(
        stored,
        [
            (origin("a"), rules(5000)),
            (origin("a.b"), unreachable),
            (origin("b"), RobotsReply::AllowAll)
        ]
    );
}

#[test]
fn what_cannot_be_written_is_not_acknowledged_and_gives_its_tickets_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/1", brings(&[]));
    rig.end().unwrap();
    drop(rig);
    std::fs::remove_dir_all(dir.path().join("bodies")).unwrap();
    std::fs::write(dir.path().join("bodies"), "in the way").unwrap();
    assert!(Store::open(&config(dir.path()), Options::default()).is_err());
    std::fs::remove_file(dir.path().join("bodies")).unwrap();

    let mut rig = Rig::new(dir.path());
    assert!(rig.store.recovery().notes.iter().any(|note| note.contains("bodies")));
    std::fs::write(dir.path().join("bodies"), "in the way").unwrap();
    let entry = rig.page("http://h/2", brings(&[]));
    rig.send(entry);
    assert!(rig.outcome().is_none());
    assert!(rig.end().unwrap_err().to_string().contains("bodies"));
    assert_eq!(*rig.desk.0.lock().unwrap(), [1]);
    assert_eq!(rig.store.reader().last().unwrap(), 1);
}

#[test]
fn a_store_has_one_writer() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    rig.settle("http://h/", brings(&[]));
    let (_entries, from_entries) = mpsc::channel(1);
    let second = rig.store.writer(WriterEdges {
        entries: from_entries,
        outcomes: mpsc::channel(1).0,
        pages: None,
        settled: Arc::new(watch::channel(Progress::default()).0),
        open: rig.open.clone(),
    });
    assert!(matches!(second.run(), Err(StoreError::SecondWriter)));
}

#[test]
fn a_commit_tells_its_place_behind_all_else_and_the_log_can_be_entered_there() {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    assert_eq!(rig.store.log_end(), LogPosition::default());
    let mut places = Vec::new();
    for i in 0..4 {
        let found = vec![rig.found(&format!("http://h/{i}/1"))];
        rig.settle(&format!("http://h/{i}"), Brings { found, ..Brings::default() });
        let Some(Outcome::Committed(place)) = blocking::wait(rig.outcomes.recv()) else {
            panic!("no place");
        };
        assert_eq!((place.n, rig.store.log_end()), (i + 1, place));
        places.push(place);
    }
    // What does not write to the log has no place.
    rig.send(Entry::FeedCursor { feed: "f".into(), n: 1, len: 1, state: "s".into() });
    rig.send(Entry::Ended(vec![]));
    assert!(matches!(blocking::wait(rig.outcomes.recv()), Some(Outcome::Ended(_))));

    let rig = rig.reopened(dir.path());
    assert_eq!(rig.store.log_end(), places[3]);
    let all: Vec<_> = rig.store.events().map(Result::unwrap).collect();
    for place in places {
        let rest: Vec<_> = rig.store.events_after(place).unwrap().map(Result::unwrap).collect();
        assert_eq!(rest, all[place.n as usize * 2..]);
    }
    let beyond = LogPosition { segment: 1, offset: 1 << 40, n: 9 };
    assert!(matches!(rig.store.events_after(beyond), Err(StoreError::LogShort { .. })));
}
