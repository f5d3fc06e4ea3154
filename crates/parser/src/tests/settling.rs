//! What becomes of a ticket: redirects, failures, spiders that fail, huge pages.

mod asking;
mod hanging;
mod knowing;
mod redirects;
mod steps;
mod swapping;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use crawl_model::{
    CanonicalUrl, Desk, Ending, Entry, Errand, Failure, FailureKind, Fetched, FilterReason,
    Fingerprint, Fingerprinter, Look, Method, Parsed, Request, Response, RobotsReply, Source,
    Ticket, TicketId, Timing, Truncation, Verdict, View,
};
use crawl_spider::{FailedRequest, Harvest, LogLevel, LogLine, Page, Spider, SpiderError, json};

use crate::{CrewEnd, LinkSpider, ParseConfig, Parser, SpiderLog};

/// Knows the URLs it was given; filters what lies under `/deep`.
struct Known(Fingerprinter, Vec<Fingerprint>);

impl View for Known {
    fn fingerprint(&self, url: &str) -> Fingerprint {
        self.0.get_text(url)
    }

    fn fingerprint_of(&self, request: &Request) -> Fingerprint {
        self.0.request(request)
    }

    fn look(&self, print: Fingerprint, url: &CanonicalUrl, _: u32) -> Look {
        match print {
            print if self.1.contains(&print) => Look::Known,
            _ if url.path().starts_with("/deep") => Look::Filter(FilterReason::TooDeep),
            _ => Look::Admit,
        }
    }
}

#[derive(Default)]
struct Abandoned(AtomicUsize);

