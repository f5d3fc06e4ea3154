//! Whatever is packed is read back, and whatever is read never panics.

use crawl_model::{CanonicalUrl, Event, Fingerprinter, Found, Host, Method, Request};
use proptest::prelude::*;

use super::*;

mod cost;

fn prints() -> Fingerprinter {
    Fingerprinter::new([3; 16])
}

fn pack(packer: &mut Packer, event: &Event) {
    match event {
        Event::Found(found) => packer.found(found),
        Event::Settled { print, host, verdict, at_ms, rest_until_ms, .. } => {
            packer.settled(ending(*print, host, *at_ms, *rest_until_ms), *verdict, facts(*print));
        }
        Event::Retried { print, host, attempt, at_ms, rest_until_ms } => {
            packer.retried(ending(*print, host, *at_ms, *rest_until_ms), *attempt);
        }
        Event::Filtered { print, reason } => packer.filtered(*print, *reason),
    }
}

fn ending(print: Fingerprint, host: &Host, at_ms: u64, rest_until_ms: u64) -> RawEnding<'_> {
    RawEnding { print, host: host.as_str(), at_ms, rest_until_ms }
}

/// Facts of the page of this print, often those of another.
fn facts(print: Fingerprint) -> Facts<'static> {
    let few = print.0 % 5;
    Facts {
        status: [0, 200, 200, 404, 999][few as usize],
        bytes: print.0 >> (16 * few.min(3)),
        n_items: few as u32,
        elapsed_ms: few * 100,
        content_type: ["", "text/html", "text/html", "a/b", "text/xml"][few as usize],
        texts: None,
    }
}

fn unpack(blocks: Vec<Sealed>) -> Vec<Event> {
    let mut thaw = Thaw::default();
    let mut events = Vec::new();
    let mut block = Block::new(prints());
    for sealed in blocks {
        block.open(sealed.next_n, &sealed.bytes, Reads::Events).unwrap();
        while !block.is_done() {
            events.push(thaw.event(block.next().unwrap()).unwrap());
        }
    }
    events
}

fn settle(event: &Event) -> Option<(u64, Fingerprint, Verdict)> {
    match event {
        Event::Settled { n, print, verdict, .. } => Some((*n, *print, *verdict)),
        _ => None,
    }
}

fn unpack_settles(blocks: &[Sealed]) -> Vec<(u64, Fingerprint, Verdict)> {
    let mut settles = Vec::new();
    let mut block = Block::new(prints());
    for sealed in blocks {
        block.open(sealed.next_n, &sealed.bytes, Reads::Settles).unwrap();
        while block.has_settle().unwrap() {
            let settle = block.settle().unwrap();
            assert_eq!(settle.facts, facts(settle.ending.print));
            settles.push((settle.n, settle.ending.print, settle.verdict));
        }
    }
    settles
}

/// Gives settles the numbers that the packer will give them.
fn number(events: &mut [Event], first_n: u64) {
    let mut next = first_n;
    for event in events {
        if let Event::Settled { n, .. } = event {
            *n = next;
            next += 1;
        }
    }
}

fn url() -> impl Strategy<Value = CanonicalUrl> {
    ("[a-z]{1,8}", "[ -~äß€]{0,60}").prop_map(|(host, path)| {
        CanonicalUrl::parse(&format!("http://{host}.example/{path}")).unwrap()
    })
}

fn request() -> impl Strategy<Value = Request> {
    let common = (url(), "[a-zé]{0,5}", any::<i32>(), any::<u32>(), proptest::option::of(url()));
    let headers = proptest::collection::vec((".{0,9}", ".{0,9}"), 0..3);
    let body = proptest::collection::vec(any::<u8>(), 0..20);
    let rare = (headers, body, ".{0,9}", proptest::collection::vec(url(), 0..3), any::<bool>());
    (common, proptest::option::of(rare)).prop_map(|(common, rare)| {
        let (url, label, priority, depth, referrer) = common;
        let mut request = Request::get(url);
        request.label = label.into();
        request.priority = priority;
        request.depth = depth;
        request.referrer = referrer;
        if let Some((headers, body, note, chain, post)) = rare {
            request.method = if post { Method::Post } else { Method::Head };
            request.headers = headers;
            request.body = body;
            request.errback = note.chars().take(3).collect::<String>().into();
            request.meta = serde_json::json!({"note": note, "depth": depth});
            request.chain = chain;
        }
        request
    })
}

