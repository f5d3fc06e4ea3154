//! Tables of a real PostgreSQL, through its restarts.

use std::time::Duration;

use crawl_feeds::{FeedConfig, FeedError, FieldChoice};
use serde_json::{Value, json};

use crate::rig::{Rig, open};
use crate::servers::{Postgres, until};

fn feed(postgres: &Postgres, table: &str, key: &[&str]) -> FeedConfig {
    FeedConfig {
        table: Some(table.to_owned()),
        key: key.iter().map(|&key| key.to_owned()).collect(),
        ..FeedConfig::to(postgres.url())
    }
}

fn client(postgres: &Postgres) -> postgres::Client {
    postgres::Client::connect(&postgres.url(), postgres::NoTls).unwrap()
}

/// The rows of a table as JSON, without what is null.
fn rows(postgres: &Postgres, sql: &str) -> Vec<Value> {
    let sql = format!("SELECT jsonb_strip_nulls(to_jsonb(r))::text FROM ({sql}) AS r");
    let rows = client(postgres).query(&sql, &[]).unwrap();
    rows.iter().map(|row| serde_json::from_str(row.get(0)).unwrap()).collect()
}

fn run(rig: &mut Rig, pages: std::ops::Range<u64>, items: &[Value]) {
    pages.for_each(|i| rig.send_items(i, items.iter().map(Value::to_string).collect()));
    rig.end();
}

#[test]
fn a_server_that_restarts_in_the_middle_loses_and_doubles_nothing() {
    let mut postgres = Postgres::start();
    let dir = tempfile::tempdir().unwrap();
    let feeds = [feed(&postgres, "all", &[]), feed(&postgres, "by id", &["id"])];
    let mut next = 0;
    for signal in ["-INT", "-QUIT", "-INT"] {
        let mut rig = Rig::with(dir.path(), &feeds, false);
        for round in 0..6 {
            for _ in 0..200 {
                let item = |of| json!({"id": next % 50, "of": of, "page": next}).to_string();
                rig.send_items(next, vec![item("a"), item("b")]);
                rig.settled();
                next += 1;
            }
            match round {
                1 => postgres.stop(signal),
                // Meanwhile pages settle as if nothing were, but that it is said.
                3 => {
                    let outages = until(|| Some(rig.outages.get()).filter(|now| !now.is_empty()));
                    let outage = outages.values().next().unwrap();
                    assert!(outage.what.contains("cannot be reached"), "{outage:?}");
                    postgres.restart();
                }
                _ => {}
            }
        }
        rig.end();
        assert!(rig.outages.get().is_empty());
        let counted =
            rows(&postgres, "SELECT count(*) AS n, count(DISTINCT (page, of)) AS d FROM \"all\"");
        assert_eq!(counted, [json!({"n": next * 2, "d": next * 2})]);
        let last = rows(&postgres, "SELECT * FROM \"by id\" ORDER BY id");
        let of = |id| json!({"id": id, "of": "b", "page": next - 50 + id});
        assert_eq!(last, (0..50).map(of).collect::<Vec<_>>());
    }
}

#[test]
fn values_are_what_they_were_and_a_column_gives_way_to_them() {
    let postgres = Postgres::start();
    let dir = tempfile::tempdir().unwrap();
    let feeds = [feed(&postgres, "items", &[])];
    let long = "x".repeat(70);
    let items = [
        json!({"t": "a\u{0}b \"'\\ €", "n": 1.5, "b": true, "l": [1, {"x": null}], "none": null}),
        json!({"t": "", "n": u64::MAX, "Ünï code": 1, long.as_str(): 2, "": 3}),
        json!({}),
    ];
    run(&mut Rig::with(dir.path(), &feeds, false), 0..1, &items);
    let cut = rows(&postgres, "SELECT * FROM items")[1].as_object().unwrap().clone();
    let cut = cut.keys().find(|name| name.starts_with("xx")).unwrap().clone();
    assert_eq!(
        rows(&postgres, "SELECT * FROM items"),
        [
            json!({"t": "a\u{FFFD}b \"'\\ €", "n": 1.5, "b": true, "l": [1, {}]}),
            json!({"t": "", "n": u64::MAX, "Ünï code": 1, cut.as_str(): 2, "_": 3}),
        ]
    );
    let later = [json!({"n": "many", "b": 7, "l": "x", "late": false})];
    run(&mut Rig::with(dir.path(), &feeds, false), 1..2, &later);
    assert_eq!(
        rows(&postgres, "SELECT n, b, l, late FROM items"),
        [
            json!({"n": "1.5", "b": "true", "l": [1, {}]}),
            json!({"n": u64::MAX.to_string()}),
            json!({"n": "many", "b": "7", "l": "x", "late": false}),
        ]
    );
}

