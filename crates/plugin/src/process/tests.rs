use std::borrow::Cow;
use std::hint::black_box;
use std::io::Write;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Request, Response, Verdict};
use crawl_spider::{
    Closed, FailedRequest, Harvest, Harvested, LogLevel, Page, PageServices, Spider, SpiderError,
    json,
};

use super::*;

/// Does what the path of its page says.
struct Bad;

impl Spider for Bad {
    fn name(&self) -> &str {
        "bad"
    }

    fn start(&self, out: &mut Harvest) -> Result<(), SpiderError> {
        out.get("http://h/begin")?;
        Ok(())
    }

    fn parse(&self, _: &Page<'_>, _: &mut Harvest) -> Result<(), SpiderError> {
        unreachable!("the guest opens no page")
    }

    fn error(&self, failed: &FailedRequest<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.item(&failed.detail())
    }

    fn closed(&self, closed: &Closed<'_>, out: &mut Harvest) -> Result<(), SpiderError> {
        out.log(LogLevel::Info, closed.reason);
        Ok(())
    }

    fn wants_status(&self, status: u16) -> bool {
        status == 404
    }
}

impl Guest for Bad {
    fn spider(&self) -> &dyn Spider {
        self
    }

    fn parse(&self, page: &Sent, out: &mut Harvest) -> Result<(), SpiderError> {
        let Sent { request, response, .. } = page;
        out.log(LogLevel::Warn, "begun");
        out.stat("pages", 1);
        match request.url.path() {
            "/panic" => panic!("as asked"),
            "/error" => return Err("no".into()),
            "/abort" => std::process::abort(),
            "/exit" => std::process::exit(7),
            "/overflow" => drop(black_box(deep(black_box(1)))),
            "/loop" => loop {
                std::hint::spin_loop();
            },
            "/eat" => eat(),
            "/print" => println!("printed by a child"),
            "/read" => {
                let mut line = String::new();
                out.stat("read", std::io::stdin().read_line(&mut line).unwrap() as i64);
            }
            "/descriptors" => out.item(&descriptors())?,
            _ => {}
        }
        out.item(&json!({ "path": request.url.path(), "bytes": response.body.len(), "pid": std::process::id() }))
    }
}

#[allow(unconditional_recursion, reason = "that is what it is for")]
fn deep(n: u64) -> u64 {
    black_box(deep(black_box(n + 1))) + 1
}

fn eat() {
    let mut all = Vec::new();
    loop {
        all.push(black_box(vec![1_u8; 16 << 20]));
    }
}

/// What is open besides standard streams and the folder that is listed.
fn descriptors() -> Vec<String> {
    let names = std::fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let targets = names.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets.map(|target| target.to_string_lossy().into_owned()).collect()
}

const ROLE: &str = "CRAWL_TEST_CHILD";

/// The child's half, in a process of this test binary's own; does nothing in the parent.
#[test]
fn child_half() {
    match std::env::var(ROLE).as_deref() {
        Ok("guest") => serve(|setup| match setup {
            "bad" => Ok(Bad),
            "panics" => panic!("while loading"),
            other => Err(format!("there is no {other}")),
        })
        .unwrap(),
        Ok("garbage") => garbage(),
        _ => return,
    }
    std::process::exit(0);
}

/// Greets well and answers with nonsense.
fn garbage() {
    use std::os::fd::{AsFd, OwnedFd};
    let socket: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let mut pipe = pipe::Pipe::new(std::os::unix::net::UnixStream::from(socket));
    pipe.receive(None).unwrap();
    let statuses = vec![true; 1000];
    let welcome = frames::Welcome { version: frames::VERSION.into(), name: "g".into(), statuses };
    pipe.send(&frames::welcome(&Ok(welcome)), None).unwrap();
    let question = pipe.receive(None).unwrap().to_vec();
    let answer: &[u8] = match question.windows(5).any(|five| five == b"/kind") {
        true => &[77, 0, 0, 0, 0, 0],
        false => &[0, 0, 255, 255, 255, 255, 15],
    };
    pipe.send(answer, None).unwrap();
    let _ = pipe.receive(None);
}

fn launch(role: &'static str, setup: &str, max_time: Duration) -> Launch {
    let command = move || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let test = "process::tests::child_half";
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(ROLE, role);
        command
    };
    Launch {
        command: Box::new(command),
        setup: setup.to_owned(),
        max_time: Some(max_time),
        memory_bytes: Some(256 << 20),
    }
}

