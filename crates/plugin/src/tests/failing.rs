//! What a plugin does wrong marks its page, and no more.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crawl_model::{CanonicalUrl, Request, Verdict};
use crawl_parser::page_from_html;
use crawl_spider::{Args, Closed, FailedRequest, Harvest, Spider, SpiderError};

use super::{args, bad, built, harvest};
use crate::{PluginError, load};

/// What a callback panicked with.
fn panic_of(
    callback: impl FnOnce(&mut Harvest) -> Result<(), SpiderError>,
) -> (String, crawl_spider::Harvested) {
    let mut out = Harvest::new();
    match callback(&mut out) {
        Err(SpiderError::Panicked(text)) => (text, out.into_parts()),
        other => panic!("{other:?}"),
    }
}

fn text(panic: &(dyn Any + Send)) -> String {
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[test]
fn a_panic_in_a_callback_is_a_panic_of_that_callback_with_its_message() {
    let test = page_from_html("http://h/", "<a href=x>x</a>").unwrap();
    let (page, request) = (test.page(), Request::get(CanonicalUrl::parse("http://h/").unwrap()));
    let panics = |when: &str| bad(&[("how", "panic"), ("when", when)]);

    let (text, parts) = panic_of(|out| panics("parse").parse(&page, out));
    assert_eq!(text, "bad in parse");
    assert_eq!((parts.items.len(), parts.follows.len()), (0, 0));
    assert_eq!((&*parts.logs[0].text, parts.stats["pages"]), ("before", 1));

    let (text, _) = panic_of(|out| panics("start").start(out));
    assert_eq!(text, "bad in start");
    let failed = FailedRequest::new(&request, Verdict::Timeout, None, "");
    let (text, parts) = panic_of(|out| panics("error").error(&failed, out));
    assert_eq!((&*text, parts.stats["failed"]), ("bad in error", 1));
    let closed = Closed { reason: "finished", n_pages: 0, n_items: 0 };
    let (text, _) = panic_of(|out| panics("closed").closed(&closed, out));
    assert_eq!(text, "bad in closed");
    let spider = panics("wants_status");
    let panic = catch_unwind(AssertUnwindSafe(|| spider.wants_status(200))).unwrap_err();
    assert_eq!(self::text(&*panic), "bad in wants_status");
    drop(panics("drop"));
}

#[test]
fn a_panic_before_the_first_page_is_an_error_of_loading() {
    let all = [("args", "create"), ("name", "describe"), ("wants", "describe")];
    for (when, callback) in all {
        let error = load(&built("bad"), &args(&[("how", "panic"), ("when", when)])).unwrap_err();
        let PluginError::Panicked { callback: named, reason, .. } = &error else {
            panic!("{error}")
        };
        assert_eq!((*named, &**reason), (callback, &*format!("bad in {when}")));
    }
}

#[test]
fn an_error_of_a_callback_keeps_log_lines_and_counts() {
    let test = page_from_html("http://h/", "<a href=x>x</a>").unwrap();
    let spider = bad(&[("how", "error")]);
    let (parts, error) = harvest(|out| spider.parse(&test.page(), out));
    assert_eq!(error.as_deref(), Some("wrong in parse"));
    assert_eq!((parts.items.len(), parts.logs.len(), parts.stats["pages"]), (0, 1, 1));
    let fine = bad(&[("how", "error"), ("on", "elsewhere")]);
    let (parts, error) = harvest(|out| fine.parse(&test.page(), out));
    assert_eq!((error, parts.items.len(), parts.follows.len()), (None, 1, 1));
}

#[test]
fn a_frame_that_makes_no_sense_is_an_error_of_its_page() {
    let test = page_from_html("http://h/", "<a href=x>x</a>").unwrap();
    let answers = [
        ("", "cut short"),
        ("ff", "cut short"),
        ("ffffffffffffffffffff01", "wrong number"),
        ("0101ff000000", "not UTF-8"),
        ("01017b000000", "not JSON"),
        ("0001", "cut short"),
        ("00000100", "wrong number of lists of files"),
        ("00000001", "cut short"),
        ("000000010163", "wrong number of a URL"),
        ("0000000101000000000000", "bytes too many"),
        ("0000000101070000000000", "wrong number of a URL"),
        ("000000010001780000", "wrong URL"),
        ("0000000000000000", "bytes too many"),
        ("0000000101", "cut short"),
    ];
    for (answer, expected) in answers {
        let spider = load(&built("garbage"), &args(&[("answer", answer)])).unwrap();
        let (parts, error) = harvest(|out| spider.parse(&test.page(), out));
        let error = error.unwrap_or_default();
        assert!(error.contains(expected), "{answer}: {error}");
        assert!(parts.items.is_empty() && parts.follows.is_empty());
    }
    let spider = load(&built("garbage"), &args(&[("answer", "00000000000000")])).unwrap();
    assert_eq!(harvest(|out| spider.parse(&test.page(), out)).1, None);
    // A link that is there.
    let spider = load(&built("garbage"), &args(&[("answer", "00000001010000000000")])).unwrap();
    let (parts, error) = harvest(|out| spider.parse(&test.page(), out));
    assert_eq!((error, parts.follows[0].url().as_str()), (None, "http://h/x"));
}

#[test]
fn noise_is_never_more_than_an_error() {
    let test = page_from_html("http://h/", "<a href=x>x</a>").unwrap();
    let spider = load(&built("garbage"), &Args::default()).unwrap();
    let wrong = (0..5000).filter(|_| harvest(|out| spider.parse(&test.page(), out)).1.is_some());
    assert!(wrong.count() > 4000);
}