#[test]
fn a_table_that_was_there_keeps_its_types_and_other_columns() {
    let postgres = Postgres::start();
    let dir = tempfile::tempdir().unwrap();
    client(&postgres)
        .batch_execute(
            "CREATE TABLE shop (id int PRIMARY KEY, price numeric(9, 2), seen date, note text); \
             INSERT INTO shop VALUES (1, 2, NULL, 'mine'); CREATE TABLE theirs (a int); \
             INSERT INTO theirs VALUES (1)",
        )
        .unwrap();
    let feeds = [FeedConfig {
        fields: ["id", "price", "seen", "new"].map(FieldChoice::parse).into(),
        ..feed(&postgres, "shop", &["id"])
    }];
    let items = [
        json!({"id": 1, "price": "3.456", "seen": "2026-05-01"}),
        json!({"id": "2", "price": 4, "new": ["x"]}),
    ];
    run(&mut Rig::with(dir.path(), &feeds, false), 0..1, &items);
    assert_eq!(
        rows(&postgres, "SELECT * FROM shop ORDER BY id"),
        [
            json!({"id": 1, "price": 3.46, "seen": "2026-05-01", "note": "mine"}),
            json!({"id": 2, "price": 4.00, "new": ["x"]}),
        ]
    );
    // What does not fit is an error, and the next run goes on when it does.
    let mut rig = Rig::with(dir.path(), &feeds, false);
    rig.send_items(1, vec![json!({"id": 3, "seen": "some day"}).to_string()]);
    let error = rig.try_end().pop().unwrap().unwrap_err();
    assert!(matches!(error, FeedError::Refused { .. }), "{error}");
    drop(rig);
    client(&postgres).batch_execute("ALTER TABLE shop ALTER seen TYPE text").unwrap();
    run(&mut Rig::with(dir.path(), &feeds, false), 2..3, &[json!({"id": 1})]);
    let found = rows(&postgres, "SELECT * FROM shop WHERE id IN (1, 3) ORDER BY id");
    assert_eq!(found, [json!({"id": 1, "note": "mine"}), json!({"id": 3, "seen": "some day"})]);
    let store = open(&dir.path().join("other"), false);
    let theirs = crawl_feeds::Feed::open(&feed(&postgres, "theirs", &[]), store.reader(), true);
    assert!(matches!(theirs, Err(FeedError::TableNotOurs { .. })), "{theirs:?}");
}

#[test]
fn without_a_server_no_crawl_begins_and_no_password_is_shown() {
    let mut postgres = Postgres::start();
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path(), false);
    postgres.stop("-INT");
    let error =
        crawl_feeds::Feed::open(&feed(&postgres, "t", &[]), store.reader(), false).unwrap_err();
    assert!(matches!(error, FeedError::Unreachable { .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"));
    let mut unset = feed(&postgres, "t", &[]);
    unset.path = "postgres://joe:$CRAWL_NO_SUCH_VARIABLE@127.0.0.1/db".into();
    let error = crawl_feeds::Feed::open(&unset, store.reader(), false).unwrap_err();
    let text = format!("{error:?}");
    assert!(text.contains("CRAWL_NO_SUCH_VARIABLE is not set"), "{text}");
}

#[test]
fn an_end_without_the_server_is_made_up_for_by_the_next_run() {
    let mut postgres = Postgres::start();
    let dir = tempfile::tempdir().unwrap();
    let feeds = [feed(&postgres, "items", &[])];
    let mut rig = Rig::with(dir.path(), &feeds, false);
    rig.send(0);
    rig.settled();
    postgres.stop("-QUIT");
    rig.send(1);
    rig.settled();
    let ending = std::thread::spawn(move || {
        rig.end();
        rig
    });
    // The crawl has ended, and its feed waits for a while.
    std::thread::sleep(Duration::from_millis(600));
    postgres.restart();
    drop(ending.join().unwrap());
    assert_eq!(rows(&postgres, "SELECT count(*) AS n FROM items"), [json!({"n": 4})]);
}
