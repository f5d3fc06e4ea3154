//! Frames that come back as they went, and bytes that are none.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crawl_model::{
    CanonicalUrl, FetchOptions, FileAsk, Item, ItemKind, Method, Request, Response, Truncation,
    Verdict,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::bytes::put_uint;
use super::*;
use crate::{Closed, FailedRequest, Follow, Harvest, Harvested, Link, LinkKind, LogLevel};

fn url(text: &str) -> CanonicalUrl {
    CanonicalUrl::parse(text).unwrap()
}

fn full_request() -> Request {
    let mut request = Request::get(url("http://joe:pw@h:81/a?b=c"));
    request.method = Method::Post;
    request.headers = vec![("A".into(), "b".into()), (String::new(), "ü".into())];
    request.body = vec![0, 255, 128];
    request.label = "book".into();
    request.meta = json!({"n": [1, -2, 3.5, null, true, "x", u64::MAX, i64::MIN], "o": {}});
    request.priority = -7;
    request.depth = 300;
    request.chain = vec![url("https://[::1]/"), url("http://h/b")];
    request.referrer = Some(url("http://r/"));
    request.options = Some(Box::new(FetchOptions {
        timeout: Some(Duration::new(3, 5)),
        not_before_ms: u64::MAX,
        proxy: Some("".into()),
        jar: Some("a".into()),
        accept: vec![404, 503],
        unique: Some(FetchOptions::UNNUMBERED),
        cookies_changed: true,
    }));
    request
}

fn full_harvest() -> Harvested {
    let mut out = Harvest::new();
    out.item(&json!({"a": [1, "ü"]})).unwrap();
    let files = [FileAsk::file(url("http://h/a.pdf")), FileAsk::image(url("http://h/ü")).of("ü")];
    out.item_with_files("text", files).unwrap();
    let kind = ItemKind { name: "Book".into(), key: vec!["id".into()], ..ItemKind::default() };
    out.item_of(&Arc::new(kind), &json!({"id": 1})).unwrap();
    out.request(full_request());
    out.get("http://h/x").unwrap().label("l").priority(i32::MIN);
    out.log(LogLevel::Warn, "w");
    out.log(LogLevel::Debug, "");
    out.stat("n", i64::MIN);
    out.into_parts()
}

fn same(a: &Harvested, b: &Harvested) -> bool {
    (&a.items, &a.kinds, &a.files, &a.follows, &a.logs, &a.stats, &a.stop)
        == (&b.items, &b.kinds, &b.files, &b.follows, &b.logs, &b.stats, &b.stop)
}

#[test]
fn requests_come_back_whole_from_friend_and_foe() {
    for request in [full_request(), Request::get(url("http://h/"))] {
        let bytes = frame(&request);
        assert_eq!(Reader::new(&bytes).whole::<Request>(), Ok(request.clone()));
        let trusted = Reader::trusted(&bytes).whole::<Request>().unwrap();
        assert_eq!(trusted, request);
        let parts =
            |url: &CanonicalUrl| (url.host_str().to_owned(), url.port(), url.path().to_owned());
        assert_eq!(parts(&trusted.url), parts(&request.url));
    }
}

#[test]
fn responses_come_back_whole() {
    let header =
        |name: &str, value: &'static [u8]| (name.into(), ::bytes::Bytes::from_static(value));
    let response = Response {
        status: 599,
        version: "HTTP/2",
        headers: vec![header("a", b"\xff"), header("b", b"")],
        body: ::bytes::Bytes::from_static(b"\0body"),
        truncated: Some(Truncation::Framing),
        remote: Some("[2001:db8::1]:443".parse().unwrap()),
    };
    let mut bytes = Vec::new();
    put_response(&mut bytes, &response);
    let from = &mut Reader::new(&bytes);
    let back = get_response(from).unwrap();
    from.end().unwrap();
    assert_eq!((back.status, back.version, back.truncated), (599, "HTTP/2", response.truncated));
    assert_eq!(
        (back.headers, back.body, back.remote),
        (response.headers, response.body, response.remote)
    );
}

#[test]
fn the_smaller_callbacks_are_told_all() {
    let request = full_request();
    let failed = FailedRequest::new(&request, Verdict::Timeout, Some(503), "too late");
    let back: FailedFrame = Reader::new(&frame(&FailedFrame::from(&failed))).whole().unwrap();
    let back = back.as_failed();
    assert_eq!((back.request(), back.verdict()), (&request, Verdict::Timeout));
    assert_eq!((back.status(), back.detail()), (Some(503), "too late"));
    let closed = Closed { reason: "finished", n_pages: 3, n_items: u64::MAX };
    let back: ClosedFrame = Reader::new(&frame(&ClosedFrame::from(&closed))).whole().unwrap();
    assert_eq!(back.as_closed(), closed);
}

