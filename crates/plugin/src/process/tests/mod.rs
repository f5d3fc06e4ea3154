//! Children that are processes of this test binary, and do what the path of their page says.

mod answering;
mod dying;

use std::hint::black_box;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crawl_model::{CanonicalUrl, Dropped, Refusal, Request, Response, Verdict};
use crawl_parser::{PageOpener, ParseConfig};
use crawl_spider::{
    Closed, FailedRequest, Harvest, Harvested, ItemStep, LogLevel, Page, PageInfo, RequestStep,
    Spider, SpiderError, Value, json,
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

    fn item_step(&self) -> Option<&dyn ItemStep> {
        Some(self)
    }

    fn request_step(&self) -> Option<&dyn RequestStep> {
        Some(self)
    }
}

impl ItemStep for Bad {
    fn name(&self) -> &str {
        "bad items"
    }

    fn process(&self, item: Value, page: &PageInfo<'_>) -> Result<Value, Dropped> {
        match item.as_str() {
            Some("drop") => Err(Dropped::new("unwanted").because(page.url())),
            Some("panic") => panic!("over an item"),
            Some("abort") => std::process::abort(),
            _ => Ok(json!([item, page.status()])),
        }
    }
}

impl RequestStep for Bad {
    fn process(&self, request: &mut Request) -> Result<(), Refusal> {
        if request.url.path() == "/never" {
            return Err(Refusal::new("not there"));
        }
        request.label = "stepped".into();
        Ok(())
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
    let description = crawl_spider::abi::wire::Description {
        name: "g".into(),
        wants: Vec::new(),
        expressions: Vec::new(),
        item_step: None,
        request_step: None,
    };
    let welcome = frames::Welcome { version: frames::VERSION.into(), description, statuses };
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
    let opener = PageOpener::new(&ParseConfig::default(), spider);
    let result = opener.open(&request, &response, 0, |page| spider.parse(page, &mut out));
    (result, out.into_parts())
}

fn pid(harvested: &Harvested) -> u64 {
    let item: Value = serde_json::from_str(&harvested.items[0].json).unwrap();
    item["pid"].as_u64().unwrap()
}