fn bad(max_time: Duration) -> Isolated {
    Isolated::new(launch("guest", "bad", max_time)).unwrap()
}

const LONG: Duration = Duration::from_secs(30);

fn page(path: &str, body: &[u8]) -> (Request, Response) {
    let request = Request::get(CanonicalUrl::parse(&format!("http://h{path}")).unwrap());
    let response = Response {
        status: 200,
        version: "HTTP/1.1",
        headers: vec![("content-type".into(), Bytes::from_static(b"text/html"))],
        body: Bytes::copy_from_slice(body),
        truncated: None,
        remote: None,
    };
    (request, response)
}

/// Has the child read the page of this path.
fn read(spider: &Isolated, path: &str, body: &[u8]) -> (Result<(), SpiderError>, Harvested) {
    let (request, response) = page(path, body);
    let mut out = Harvest::new();
    let result = spider.parse(&Page::new(&request, &response, &NoServices), &mut out);
    (result, out.into_parts())
}

fn pid(harvested: &Harvested) -> u64 {
    let item: serde_json::Value = serde_json::from_str(&harvested.items[0].0).unwrap();
    item["pid"].as_u64().unwrap()
}

#[test]
fn all_callbacks_run_in_one_child_and_bring_their_harvest() {
    let spider = bad(LONG);
    assert_eq!(spider.name(), "bad");
    assert!(spider.wants_status(404) && !spider.wants_status(200) && !spider.wants_status(1000));
    let (result, first) = read(&spider, "/a", &vec![b'x'; 3_000_000]);
    result.unwrap();
    assert!(first.items[0].0.contains(r#""path":"/a","bytes":3000000"#), "{:?}", first.items);
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
    assert_eq!((&*parts.items[0].0, &*parts.logs[0].text), ("\"late\"", "finished"));
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

#[track_caller]
fn dies(path: &str, expected: &str) {
    let spider = bad(LONG);
    let before = pid(&read(&spider, "/", b"").1);
    let error = read(&spider, path, b"").0.unwrap_err();
    assert!(matches!(error, SpiderError::Crashed(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(expected) && text.contains("256 MiB"), "{text}");
    assert_ne!(pid(&read(&spider, "/", b"").1), before, "a new child");
}

#[test]
fn what_kills_a_process_costs_one_page() {
    dies("/abort", "was killed by SIGABRT");
    dies("/exit", "ended with exit code 7");
}

#[test]
fn an_overflown_stack_costs_one_page() {
    dies("/overflow", "was killed by SIGABRT");
}

#[test]
fn memory_is_limited() {
    dies("/eat", "was killed by SIGABRT");
}

#[test]
fn a_callback_that_does_not_return_is_ended_with_its_child() {
    let spider = bad(Duration::from_millis(300));
    let before = pid(&read(&spider, "/", b"").1);
    let begun = Instant::now();
    let error = read(&spider, "/loop", b"").0.unwrap_err();
    assert!(matches!(error, SpiderError::TimedOut(_)), "{error:?}");
    assert!(begun.elapsed() >= Duration::from_millis(300) && begun.elapsed() < LONG);
    assert!(!std::path::Path::new(&format!("/proc/{before}")).exists());
    assert_ne!(pid(&read(&spider, "/", b"").1), before);
}

#[test]
fn a_child_that_died_in_its_sleep_is_no_pages_fault() {
    let spider = bad(LONG);
    let before = pid(&read(&spider, "/", b"").1).to_string();
    assert!(Command::new("kill").args(["-KILL", &before]).status().unwrap().success());
    let begun = Instant::now();
    while std::fs::read_to_string(format!("/proc/{before}/stat")).is_ok_and(|s| !s.contains(") Z"))
    {
        assert!(begun.elapsed() < LONG);
        thread::sleep(Duration::from_millis(2));
    }
    read(&spider, "/", b"").0.unwrap();
}

#[test]
fn callbacks_at_the_same_time_have_children_of_their_own() {
    let spider = Arc::new(bad(Duration::from_secs(1)));
    let late = thread::spawn({
        let spider = spider.clone();
        move || read(&spider, "/loop", b"").0.unwrap_err()
    });
    for _ in 0..20 {
        read(&spider, "/", b"").0.unwrap();
    }
    assert!(matches!(late.join().unwrap(), SpiderError::TimedOut(_)));
}

#[test]
fn a_child_has_its_socket_and_no_other_descriptor_of_ours() {
    let secret = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let spider = bad(LONG);
    let (result, parts) = read(&spider, "/descriptors", b"");
    result.unwrap();
    let open: Vec<String> = serde_json::from_str(&parts.items[0].0).unwrap();
    let sockets = open.iter().filter(|target| target.starts_with("socket:")).count();
    // Its own one, and the copy that the watch over the parent has.
    assert_eq!(sockets, 2, "{open:?}");
    let (result, parts) = read(&spider, "/read", b"");
    result.unwrap();
    assert_eq!(parts.stats["read"], 0, "standard input is empty");
    drop(secret);
}

#[test]
fn children_end_with_their_parent_even_in_an_endless_loop() {
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    // A parent that is killed closes its end of the pipe and does nothing else; so do we.
    let (ours, theirs) = UnixStream::pair().unwrap();
    let command = launch("guest", "", LONG).command;
    let mut process = command().stdin(OwnedFd::from(theirs)).spawn().unwrap();
    let mut pipe = pipe::Pipe::new(ours);
    let greeting = frames::Greeting {
        version: frames::VERSION.into(),
        setup: "bad".into(),
        memory_bytes: None,
    };
    pipe.send(&frames::greet(&greeting), None).unwrap();
    frames::read_welcome(pipe.receive(None).unwrap()).unwrap().unwrap();
    let (request, response) = page("/loop", b"");
    pipe.send(&frames::parse(&Page::new(&request, &response, &NoServices)), None).unwrap();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(process.try_wait().unwrap(), None);
    drop(pipe);
    let begun = Instant::now();
    while process.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LONG, "it lives on");
        thread::sleep(Duration::from_millis(5));
    }
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

/// A page nobody looks into.
struct NoServices;

macro_rules! no_services {
    ($(fn $name:ident(&self $(, $arg:ident: $type:ty)*) -> $out:ty;)*) => {
        impl PageServices for NoServices {
            $(fn $name(&self $(, $arg: $type)*) -> $out {
                $(let _ = $arg;)*
                unreachable!("nobody asks")
            })*

            fn fetched_ms(&self) -> u64 {
                0
            }

            fn text_content(&self, _: crawl_spider::NodeId) -> Cow<'_, str> {
                unreachable!("nobody asks")
            }

            fn encode<'t>(&self, _: &'t str, _: &str) -> Cow<'t, [u8]> {
                unreachable!("nobody asks")
            }
        }
    };
}

no_services! {
    fn select(&self, css: &str, root: Option<crawl_spider::NodeId>) -> Result<Vec<crawl_spider::NodeId>, crawl_spider::SelectorError>;
    fn xpath(&self, expr: &str, root: Option<crawl_spider::NodeId>) -> Result<crawl_spider::Evaluated, crawl_spider::SelectorError>;
    fn attr(&self, node: crawl_spider::NodeId, name: &str) -> Option<&str>;
    fn html(&self, node: crawl_spider::NodeId) -> String;
    fn tag(&self, node: crawl_spider::NodeId) -> &str;
    fn links(&self) -> &[crawl_spider::Link];
    fn decoded(&self) -> &str;
    fn join(&self, href: &str) -> Result<CanonicalUrl, crawl_model::UrlError>;
    fn title(&self) -> &str;
    fn json_path(&self, path: &str) -> Result<Vec<&serde_json::Value>, SpiderError>;
    fn csv(&self) -> crawl_spider::CsvRows<'_>;
    fn find(&self, pattern: &str, text: &str, most: usize) -> Result<Vec<String>, crawl_spider::QueryError>;
    fn step(&self, node: crawl_spider::NodeId, step: crawl_spider::Step) -> Option<crawl_spider::NodeId>;
    fn attrs(&self, node: crawl_spider::NodeId) -> Vec<(&str, &str)>;
    fn forms(&self) -> &[crawl_spider::FormParts];
    fn metadata(&self) -> &crawl_spider::Metadata;
    fn structured(&self) -> &crawl_spider::StructuredData;
    fn table(&self, node: crawl_spider::NodeId) -> Option<crawl_spider::Table>;
    fn markdown(&self, node: Option<crawl_spider::NodeId>) -> String;
    fn article(&self) -> Option<&crawl_spider::Article>;
}