fn event() -> impl Strategy<Value = Event> {
    let print = || any::<u64>().prop_map(Fingerprint);
    let host = || "[a-c]{1,2}".prop_map(|name| Host::new(&name));
    let reason = || (0..FilterReason::ALL.len()).prop_map(|i| FilterReason::ALL[i]);
    let verdict = (0..Verdict::ALL.len()).prop_map(|i| Verdict::ALL[i]);
    prop_oneof![
        4 => (print(), request(), proptest::option::of(reason()), any::<bool>()).prop_map(
            |(print, request, filtered, renews)| {
                Event::Found(Box::new(Found { print, request, filtered, renews }))
            }
        ),
        2 => (print(), host(), verdict, any::<u64>(), any::<u64>()).prop_map(
            |(print, host, verdict, at_ms, rest_until_ms)| {
                Event::Settled { n: 0, print, host, verdict, at_ms, rest_until_ms }
            }
        ),
        1 => (print(), host(), any::<u32>(), any::<u64>(), any::<u64>()).prop_map(
            |(print, host, attempt, at_ms, rest_until_ms)| {
                Event::Retried { print, host, attempt, at_ms, rest_until_ms }
            }
        ),
        1 => (print(), reason()).prop_map(|(print, reason)| Event::Filtered { print, reason }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..Default::default() })]

    #[test]
    fn events_come_back_as_they_went_in(
        mut events in proptest::collection::vec(event(), 0..120),
        first_n in 1..u64::MAX / 2,
    ) {
        number(&mut events, first_n);
        let mut packer = Packer::new(prints(), first_n);
        events.iter().for_each(|event| pack(&mut packer, event));
        let blocks = packer.take();
        let settles: Vec<_> = events.iter().filter_map(settle).collect();
        prop_assert_eq!(unpack_settles(&blocks), settles);
        prop_assert_eq!(unpack(blocks), events);
    }

    #[test]
    fn damaged_blocks_are_errors_and_never_panic(
        events in proptest::collection::vec(event(), 1..10),
        flips in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<proptest::sample::Index>(),
    ) {
        let mut packer = Packer::new(prints(), 1);
        events.iter().for_each(|event| pack(&mut packer, event));
        let mut bytes = packer.take().swap_remove(0).bytes;
        for (at, byte) in flips {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(cut.index(bytes.len()) + 1);
        let mut block = Block::new(prints());
        if block.open(1, &bytes, Reads::Settles).is_some() {
            while block.has_settle() == Some(true) && block.settle().is_some() {}
        }
        let mut thaw = Thaw::default();
        if block.open(1, &bytes, Reads::Events).is_none() {
            return Ok(());
        }
        while !block.is_done() {
            let Some(raw) = block.next() else { break };
            let _ = thaw.event(raw);
        }
    }
}

#[test]
fn texts_of_pages_are_read_if_they_are_asked_for_and_cost_little() {
    let mut packer = Packer::new(prints(), 1);
    let host = Host::new("h");
    let urls: Vec<_> = (0..100).map(|i| format!("http://h/product/{i}")).collect();
    let titles: Vec<_> = (0..100).map(|i| format!("Product number {i} | The shop")).collect();
    let of = |i: usize| Texts { url: &urls[i], title: &titles[i], label: "item", error: "" };
    for i in 0..100 {
        let facts = Facts { texts: Some(of(i)), ..facts(Fingerprint(i as u64)) };
        packer.settled(ending(Fingerprint(i as u64), &host, 0, 0), Verdict::Ok, facts);
    }
    let blocks = packer.take();
    let n_bytes: usize = blocks.iter().map(|block| block.bytes.len()).sum();
    assert!(n_bytes < 100 * 25, "{n_bytes}");
    let mut block = Block::new(prints());
    for (reads, has_texts) in [(Reads::SettlesAndTexts, true), (Reads::Settles, false)] {
        block.open(1, &blocks[0].bytes, reads).unwrap();
        for i in 0..100 {
            assert!(block.has_settle().unwrap());
            let texts = block.settle().unwrap().facts.texts;
            assert_eq!(texts, has_texts.then(|| of(i)), "{i}");
        }
        assert_eq!(block.has_settle(), Some(false));
    }
}

#[test]
fn fifty_links_of_a_page_take_a_few_bytes_each() {
    let prints = prints();
    let mut packer = Packer::new(prints.clone(), 1);
    let page = CanonicalUrl::parse("http://bookshop.test/list/1").unwrap();
    let host = Host::new("bookshop.test");
    packer.settled(
        ending(Fingerprint(1), &host, 1_700_000_000_000, 0),
        Verdict::Ok,
        Facts::default(),
    );
    for i in 0..50 {
        let url = format!("http://bookshop.test/book/some-title-{i}");
        let mut request = Request::get(CanonicalUrl::parse(&url).unwrap());
        request.referrer = Some(page.clone());
        packer.found(&Found {
            print: prints.request(&request),
            request,
            filtered: None,
            renews: false,
        });
    }
    let blocks = packer.take();
    assert_eq!(blocks.len(), 1);
    assert!(blocks[0].bytes.len() < 50 * 5, "{} bytes", blocks[0].bytes.len());
}

#[test]
fn urls_are_taken_apart_as_they_were_put_together() {
    let prints = prints();
    for text in [
        "http://h/",
        "https://joe:p%40w@h:8443/a?b@c:1/d",
        "http://[2001:db8::1]:81/x",
        "http://[::1]/",
        "http://u@10.0.0.1/1/2",
        "http://h:1/a//b://c@d",
    ] {
        let request = Request::get(CanonicalUrl::parse(text).unwrap());
        let found =
            Found { print: prints.request(&request), request, filtered: None, renews: false };
        let mut packer = Packer::new(prints.clone(), 1);
        packer.found(&found);
        let [Event::Found(back)] = &unpack(packer.take())[..] else { panic!("{text}") };
        assert_eq!(**back, found);
        assert_eq!(back.request.url.parts(), found.request.url.parts());
    }
}
