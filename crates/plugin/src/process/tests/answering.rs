//! Questions and answers.

use super::*;

#[test]
fn all_callbacks_run_in_one_child_and_bring_their_harvest() {
    let spider = bad(LONG);
    assert_eq!(Spider::name(&spider), "bad");
    assert!(spider.wants_status(404) && !spider.wants_status(200) && !spider.wants_status(1000));
    let (result, first) = read(&spider, "/a", &vec![b'x'; 3_000_000]);
    result.unwrap();
    assert!(first.items[0].json.contains(r#""path":"/a","bytes":3000000"#), "{:?}", first.items);
    assert_eq!((first.logs.len(), first.stats["pages"]), (1, 1));
    let second = read(&spider, "/print", b"").1;
    assert_eq!(pid(&first), pid(&second), "the same child");
    assert_ne!(pid(&first), u64::from(std::process::id()));

    let mut out = Harvest::new();
    spider.start(&mut out).unwrap();
    let request = Request::get(CanonicalUrl::parse("http://h/").unwrap());
    spider.error(&FailedRequest::new(&request, Verdict::Timeout, None, "late"), &mut out).unwrap();
    spider.closed(&Closed { reason: "finished", n_pages: 1, n_items: 2 }, &mut out).unwrap();
    let parts = out.into_parts();
    assert_eq!(parts.follows[0].url().as_str(), "http://h/begin");
    assert_eq!((&*parts.items[0].json, &*parts.logs[0].text), ("\"late\"", "finished"));
}

#[test]
fn errors_and_panics_come_back_with_what_was_logged_and_the_child_lives_on() {
    let spider = bad(LONG);
    let before = pid(&read(&spider, "/", b"").1);
    let (error, parts) = read(&spider, "/error", b"");
    assert!(matches!(error, Err(SpiderError::Other(text)) if text == "no"));
    assert_eq!(parts.logs[0].text, "begun");
    let (error, parts) = read(&spider, "/panic", b"");
    assert!(matches!(error, Err(SpiderError::Panicked(text)) if text == "as asked"));
    assert_eq!(parts.stats["pages"], 1);
    assert_eq!(pid(&read(&spider, "/", b"").1), before);
}

#[test]
fn steps_run_in_the_child_and_what_they_do_comes_back() {
    let spider = bad(LONG);
    let (request, _) = page("/", b"");
    let info = PageInfo::new(&request, Some(200));
    let item_step = spider.item_step().unwrap();
    assert_eq!(item_step.name(), "bad items");
    assert_eq!(item_step.process(json!({"a": 1}), &info).unwrap(), json!([{"a": 1}, 200]));
    let dropped = item_step.process(json!("drop"), &info).unwrap_err();
    assert_eq!((dropped.reason(), dropped.detail()), ("unwanted", "http://h/"));
    let panicked = catch_unwind(AssertUnwindSafe(|| item_step.process(json!("panic"), &info)));
    assert_eq!(panicked.unwrap_err().downcast_ref::<String>().unwrap(), "over an item");
    let dropped = item_step.process(json!("abort"), &info).unwrap_err();
    assert!(dropped.detail().contains("SIGABRT"), "{dropped:?}");

    let request_step = spider.request_step().unwrap();
    let mut request = request.clone();
    request_step.process(&mut request).unwrap();
    assert_eq!(&*request.label, "stepped");
    let (mut never, _) = page("/never", b"");
    assert_eq!(request_step.process(&mut never).unwrap_err().to_string(), "not there");
}

#[test]
fn plugins_that_do_not_load_say_why() {
    let error = |role, setup| Isolated::new(launch(role, setup, LONG)).unwrap_err();
    assert_eq!(error("guest", "none").to_string(), "there is no none");
    assert_eq!(error("guest", "panics").to_string(), "the plugin panicked: while loading");
    let shell = |script: &'static str| {
        let command = move || {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let command = Box::new(command);
        Isolated::new(Launch { command, ..launch("", "", LONG) }).unwrap_err()
    };
    assert!(matches!(
        shell("printf '\\377\\377\\377\\377' >&0; sleep 5"),
        IsolationError::Protocol(_)
    ));
    let died = shell("exit 3").to_string();
    assert_eq!(died, "the plugin's process ended with exit code 3 before it had loaded the plugin");
    let command = Box::new(|| Command::new("/nonexistent/crawl"));
    let error = Isolated::new(Launch { command, ..launch("", "", LONG) }).unwrap_err();
    assert!(matches!(error, IsolationError::Spawn(_)));
}

#[test]
fn answers_that_are_nonsense_are_errors_of_their_page() {
    let spider = Isolated::new(launch("garbage", "", LONG)).unwrap();
    for (path, expected) in [("/kind", "wrong kind of answer"), ("/short", "cut short")] {
        let error = read(&spider, path, b"").0.unwrap_err();
        assert!(matches!(error, SpiderError::Other(_)), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn what_a_callback_costs_more_in_a_child() {
    let spider = bad(LONG);
    let body = vec![b'x'; 24 * 1024];
    (0..100).for_each(|_| read(&spider, "/", &body).0.unwrap());
    let begun = Instant::now();
    let n = 2000;
    (0..n).for_each(|_| read(&spider, "/", &body).0.unwrap());
    let each = begun.elapsed() / n;
    println!("a question with 24 KiB and its answer: {each:?}");
    assert!(each < Duration::from_millis(20));
    let _ = std::io::stdout().flush();
}
