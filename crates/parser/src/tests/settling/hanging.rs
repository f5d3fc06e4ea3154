//! Callbacks that never return.

use super::*;

/// Hangs on pages that say so, until it is let go.
struct Hanging(Arc<AtomicBool>);

impl Spider for Hanging {
    fn parse(&self, page: &Page<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        while page.url().path() == "/hang" && !self.0.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        out.item(&json!({ "path": page.url().path() }))
    }
}

#[test]
fn a_callback_that_hangs_marks_its_page_and_the_others_go_on() {
    let let_go = Arc::new(AtomicBool::new(false));
    let config = ParseConfig { max_time: Duration::from_millis(100), ..ParseConfig::default() };
    let lines = Arc::new(Lines::default());
    let parser = parser_with(Hanging(let_go.clone()), config, &[]).with_log(lines.clone());
    let (to_parser, answers) = async_channel::bounded(16);
    let (entries, mut out) = tokio::sync::mpsc::channel(16);
    for path in ["/hang", "/1", "/hang", "/2", "/hang", "/3"] {
        let url = format!("http://h{path}");
        to_parser.send_blocking(fetched(get(&url), Ok(html("<title>T</title>")))).unwrap();
    }
    // More threads hang than there were to begin with.
    let (end, _) = Arc::new(parser).start(2, answers, entries).unwrap();
    let mut verdicts = Vec::new();
    for _ in 0..6 {
        let Some(Entry::Parsed(parsed)) = out.blocking_recv() else {
            panic!("an entry is missing")
        };
        verdicts.push((parsed.record.verdict.name(), parsed.items.kept.len(), parsed.record.error));
    }
    verdicts.sort();
    let (ok, late) = verdicts.split_at(3);
    assert!(ok.iter().all(|(name, n, _)| (*name, *n) == ("ok", 1)), "{ok:?}");
    let text = "the spider did not return within 100ms (parse.max-time)";
    assert!(
        late.iter().all(|(name, n, error)| (*name, *n, &**error) == ("spider-timeout", 0, text))
    );
    assert_eq!(lines.0.lock().unwrap().len(), 3);
    // Nobody waits for those that do not come back, and the edge closes without them.
    to_parser.close();
    assert_eq!(end.blocking_recv(), Ok(CrewEnd::Done));
    assert!(out.blocking_recv().is_none());
    let_go.store(true, Ordering::Relaxed);
}

#[test]
fn a_spider_that_hangs_on_every_page_ends_the_crawl() {
    let let_go = Arc::new(AtomicBool::new(false));
    let config = ParseConfig { max_time: Duration::from_millis(2), ..ParseConfig::default() };
    let lines = Arc::new(Lines::default());
    let parser = parser_with(Hanging(let_go.clone()), config, &[]).with_log(lines);
    let (to_parser, answers) = async_channel::bounded(200);
    let (entries, out) = tokio::sync::mpsc::channel(200);
    for _ in 0..100 {
        to_parser.send_blocking(fetched(get("http://h/hang"), Ok(html("")))).unwrap();
    }
    let (end, _) = Arc::new(parser).start(2, answers, entries).unwrap();
    assert_eq!(end.blocking_recv(), Ok(CrewEnd::Hanging));
    let_go.store(true, Ordering::Relaxed);
    assert!((60..=70).contains(&out.len()), "{}", out.len());
}

#[test]
fn when_the_grace_time_is_over_callbacks_are_let_go_and_their_tickets_report_themselves() {
    let let_go = Arc::new(AtomicBool::new(false));
    // No limit, so that nothing else ends it.
    let config = ParseConfig { max_time: Duration::ZERO, ..ParseConfig::default() };
    let lines = Arc::new(Lines::default());
    let parser = parser_with(Hanging(let_go.clone()), config, &[]).with_log(lines.clone());
    let (to_parser, answers) = async_channel::bounded(16);
    let (entries, mut out) = tokio::sync::mpsc::channel(16);
    // Both threads hang; what waits behind them is let go with them.
    for path in ["/hang", "/hang", "/never-read"] {
        let url = format!("http://h{path}");
        to_parser.send_blocking(fetched(get(&url), Ok(html("")))).unwrap();
    }
    let (end, grace) = Arc::new(parser).start(2, answers, entries).unwrap();
    to_parser.close();
    grace.now();
    let begun = std::time::Instant::now();
    assert_eq!(end.blocking_recv(), Ok(CrewEnd::Done));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(out.blocking_recv().is_none(), "nothing was settled");
    assert_eq!(lines.0.lock().unwrap().len(), 2);
    let_go.store(true, Ordering::Relaxed);
}