impl Desk for Abandoned {
    fn abandoned(&self, _: TicketId) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn url(text: &str) -> CanonicalUrl {
    CanonicalUrl::parse(text).unwrap()
}

fn parser(spider: impl Spider) -> Parser {
    parser_with(spider, ParseConfig::default(), &[])
}

fn parser_with(spider: impl Spider, config: ParseConfig, known: &[&str]) -> Parser {
    let prints = Fingerprinter::new([1; 16]);
    let known = known.iter().map(|text| prints.get(&url(text))).collect();
    Parser::new(config, 3, Arc::new(spider), Arc::new(Known(prints, known)))
        .with_log(Arc::new(Lines::default()))
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
    let headers = headers.iter();
    Response {
        status,
        version: "HTTP/1.1",
        headers: headers
            .map(|(name, value)| ((*name).into(), Bytes::copy_from_slice(value.as_bytes())))
            .collect(),
        body: Bytes::copy_from_slice(body.as_bytes()),
        truncated: None,
        remote: None,
    }
}

fn html(body: &str) -> Response {
    response(200, &[("content-type", "text/html; charset=utf-8")], body)
}

fn fetched(request: Request, reply: Result<Response, Failure>) -> Fetched {
    fetched_for(Errand::Page(request), reply, true, Arc::new(Abandoned::default()))
}

fn fetched_for(
    errand: Errand,
    reply: Result<Response, Failure>,
    last: bool,
    desk: Arc<Abandoned>,
) -> Fetched {
    let ticket = Ticket::issue(desk, TicketId(1), Fingerprint(7), errand, 2, last);
    let (rest, elapsed) = (Some(Duration::from_secs(9)), Duration::from_millis(12));
    let (timing, cookies) = (Timing::default(), Vec::new());
    Fetched { ticket, reply, rest, sent_ms: 1234, elapsed, timing, cookies }
}

fn get(text: &str) -> Request {
    Request::get(url(text))
}

#[track_caller]
fn verdict(parsed: &Parsed) -> Verdict {
    let Ending::Settled { verdict, rest } = &parsed.ending else { panic!("{:?}", parsed.ending) };
    assert_eq!(*rest, Some(Duration::from_secs(9)));
    assert_eq!(*verdict, parsed.record.verdict);
    *verdict
}

fn found(parsed: &Parsed) -> Vec<&str> {
    parsed.found.iter().map(|found| found.request.url.as_str()).collect()
}

#[test]
fn a_page_is_recorded_and_its_new_links_are_found_once() {
    let parser = parser_with(LinkSpider, ParseConfig::default(), &["http://h/known"]);
    let mut request = get("http://h/");
    request.depth = 2;
    request.label = "list".into();
    request.referrer = Some(url("http://r/"));
    let body = "<title>T</title><a href=/a><a href=/known><a href=/a#x><a href=/deep rel=nofollow>";
    let parsed = parser.parse(fetched(request, Ok(html(body))));
    assert_eq!(verdict(&parsed), Verdict::Ok);
    assert_eq!(found(&parsed), ["http://h/a", "http://h/deep"]);
    assert_eq!(parsed.found[0].filtered, None);
    assert_eq!(parsed.found[1].filtered, Some(FilterReason::TooDeep));
    let child = &parsed.found[0].request;
    assert_eq!((child.depth, child.referrer.as_ref()), (3, Some(&url("http://h/"))));
    let record = &parsed.record;
    assert_eq!((record.status, record.depth, &*record.label), (Some(200), 2, "list"));
    assert_eq!((record.fetched_ms, record.elapsed_ms, record.attempts), (1234, 12, 2));
    assert_eq!((&*record.content_type, record.bytes), ("text/html", body.len() as u64));
    assert_eq!((&*record.title, record.n_links), ("T", 4));
    assert_eq!(record.referrer, Some(url("http://r/")));
    assert!(parsed.response.is_some());
}

#[test]
fn failures_and_other_statuses_settle_or_are_tried_again() {
    let failure = || Err(Failure::new(FailureKind::Connect, "cannot connect to h"));
    let parsed = parser(LinkSpider).parse(fetched(get("http://h/"), failure()));
    assert_eq!(verdict(&parsed), Verdict::ConnectFailed);
    assert_eq!((&*parsed.record.error, parsed.record.status), ("cannot connect to h", None));
    let parsed = parser(LinkSpider).parse(fetched_for(
        Errand::Page(get("http://h/")),
        failure(),
        false,
        Arc::default(),
    ));
    assert!(matches!(parsed.ending, Ending::Retry { .. }));
    let body = "<title>gone</title><a href=/x>";
    let reply = response(404, &[("content-type", "text/html")], body);
    let parsed = parser(LinkSpider).parse(fetched(get("http://h/"), Ok(reply)));
    assert_eq!((verdict(&parsed), parsed.found.len()), (Verdict::HttpError, 0));
    assert_eq!((&*parsed.record.title, &*parsed.record.error), ("gone", "status 404"));
    let mut cut = html("<a href=/x>");
    cut.truncated = Some(Truncation::Length);
    let parsed = parser(LinkSpider).parse(fetched(get("http://h/"), Ok(cut)));
    assert_eq!((verdict(&parsed), parsed.found.len()), (Verdict::TruncatedLength, 1));
}

#[test]
fn a_robots_errand_gives_the_reply() {
    let origin = url("http://h/").origin();
    let errand = Errand::Robots { url: origin.robots_url(), origin };
    let reply = Ok(response(200, &[], "Disallow:"));
    let parsed = parser(Odd).parse(fetched_for(errand, reply, true, Arc::default()));
    let Ending::Robots(reply) = parsed.ending else { panic!("no robots reply") };
    assert_eq!(reply, RobotsReply::Rules(Bytes::from_static(b"Disallow:")));
    assert!(parsed.items.kept.is_empty() && parsed.found.is_empty());
}

/// Does what the page's path says.
struct Odd;

impl Spider for Odd {
    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://h/first")?.label("go");
        out.get("http://h/first")?.dont_filter();
        out.get("http://h/first")?.dont_filter();
        Ok(())
    }

    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&json!({"n": 1}))?;
        out.follow_links(page);
        out.stat("pages", 1);
        out.log(LogLevel::Info, "seen");
        match page.url().path() {
            "/error" => Err("the price is missing".into()),
            "/selector" => page.css("p:::").map(drop),
            "/panic" => panic!("no price on {}", page.url()),
            "/str" => panic!("plain"),
            "/value" => std::panic::panic_any(7),
            "/meta" => page.meta::<Vec<u32>>().map(drop),
            "/again" => {
                out.follow(page, "/p")?.dont_filter();
                out.follow(page, "/p")?.dont_filter().label("second");
                out.follow(page, "/q")?.dont_filter();
                Ok(())
            }
            "/post" => {
                out.follow(page, "/form")?.post("a=1").meta(&[1, 2])?.priority(3);
                out.follow(page, "/form")?.post("a=2");
                out.follow(page, "/form")?.post("a=1");
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        match failed.url().path() {
            "/bad-error" => Err("cannot note it".into()),
            _ => out.item(&json!({"failed": failed.url(), "why": failed.verdict()})),
        }
    }

    fn wants_status(&self, status: u16) -> bool {
        status == 410 || (200..300).contains(&status)
    }
}

