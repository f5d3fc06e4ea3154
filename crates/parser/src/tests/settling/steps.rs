//! Steps of items and requests, hooks of responses, and the spider's end.

use crawl_pipeline::Pipeline;
use crawl_spider::{Closed, Dropped, ItemStep, PageInfo, Refusal, RequestStep, Value};

use super::*;
use crate::ResponseHook;

/// One item, follows all links; has both steps.
struct Stepping;

impl Spider for Stepping {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        for n in page.text().split(',') {
            if let Ok(n) = n.trim().parse::<u32>() {
                out.item(&json!({ "n": n }))?;
            }
        }
        out.follow_links(page);
        Ok(())
    }

    fn error(&self, _: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&json!({"n": 1, "failed": true}))
    }

    fn item_step(&self) -> Option<&dyn ItemStep> {
        Some(self)
    }

    fn request_step(&self) -> Option<&dyn RequestStep> {
        Some(self)
    }
}

impl ItemStep for Stepping {
    fn process(&self, mut item: Value, page: &PageInfo<'_>) -> Result<Value, Dropped> {
        if item["n"] == 0 {
            return Err(Dropped::new("zero"));
        }
        item["of"] = json!([page.url().path(), page.label(), page.status()]);
        Ok(item)
    }
}

impl RequestStep for Stepping {
    fn process(&self, request: &mut Request) -> Result<(), Refusal> {
        match request.url.path() {
            "/panic" => panic!("at this request"),
            "/no" | "/deep/no" => return Err(Refusal::new("unwanted")),
            "/session" => request.url = url("http://h/clean"),
            _ => request.headers.push(("X-Step".into(), "1".into())),
        }
        request.depth = 77;
        Ok(())
    }
}

