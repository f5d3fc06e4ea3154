//! A small store with something of every kind in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crawl_model::{
    CookieChange, Dropped, DroppedItem, Ending, Entry, Errand, FieldCounts, Fingerprint, Item,
    ItemKeys, ItemKind, Keys, Kinds, OwnKey, RobotsReply, TicketId, key_text,
};
use crawl_store::Progress;
use serde_json::{Value, json};

use crate::rig::{Brings, Rig, url};

/// The folder, with its feed in it, and how it was made.
pub(super) struct Sample {
    _dir: tempfile::TempDir,
    path: PathBuf,
    kept: PathBuf,
}

impl Sample {
    /// After a clean stop.
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (path, kept) = (dir.path().join("store"), dir.path().join("kept"));
        fill(&path);
        copy_all(&path, &kept);
        Self { _dir: dir, path, kept }
    }

    /// After a kill with a URL in hand.
    pub(super) fn killed() -> Self {
        let sample = Self::new();
        hold(sample.path(), 900);
        sample
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder as it was made; under the same name, for a feed is known by its path.
    pub(super) fn copy(&self) -> &Self {
        fs::remove_dir_all(&self.path).unwrap();
        copy_all(&self.kept, &self.path);
        self
    }

    pub(super) fn values(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let tree = sled::open(self.path.join("sled")).unwrap();
        tree.iter().map(|entry| entry.map(|(k, v)| (k.to_vec(), v.to_vec())).unwrap()).collect()
    }

    pub(super) fn edit(&self, edit: impl FnOnce(&sled::Db)) {
        let tree = sled::open(self.path.join("sled")).unwrap();
        edit(&tree);
        tree.flush().unwrap();
    }
}

pub(crate) fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_all(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// A run that dies with a URL in hand.
fn hold(path: &Path, print: u64) {
    let store = crate::rig::open(path);
    let mut journal = store.journal();
    journal.opened(TicketId(0), Fingerprint(print));
    journal.write();
}

fn fill(path: &Path) {
    hold(path, 100);
    let mut rig = Rig::new(path);
    rig.store.put_config(r#"{"scope":{"max-depth":3}}"#).unwrap();
    rig.store.blocks().unwrap().set("blocked.example", true).unwrap();
    // One that changes: what it had is gone, or has come to have a history.
    settle_named(&mut rig, 2, " before");
    (0..6).for_each(|i| settle(&mut rig, i));
    robots(&mut rig);
    rig.end().unwrap();
    // An ended run, and a page of the next.
    rig.store.runs().close().unwrap();
    let mut rig = rig.reopened_after_end(path);
    settle(&mut rig, 6);
    report(&mut rig, path);
    rig.end().unwrap();
}

/// Three items a page, long ones on some.
fn settle(rig: &mut Rig, i: u64) {
    settle_named(rig, i, "");
}

/// The same, the items called a little otherwise.
fn settle_named(rig: &mut Rig, i: u64, more: &str) {
    let text = format!("http://h/{i}");
    let found = (0..4).map(|j| rig.found(&format!("http://h/{i}/{j}"))).chain([rig.found(&text)]);
    let found = found.collect();
    let keys = ItemKeys::new(rig.store.identity().secret);
    let kind = ItemKind { name: "Book".into(), key: vec!["name".into()], ..ItemKind::default() };
    let space = kind.key_space().into_owned();
    let mut kinds = Kinds::default();
    let number = kinds.number(|_| false, || Arc::new(kind));
    let long = "x".repeat(if i.is_multiple_of(3) { 5000 } else { 3 });
    let names = ["a", "b", "c"].map(|name| format!("{name}{i}{more}"));
    let values = names.iter().map(|name| json!({"name": name, "text": long}));
    let values: Vec<Value> = values.collect();
    // Of each page one is of the kind, one is known by the key of a `dedup` step, and one only kept
    // from being doubled.
    let kind_of = |at: usize| if at == 0 { number } else { Kinds::NONE };
    let items = values.iter().enumerate();
    let items = items.map(|(at, item)| Item { json: item.to_string().into(), kind: kind_of(at) });
    let items: Vec<Item> = items.collect();
    let keys_of = |(at, item): (usize, &Value)| {
        let by_step = keys.key("", &names[at]);
        let own = match at {
            0 => Some(keys.key(&space, &key_text([&item["name"]]))),
            1 => Some(by_step),
            _ => None,
        };
        let own = own.map(|key| OwnKey { key, content: keys.content(item.clone()) });
        Keys { own, unique: if at == 0 { vec![] } else { vec![by_step] } }
    };
    let keys = values.iter().enumerate().map(keys_of).collect();
    let dropped = |reason: &str| DroppedItem::new("check", &Dropped::new(reason), "{\"a\":1}", 100);
    let dropped =
        vec![dropped("no price"), dropped(if i.is_multiple_of(2) { "no name" } else { "old" })];
    // Of words that come again and again a changed byte may be another way to say the same.
    let words =
        (1..50_u64).map(|j| format!("{:x} ", (i * 50 + j).wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    let body = format!("<p>page {i}{more} {}", words.collect::<String>()).into();
    let fetched_ms = 1_700_000_000_123 + i;
    let label = "book";
    let spider = "books";
    let brings = Brings {
        items,
        keys,
        kinds,
        spider,
        dropped,
        found,
        body,
        label,
        fetched_ms,
        ..Brings::default()
    };
    let mut entry = rig.page(&text, brings);
    if let Entry::Parsed(parsed) = &mut entry {
        let change = CookieChange { key: format!("h/{i}").into(), cookie: Some("a=b".into()) };
        parsed.cookies = vec![change];
    }
    rig.post(entry);
}

/// A robots.txt of three parts and one that allows all.
fn robots(rig: &mut Rig) {
    let rules = "User-agent: *\nDisallow: /private\n".repeat(200);
    for (host, reply) in [("h", RobotsReply::Rules(rules.into())), ("free", RobotsReply::AllowAll)]
    {
        let of = url(&format!("http://{host}/robots.txt"));
        let errand = Errand::Robots { origin: of.origin(), url: of.clone() };
        let mut entry = rig.page(&format!("http://{host}/robots.txt"), Brings::default());
        let ticket = rig.ticket(7, errand);
        if let Entry::Parsed(parsed) = &mut entry {
            let page = std::mem::replace(&mut parsed.ticket, ticket);
            drop(page);
            parsed.ending = Ending::Robots(reply);
            parsed.response = None;
            parsed.items.fields = FieldCounts::default();
        }
        rig.post(entry);
    }
}

/// Writes the feed as a feed does, and reports it.
fn report(rig: &mut Rig, path: &Path) {
    let reader = rig.store.reader();
    let mut lines = String::new();
    for page in reader.pages().unwrap() {
        let (print, _) = page.unwrap();
        for item in reader.items(print) {
            lines.push_str(&item.unwrap());
            lines.push('\n');
        }
    }
    let file = path.join("items.jsonl");
    fs::write(&file, &lines).unwrap();
    let (n, len) = (reader.last().unwrap(), lines.len() as u64);
    let feed: Arc<str> = file.to_string_lossy().into();
    rig.send(Entry::FeedCursor { feed: feed.clone(), n, len, state: "".into() });
    let begun = Instant::now();
    while reader.feed_cursor(&feed).unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(20), "the report never came through");
        let progress: Progress = *rig.settled.borrow();
        assert_eq!(progress.n, n);
        std::thread::yield_now();
    }
}