#[test]
fn harvests_come_back_whole() {
    let harvest = full_harvest();
    assert!(same(&Harvested::decode(&harvest.encode()).unwrap(), &harvest));
    let empty = Harvest::new().into_parts();
    assert!(same(&Harvested::decode(&empty.encode()).unwrap(), &empty));
}

/// The page's links: known by number, and by their URLs to a side that `knows` these.
struct Book {
    links: Arc<LinkBook>,
    knows: bool,
}

impl UrlBook for Book {
    fn number(&mut self, url: &CanonicalUrl) -> Option<KnownUrl> {
        let mut links = self.links.links().iter().filter(|_| self.knows);
        links.position(|link| link.url == *url).map(|at| KnownUrl::Link(at as u32))
    }

    fn has(&self, links: &Arc<LinkBook>) -> bool {
        Arc::ptr_eq(&self.links, links)
    }

    fn joined(&self, _: u32) -> Option<&CanonicalUrl> {
        None
    }

    fn links(&self) -> Option<&Arc<LinkBook>> {
        Some(&self.links)
    }
}

fn book(urls: impl IntoIterator<Item = String>) -> Book {
    let link = |(n, text): (usize, String)| Link {
        url: url(&text),
        text: "".into(),
        rel: "".into(),
        nofollow: n % 3 == 0,
        kind: LinkKind::Anchor,
    };
    let links = LinkBook::from(Vec::from_iter(urls.into_iter().enumerate().map(link)));
    Book { links: Arc::new(links), knows: false }
}

fn numbered_book(n_links: usize) -> Book {
    book((0..n_links).map(|n| format!("http://h/{n}")))
}

#[test]
fn urls_of_the_book_travel_as_numbers_and_others_are_refused() {
    let harvest = full_harvest();
    let mut book = Book { knows: true, ..book(["http://h/x".to_owned()]) };
    let mut bytes = Vec::new();
    harvest.encode_with(&mut book, &mut bytes);
    assert!(!bytes.windows(8).any(|window| window == b"http://h/x"[2..].as_ref()));
    assert!(same(&Harvested::decode_with(&book, &bytes).unwrap(), &harvest));
    let error = Harvested::decode(&bytes).unwrap_err();
    assert_eq!(error, WireError::Wrong("number of a URL"));
}

#[test]
fn links_one_after_the_other_travel_as_their_first_number_and_how_many() {
    let mut book = numbered_book(100);
    let all = Vec::from_iter(Follow::each(&book.links));
    let mut harvest = Harvest::new().into_parts();
    let mut n_bytes = |harvest: &Harvested| {
        let mut bytes = Vec::new();
        harvest.encode_with(&mut book, &mut bytes);
        assert!(same(&Harvested::decode_with(&book, &bytes).unwrap(), harvest));
        bytes.len()
    };
    harvest.follows = all;
    assert!(n_bytes(&harvest) < 16);
    harvest.follows.iter_mut().for_each(|follow| _ = follow.label("a").priority(-3));
    assert!(n_bytes(&harvest) < 24);
    for at in [0, 1, 50, 98, 99] {
        let changes: [fn(&mut Follow); 5] = [
            |follow| _ = follow.label("b"),
            |follow| _ = follow.priority(7),
            |follow| _ = follow.meta(&1).unwrap(),
            |follow| _ = follow.header("a", "b"),
            |follow| follow.nofollow = !follow.nofollow,
        ];
        for change in changes {
            change(&mut harvest.follows[at]);
            n_bytes(&harvest);
        }
    }
    harvest.follows.swap(3, 70);
    n_bytes(&harvest);
    harvest.follows.reverse();
    n_bytes(&harvest);
}

#[test]
fn runs_that_make_no_sense_are_refused() {
    let book = numbered_book(100);
    let plain = [0];
    let decode = |count: usize, runs: &[(usize, usize, &[u8])]| {
        // No items, no kinds of them, no files of items.
        let mut bytes = [frame(&(0_usize, 0_usize)), frame(&(0_usize, count))].concat();
        for &(at, n, settings) in runs {
            bytes.push(3);
            bytes.extend(frame(&(at, n)));
            bytes.extend_from_slice(settings);
        }
        bytes.extend([0; 3]);
        Harvested::decode_with(&book, &bytes).map(|harvest| harvest.follows.len())
    };
    assert_eq!(decode(100, &[(0, 100, &plain)]), Ok(100));
    assert_eq!(decode(50, &[(0, 40, &plain), (90, 10, &plain)]), Ok(50));
    for runs in [
        &[(0, 101, &plain[..])][..],
        &[(1, 100, &plain)],
        &[(100, 1, &plain)],
        &[(0, 0, &plain)],
        &[(usize::MAX, 1, &plain)],
        &[(0, usize::MAX, &plain)],
        &[(0, 50, &plain), (49, 50, &plain)],
        &[(50, 50, &plain), (0, 50, &plain)],
        &[(0, 100, &[2, 1, 0, 0])],
    ] {
        assert!(decode(100, runs).is_err(), "{runs:?}");
    }
    assert_eq!(decode(10, &[(0, 11, &plain)]), Err(WireError::Wrong("run")), "more than it says");
    assert!(decode(usize::MAX, &[(0, 100, &plain)]).is_err());
    assert!(Harvested::decode(&[0, 0, 0, 2, 3, 0, 2, 0, 0, 0, 0]).is_err(), "links of no page");
}