#[test]
fn a_callback_that_fails_leaves_a_verdict_and_nothing_else() {
    for (path, expected, text) in [
        ("/error", Verdict::SpiderError, "the price is missing"),
        ("/selector", Verdict::SpiderError, "`p:::` is not a CSS selector: "),
        ("/meta", Verdict::SpiderError, "the metadata of the request is not as expected: "),
        ("/panic", Verdict::SpiderPanic, "no price on http://h/panic"),
        ("/str", Verdict::SpiderPanic, "plain"),
        ("/value", Verdict::SpiderPanic, "a panic without a message"),
    ] {
        let desk = Arc::new(Abandoned::default());
        let errand = Errand::Page(get(&format!("http://h{path}")));
        let reply = Ok(html("<title>T</title><a href=/a>"));
        let parsed = parser(Odd).parse(fetched_for(errand, reply, true, desk.clone()));
        assert_eq!(verdict(&parsed), expected, "{path}");
        assert!(parsed.record.error.starts_with(text), "{}", parsed.record.error);
        assert!(parsed.items.kept.is_empty() && parsed.found.is_empty());
        assert_eq!((&*parsed.record.title, parsed.record.n_links), ("T", 1));
        let _ = parsed.ticket.spend();
        assert_eq!(desk.0.load(Ordering::Relaxed), 0, "the ticket came back");
    }
}