#[test]
fn items_go_through_the_spiders_step_and_the_dropped_are_kept_apart() {
    let parser = parser(Stepping);
    let mut request = get("http://h/p");
    request.label = "book".into();
    let parsed = parser.parse(fetched(request, Ok(html("1, 0, 2"))));
    let items: Vec<_> = parsed.items.kept.iter().map(|item| &*item.json).collect();
    let of = r#""of":["/p","book",200]"#;
    assert_eq!(items, [format!("{{\"n\":1,{of}}}"), format!("{{\"n\":2,{of}}}")]);
    assert_eq!(parsed.items.fields.kinds["book"].fields["of"], 2);
    let dropped = &parsed.items.dropped[..];
    assert_eq!((dropped.len(), &*dropped[0].reason, &*dropped[0].item), (1, "zero", r#"{"n":0}"#));
    // So do those of failures.
    let failure = Failure::new(FailureKind::Tls, "x");
    let parsed = parser.parse(fetched(get("http://h/x"), Err(failure)));
    assert!(parsed.items.kept[0].json.contains(r#""of":["/x","",null]"#));
}

#[test]
fn requests_go_through_the_spiders_step_before_they_are_known() {
    let lines = Arc::new(Lines::default());
    let known = ["http://h/clean"];
    let parser = parser_with(Stepping, ParseConfig::default(), &known).with_log(lines);
    let body = "<a href=/a><a href=/session><a href=/no><a href=/deep/no><a href=/panic>";
    let parsed = parser.parse(fetched(get("http://h/"), Ok(html(body))));
    let ends: Vec<_> = parsed.found.iter().map(|f| (f.request.url.path(), f.filtered)).collect();
    assert_eq!(
        ends,
        [
            ("/a", None),
            ("/no", Some(FilterReason::Refused)),
            ("/deep/no", Some(FilterReason::TooDeep)),
            ("/panic", Some(FilterReason::Refused)),
        ]
    );
    let first = &parsed.found[0].request;
    assert_eq!((first.depth, first.headers.len()), (1, 1));
    let stats = parser.stats();
    assert_eq!((stats["refused: unwanted"], stats["refused: step panicked"]), (1, 1), "{stats:?}");
}

/// Makes pages that say `ban` what they are, and changes all others.
struct Honest;

impl ResponseHook for Honest {
    fn after_response(&self, request: &Request, response: &mut Response) {
        assert_eq!(request.url.host_str(), "h");
        match &*response.body {
            b"ban" => response.status = 429,
            b"panic" => panic!("at this answer"),
            _ => response.body = Bytes::from_static(b"3, 4"),
        }
    }
}

#[test]
fn a_hook_changes_what_is_judged_read_and_kept() {
    let parser = parser(Stepping).with_hook(Arc::new(Honest));
    let parsed = parser.parse(fetched(get("http://h/p"), Ok(html("1"))));
    assert_eq!((verdict(&parsed), parsed.items.kept.len()), (Verdict::Ok, 2));
    assert_eq!(&*parsed.response.unwrap().body, b"3, 4");
    assert_eq!(parsed.record.bytes, 4);
    let banned = parser.parse(fetched(get("http://h/p"), Ok(html("ban"))));
    assert_eq!((verdict(&banned), banned.record.status), (Verdict::RateLimited, Some(429)));
    let errand = Errand::Page(get("http://h/p"));
    let again = fetched_for(errand, Ok(html("ban")), false, Arc::new(Abandoned::default()));
    assert!(matches!(parser.parse(again).ending, Ending::Retry { .. }));
    let panicked = parser.parse(fetched(get("http://h/p"), Ok(html("panic"))));
    assert_eq!(verdict(&panicked), Verdict::SpiderPanic);
    // A robots.txt is nobody's page.
    let url = url("http://h/robots.txt");
    let errand = Errand::Robots { origin: url.origin(), url };
    let robots = fetched_for(errand, Ok(html("panic")), true, Arc::new(Abandoned::default()));
    assert!(matches!(parser.parse(robots).ending, Ending::Robots(RobotsReply::Rules(_))));
}

#[test]
fn a_page_that_asks_not_to_be_kept_leaves_no_dropped_items_either() {
    let config = ParseConfig { obey_noindex: true, ..ParseConfig::default() };
    let parser = parser_with(Stepping, config, &[]).with_pipeline(Pipeline::default());
    let reply = response(200, &[("x-robots-tag", "noindex")], "0, 1");
    let parsed = parser.parse(fetched(get("http://h/p"), Ok(reply)));
    assert_eq!(verdict(&parsed), Verdict::NoIndex);
    assert!(parsed.items.kept.is_empty() && parsed.items.dropped.is_empty());
    assert_eq!(parsed.items.fields.n_items(), 0);
}

/// Says in `closed` what it is told there.
struct Ends(&'static str);

impl Spider for Ends {
    fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
        Ok(())
    }

    fn closed(&self, closed: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.log(LogLevel::Info, format!("{} {}", closed.reason, closed.n_pages));
        out.stat("closed", 1);
        match self.0 {
            "item" => out.item(&1),
            "error" => Err("in vain".into()),
            "panic" => panic!("at the end"),
            _ => Ok(()),
        }
    }
}

#[test]
fn what_a_spider_says_at_its_end_is_kept_and_its_faults_are_told() {
    for (kind, fault) in [
        ("well", ""),
        ("item", "`closed` made 1 items and 0 requests, which are lost"),
        ("error", "`closed` failed: in vain"),
        ("panic", "the spider panicked in `closed`: at the end"),
    ] {
        let lines = Arc::new(Lines::default());
        let parser = parser(Ends(kind)).with_log(lines.clone());
        parser.closed(&Closed { reason: "finished", n_pages: 3, n_items: 0 });
        assert_eq!(parser.stats()["closed"], 1);
        let said = lines.0.lock().unwrap().join("\n");
        assert!(said.contains("finished 3") && said.contains(fault), "{kind}: {said}");
        assert_eq!(said.lines().count(), if fault.is_empty() { 1 } else { 2 });
    }
}
