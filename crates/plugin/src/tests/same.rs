//! The same source, linked in and loaded, is the same spider.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crawl_model::{CanonicalUrl, Request, Verdict};
use crawl_parser::page_from_html;
use crawl_spider::{Args, Closed, FailedRequest, FromArgs, Harvested, PageInfo, Spider, prepare};
use serde_json::json;

use super::{built, harvest, pages};
use crate::load;

#[path = "../../../../tests/plugins/good/src/lib.rs"]
#[allow(missing_docs, unreachable_pub, reason = "it is a crate")]
mod good;

#[track_caller]
fn same(linked: (Harvested, Option<String>), loaded: (Harvested, Option<String>), at: &str) {
    let (linked, linked_error) = linked;
    let (loaded, loaded_error) = loaded;
    assert_eq!(linked_error, loaded_error, "{at}");
    if linked_error.is_none() {
        assert_eq!((&linked.items, &linked.kinds), (&loaded.items, &loaded.kinds), "{at}");
        for (linked, loaded) in linked.follows.iter().zip(&loaded.follows) {
            assert_eq!(linked, loaded, "{at}");
            let parts = |url: &CanonicalUrl| format!("{:?}", url.parts());
            assert_eq!(parts(linked.url()), parts(loaded.url()), "{at}");
        }
        assert_eq!(linked.follows.len(), loaded.follows.len(), "{at}");
    }
    assert_eq!(linked.logs, loaded.logs, "{at}");
    assert_eq!(linked.stats, loaded.stats, "{at}");
}

#[test]
fn a_loaded_spider_gives_what_the_same_source_linked_in_gives() {
    let linked = good::Good::from_args(&Args::default()).unwrap();
    let loaded = load(&built("good"), &Args::default()).unwrap();
    let linked = prepare(Arc::new(linked));
    assert_eq!((linked.name(), linked.wants()), (loaded.name(), loaded.wants()));
    assert_eq!(linked.expressions(), loaded.expressions());
    assert!(loaded.rules().is_empty(), "they are followed on the other side");
    for status in [200, 299, 300, 404, 500] {
        assert_eq!(linked.wants_status(status), loaded.wants_status(status));
    }
    same(harvest(|out| linked.start(out)), harvest(|out| loaded.start(out)), "start");
    for matched in [false, true] {
        for page in pages::all() {
            let page = if matched { page.with_spider(&*linked) } else { page };
            let page = page.page();
            let at = format!("{page:?}, matched beforehand: {matched}");
            same(
                harvest(|out| linked.parse(&page, out)),
                harvest(|out| loaded.parse(&page, out)),
                &at,
            );
        }
    }
}

#[test]
fn the_smaller_callbacks_are_the_same_too() {
    let linked = good::Good::from_args(&Args::default()).unwrap();
    let loaded = load(&built("good"), &Args::default()).unwrap();
    let mut request = Request::get(CanonicalUrl::parse("http://h.test/a").unwrap());
    request.label = "l".into();
    request.meta = json!({"n": 0.1});
    let failed = FailedRequest::new(&request, Verdict::ConnectTimeout, Some(503), "too late");
    same(
        harvest(|out| linked.error(&failed, out)),
        harvest(|out| loaded.error(&failed, out)),
        "error",
    );
    let closed = Closed { reason: "finished", n_pages: 7, n_items: 9 };
    same(
        harvest(|out| linked.closed(&closed, out)),
        harvest(|out| loaded.closed(&closed, out)),
        "closed",
    );
}

#[test]
fn a_panic_and_the_steps_are_the_same_too() {
    let linked = prepare(Arc::new(good::Good::from_args(&Args::default()).unwrap()));
    let loaded = load(&built("good"), &Args::default()).unwrap();
    let test = page_from_html("http://h.test/panics", "<p>x").unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| harvest(|out| linked.parse(&test.page(), out))));
    let panic = panic.map(|_| ()).unwrap_err().downcast::<String>().unwrap();
    assert_eq!(harvest(|out| loaded.parse(&test.page(), out)).1, Some(*panic));

    let mut request = Request::get(CanonicalUrl::parse("http://h.test/a").unwrap());
    request.meta = json!({"n": 0.1});
    let page = PageInfo::new(&request, Some(404));
    let (a, b) = (linked.item_step().unwrap(), loaded.item_step().unwrap());
    assert_eq!(a.name(), b.name());
    for item in [json!({"n": 0}), json!({"n": 0.1, "m": null})] {
        assert_eq!(a.process(item.clone(), &page), b.process(item, &page));
    }
    let panic = catch_unwind(AssertUnwindSafe(|| b.process(json!({"n": 1}), &page))).unwrap_err();
    assert_eq!(*panic.downcast::<String>().unwrap(), "it was to panic on one");
    let (a, b) = (linked.request_step().unwrap(), loaded.request_step().unwrap());
    assert_eq!(a.name(), b.name());
    for label in ["", "x"] {
        let (mut one, mut other) = (request.clone(), request.clone());
        (one.label, other.label) = (label.into(), label.into());
        assert_eq!(a.process(&mut one), b.process(&mut other));
        assert_eq!(one, other);
    }
}

#[test]
fn threads_may_share_a_loaded_spider() {
    let loaded = load(&built("good"), &Args::default()).unwrap();
    let expected = harvest(|out| loaded.parse(&pages::all()[0].page(), out)).0.items;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let page = &pages::all()[0];
                    let items = harvest(|out| loaded.parse(&page.page(), out)).0.items;
                    assert_eq!(items, expected);
                }
            });
        }
    });
}