#[test]
fn what_a_callback_brought_is_kept_in_order() {
    let parsed = parser(Odd).parse(fetched(get("http://h/post"), Ok(html("<a href=/form>"))));
    assert_eq!(&*parsed.items.kept[0].json, r#"{"n":1}"#);
    assert_eq!(parsed.found.len(), 3, "a GET and two different POSTs");
    let post = &parsed.found[1];
    assert_eq!((post.request.method, &post.request.body[..]), (Method::Post, &b"a=1"[..]));
    assert_eq!((post.request.priority, &post.request.meta), (3, &json!([1, 2])));
    assert_eq!(post.print, Fingerprinter::new([1; 16]).request(&post.request));
}

#[test]
fn wanted_statuses_reach_the_spider_and_failures_its_error() {
    let gone = parser(Odd).parse(fetched(get("http://h/x"), Ok(response(410, &[], ""))));
    assert_eq!((verdict(&gone), &*gone.items.kept[0].json), (Verdict::HttpError, r#"{"n":1}"#));
    let failed = |path: &str| {
        let reply = Err(Failure::new(FailureKind::Tls, "expired"));
        parser(Odd).parse(fetched(get(path), reply))
    };
    let noted = failed("http://h/x");
    assert_eq!(verdict(&noted), Verdict::TlsFailed);
    assert_eq!(&*noted.items.kept[0].json, r#"{"failed":"http://h/x","why":"tls-failed"}"#);
    let bad = failed("http://h/bad-error");
    assert_eq!(verdict(&bad), Verdict::TlsFailed);
    assert_eq!(bad.record.error, "expired; then spider-error in `error`: cannot note it");
}

#[test]
fn an_accepted_status_is_a_success_whatever_the_spider_wants() {
    let read = |status, location: &str, accept: &[u16], last| {
        let mut request = get("http://h/x");
        request.options_mut().accept = accept.to_vec();
        let reply = response(status, &[("location", location)], "");
        parser(Odd).parse(fetched_for(Errand::Page(request), Ok(reply), last, Arc::default()))
    };
    for (status, last) in [(404, true), (503, false), (429, false), (302, true)] {
        let parsed = read(status, "/y", &[404, status], last);
        assert_eq!(verdict(&parsed), Verdict::Ok, "{status}");
        assert_eq!(
            (parsed.record.status, &*parsed.items.kept[0].json),
            (Some(status), r#"{"n":1}"#)
        );
        assert!(parsed.found.is_empty() && parsed.record.error.is_empty());
    }
    assert!(matches!(read(503, "", &[404], false).ending, Ending::Retry { .. }));
    assert_eq!(verdict(&read(404, "", &[], true)), Verdict::HttpError);
}

#[test]
fn requests_that_are_not_filtered_have_prints_that_come_again() {
    let read = |links: &str| {
        let known = ["http://h/p", "http://h/q"];
        let parser = parser_with(Odd, ParseConfig::default(), &known);
        let parsed = parser.parse(fetched(get("http://h/again"), Ok(html(links))));
        let own = |found: &crawl_model::Found| {
            (found.request.options().unique, found.print, found.request.label.to_string())
        };
        let found: Vec<_> = parsed.found.iter().filter(|f| f.request.options.is_some()).collect();
        found.into_iter().map(own).collect::<Vec<_>>()
    };
    let first = read("");
    assert_eq!(first.len(), 3);
    assert_eq!(first, read("<a href=/new><a href=/newer>"), "whatever else is on the page");
    assert_eq!((first[0].0, &*first[1].2), (first[2].0, "second"));
    let mut prints: Vec<_> = first.iter().map(|(_, print, _)| *print).collect();
    prints.dedup();
    assert_eq!(prints.len(), 3);
}

#[test]
fn a_head_request_gives_the_spider_a_page_without_a_body() {
    let mut request = get("http://h/x");
    request.method = Method::Head;
    let head = response(200, &[("content-type", "text/html"), ("content-length", "99")], "");
    let parsed = parser(Odd).parse(fetched(request, Ok(head)));
    assert_eq!((verdict(&parsed), parsed.items.kept.len()), (Verdict::Ok, 1));
}

#[test]
fn a_spider_begins_with_its_own_requests() {
    let requests = crate::stage::start(&Odd).unwrap();
    assert_eq!((requests[0].url.as_str(), &*requests[0].label), ("http://h/first", "go"));
    assert_eq!((requests[0].depth, &requests[0].referrer), (0, &None));
    assert_eq!(requests, crate::stage::start(&Odd).unwrap());
    let numbers: Vec<_> = requests.iter().map(|request| request.options().unique).collect();
    assert!(numbers[0].is_none() && numbers[1].is_some() && numbers[1] != numbers[2]);
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl SpiderLog for Lines {
    fn line(&self, spider: &str, url: Option<&CanonicalUrl>, line: &LogLine) {
        let text = format!("{} {spider} {url:?} {}", line.level.name(), line.text);
        self.0.lock().unwrap().push(text);
    }
}

#[test]
fn log_lines_and_counts_come_out_even_of_failed_callbacks() {
    let lines = Arc::new(Lines::default());
    let parser = parser(Odd).with_log(lines.clone());
    let _ = parser.parse(fetched(get("http://h/error"), Ok(html(""))));
    let _ = parser.parse(fetched(get("http://h/ok"), Ok(html(""))));
    assert_eq!(lines.0.lock().unwrap()[0], "info spider Some(http://h/error) seen");
    assert_eq!(parser.stats()["pages"], 2);
}

#[test]
fn a_huge_page_goes_in_parts_and_its_verdict_last() {
    let body: String = (0..12_001).map(|n| format!("<a href=/{n}>")).collect();
    let (to_parser, answers) = async_channel::bounded(4);
    let (entries, mut out) = tokio::sync::mpsc::channel(8);
    to_parser.send_blocking(fetched(get("http://h/x"), Ok(html(&body)))).unwrap();
    to_parser.send_blocking(fetched(get("http://h/y"), Ok(html("")))).unwrap();
    to_parser.close();
    let (end, _) = Arc::new(parser(LinkSpider)).start(1, answers, entries).unwrap();
    let mut sizes = Vec::new();
    while let Some(entry) = out.blocking_recv() {
        sizes.push(match entry {
            Entry::Found { found, source: Source::Page } => ("part", found.len()),
            Entry::Parsed(parsed) => ("page", parsed.found.len()),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(sizes, [("part", 5000), ("part", 5000), ("page", 2001), ("page", 0)]);
    assert_eq!(end.blocking_recv(), Ok(CrewEnd::Done));
}

#[test]
fn the_loop_ends_when_the_store_is_gone_and_tickets_report_themselves() {
    let (to_parser, answers) = async_channel::bounded(4);
    let (entries, out) = tokio::sync::mpsc::channel(1);
    drop(out);
    let desk = Arc::new(Abandoned::default());
    let errand = Errand::Page(get("http://h/"));
    to_parser.send_blocking(fetched_for(errand, Ok(html("")), true, desk.clone())).unwrap();
    let (end, _) = Arc::new(parser(LinkSpider)).start(2, answers, entries).unwrap();
    to_parser.close();
    assert_eq!(end.blocking_recv(), Ok(CrewEnd::Done));
    assert_eq!(desk.0.load(Ordering::Relaxed), 1);
}
