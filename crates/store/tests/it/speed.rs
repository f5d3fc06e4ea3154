//! How many links a second the writer takes, and what a page's records cost. Not run by itself, for its figures are those of a
//! release build:
//! `cargo test --release -p crawl-store --test it speed -- --ignored --nocapture`.

use std::time::Instant;

use bytes::Bytes;
use crawl_model::{
    Entry, Exchange, Fingerprint, Found, Outcome, PageRecord, Request, Response, Sent, Source,
    Texts, Verdict,
};
use crawl_store::{Bodies, BodyCompression, Options, Store, StoreConfig};

use crate::rig::{Brings, Rig, url};

const LINKS: u64 = 80;
const BATCHES: u64 = 25_000;
/// Messages in hand at a time.
const WINDOW: u64 = 1_000;

fn links(rig: &Rig, batch: u64) -> Vec<Found> {
    let link = |i: u64| {
        let number = (batch * LINKS + i).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (host, number) = (number >> 44, number % 10_000_000_000);
        let request = Request::get(url(&format!("http://h{host:07}.test/p/{number:010}")));
        rig.with_print(request)
    };
    (0..LINKS).map(link).collect()
}

fn batch(rig: &Rig, at: u64) -> Entry {
    Entry::Found { found: links(rig, at), source: Source::Page }
}

fn page(rig: &Rig, at: u64) -> Entry {
    let found = links(rig, at);
    rig.page(&format!("http://h{at}.test/"), Brings { found, ..Brings::default() })
}

fn measure(name: &str, batches: u64, make: fn(&Rig, u64) -> Entry) {
    let dir = tempfile::tempdir().unwrap();
    let mut rig = Rig::new(dir.path());
    let entries: Vec<Entry> = (0..batches).map(|at| make(&rig, at)).collect();
    let begin = Instant::now();
    let (mut sent, mut told, mut commits) = (0, 0, 0);
    let mut entries = entries.into_iter();
    let sender = rig.entries.clone().unwrap();
    while told < batches {
        while sent < batches.min(told + WINDOW) {
            sender.blocking_send(entries.next().unwrap()).unwrap();
            sent += 1;
        }
        match crawl_store::blocking::wait(rig.outcomes.recv()).unwrap() {
            Outcome::Committed(_) => commits += 1,
            _ => told += 1,
        }
        while let Ok(outcome) = rig.outcomes.try_recv() {
            match outcome {
                Outcome::Committed(_) => commits += 1,
                _ => told += 1,
            }
        }
    }
    let time = begin.elapsed();
    let n = batches * LINKS;
    let bytes = rig.store.log_end().offset;
    println!(
        "{name}: {:.0} links/s, {commits} commits of {:.1} ms, {:.1} bytes a link in the last file",
        n as f64 / time.as_secs_f64(),
        time.as_secs_f64() * 1000.0 / f64::from(commits),
        bytes as f64 / n as f64,
    );
    drop(sender);
}

#[test]
#[ignore = "prints figures, which are those of a release build"]
fn links_a_second() {
    measure("batches of 80", BATCHES, batch);
    measure("pages of 80", BATCHES / 5, page);
}

/// HTML of some 24 KB, no two alike.
fn html(seed: u64) -> String {
    let words = ["the", "price", "of", "a", "book", "in", "stock", "with", "cover", "and", "shelf"];
    let mut state = seed | 1;
    let mut text = format!("<!doctype html><title>Page {seed}</title><body>");
    while text.len() < 24_000 {
        text.push_str("<article class=\"card\"><h3><a href=\"/book/");
        for i in 0..40 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if i == 0 {
                text.push_str(&format!("{}\">", state >> 40));
            }
            text.push_str(words[(state >> 33) as usize % words.len()]);
            text.push(' ');
        }
        text.push_str("</a></h3><p class=\"price\">&pound;12.30</p></article>\n");
    }
    text
}

#[test]
#[ignore = "a measurement"]
fn what_an_archived_page_costs() {
    const PAGES: u64 = 3_000;
    for compression in [BodyCompression::Gzip, BodyCompression::Zstd] {
        let dir = tempfile::tempdir().unwrap();
        let config = StoreConfig {
            bodies: Bodies::All,
            body_compression: compression,
            ..StoreConfig::at(dir.path())
        };
        let store = Store::open(&config, Options::default()).unwrap();
        let archivist = store.archivist().unwrap();
        let head = "GET /a/page/of/the/shop.html HTTP/1.1\r\nhost: shop.test\r\nuser-agent: \
                    crawl/0.1 (+http://shop.test/bot)\r\naccept: text/html,*/*;q=0.8\r\n\
                    accept-encoding: gzip, deflate, br, zstd\r\nreferer: http://shop.test/\r\n";
        let sent = Sent { head: head.into(), body: Bytes::new(), at_us: 1_700_000_000_000_000 };
        let pages: Vec<Response> = (0..PAGES).map(|i| response(html(i))).collect();
        let url = url("http://shop.test/a/page/of/the/shop.html");
        let mut record = PageRecord::new(url.clone(), Verdict::Ok);
        record.referrer = Some(url);
        let texts = Texts::default();
        let begin = Instant::now();
        let (mut bytes, mut of_body) = (0, 0);
        for (i, response) in (0..).zip(&pages) {
            let print = Fingerprint(i);
            let (sent, record, texts) = (Some(&sent), &record, &texts);
            let exchange = Exchange { print, sent, response, record, texts };
            let archived = archivist.archive(&exchange).unwrap();
            bytes += archived.bytes.len() as u64;
            of_body += archived.body.unwrap().len() as u64;
        }
        let time = begin.elapsed().as_secs_f64() * 1e6 / PAGES as f64;
        let bytes = bytes / PAGES;
        let of_body = of_body / PAGES;
        println!(
            "{compression:?}: {time:.0} us and {bytes} bytes a page, {of_body} of them the response"
        );
    }
}

fn response(html: String) -> Response {
    Response {
        status: 200,
        version: "HTTP/1.1",
        headers: vec![
            ("content-type".into(), Bytes::from_static(b"text/html; charset=utf-8")),
            ("content-encoding".into(), Bytes::from_static(b"gzip")),
        ],
        body: html.into(),
        truncated: None,
        remote: Some("127.0.0.1:80".parse().unwrap()),
    }
}