#[test]
fn what_is_wrong_in_a_harvest_is_named() {
    let harvest = |change: fn(&mut Harvested)| {
        let mut harvest = full_harvest();
        change(&mut harvest);
        Harvested::decode(&harvest.encode()).unwrap_err()
    };
    assert!(matches!(harvest(|h| h.items[0] = Item::plain("{")), WireError::Json(_)));
    assert!(matches!(harvest(|h| h.items[0] = Item::plain("1 2")), WireError::Json(_)));
    let mut bytes = full_harvest().encode();
    let at = bytes.windows(8).position(|window| window == b"http://h").unwrap();
    bytes[at] = b'x';
    assert!(matches!(Harvested::decode(&bytes), Err(WireError::Url(_))));
    bytes[at] = 0xff;
    assert_eq!(Harvested::decode(&bytes).unwrap_err(), WireError::Utf8);
    bytes[at] = b'h';
    bytes.push(0);
    assert_eq!(Harvested::decode(&bytes).unwrap_err(), WireError::Long(1));
}

#[test]
fn nesting_is_bounded() {
    let mut bytes = [7, 1].repeat(100_000);
    bytes.push(0);
    assert_eq!(Reader::new(&bytes).whole::<Value>(), Err(WireError::Wrong("depth of nesting")));
}

#[test]
fn counts_reserve_no_more_than_there_is() {
    let mut bytes = Vec::new();
    put_uint(&mut bytes, u64::MAX);
    assert_eq!(Reader::new(&bytes).whole::<Vec<String>>(), Err(WireError::Short));
    assert_eq!(Reader::new(&[0xff; 11]).whole::<u64>(), Err(WireError::Wrong("number")));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn values_come_back_bit_by_bit(value in values()) {
        prop_assert_eq!(Reader::new(&frame(&value)).whole::<Value>().unwrap(), value);
    }

    #[test]
    fn numbers_come_back(wide in any::<u64>(), signed in any::<i64>(), small in any::<i32>()) {
        prop_assert_eq!(Reader::new(&frame(&wide)).whole::<u64>(), Ok(wide));
        prop_assert_eq!(Reader::new(&frame(&signed)).whole::<i64>(), Ok(signed));
        prop_assert_eq!(Reader::new(&frame(&small)).whole::<i32>(), Ok(small));
    }

    /// Bytes of any kind, and frames with some bytes changed or cut off, are read or refused.
    #[test]
    fn garbage_is_refused_in_peace(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let _ = Harvested::decode(&noise);
        let _ = Reader::new(&noise).whole::<FailedFrame>();
        let _ = get_response(&mut Reader::new(&noise));
        let mut bytes = full_harvest().encode();
        prop_assert!(Harvested::decode(&bytes[..cut.index(bytes.len())]).is_err());
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(harvest) = Harvested::decode(&bytes) {
            let again = Harvested::decode(&harvest.encode()).unwrap();
            prop_assert!(same(&again, &harvest));
        }
        let mut bytes = frame(&full_request());
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(Reader::trusted(&bytes).whole::<Request>().is_err());
    }
}

#[test]
fn a_harvest_takes_up_another() {
    let mut many = Harvest::new();
    let kinds = ["a", "b"].map(|name| ItemKind { name: name.into(), ..ItemKind::default() });
    let [a, b] = kinds.map(Arc::new);
    many.item_of(&b, &1).unwrap();
    many.item(&2).unwrap();
    (0..1007).for_each(|_| many.log(LogLevel::Info, "x"));
    many.stat("n", 2);
    let mut out = Harvest::new();
    out.item_of(&a, &3).unwrap();
    out.take_in(many.into_parts());
    out.stat("n", 3);
    let parts = out.into_parts();
    let name = |item: &Item| parts.kinds.get(item.kind).map(|kind| kind.name.to_string());
    let names: Vec<_> = parts.items.iter().map(name).collect();
    assert_eq!(names, [Some("a".to_owned()), Some("b".to_owned()), None]);
    assert_eq!(parts.logs.last().unwrap().text, "7 more log lines left out");
    assert_eq!(parts.stats, BTreeMap::from([("n".to_owned(), 5)]));
}
