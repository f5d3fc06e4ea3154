//! What is asked and answered, as bytes.

use crawl_model::{Request, Response};
use crawl_spider::abi::wire::{
    ClosedFrame, Description, FailedFrame, ItemFrame, Reader, Wire, WireError, get_page, put_page,
};
use crawl_spider::{Harvested, Page, SpiderError};

/// Both halves are one program; should they ever not be, they do not understand each other.
pub(super) const VERSION: &str = concat!("crawl-plugin ", env!("CARGO_PKG_VERSION"), " 1");

/// Statuses that a spider is asked about beforehand.
pub(super) const STATUSES: std::ops::Range<u16> = 0..1000;

const GREET: u64 = 0;
const START: u64 = 1;
const PARSE: u64 = 2;
const ERROR: u64 = 3;
const CLOSED: u64 = 4;
const ITEM: u64 = 5;
const REQUEST: u64 = 6;

/// What the parent asks.
#[derive(Debug)]
pub(super) enum Question {
    /// The first one: who are you?
    Greet(Greeting),
    /// Call `start`.
    Start,
    /// Call `parse`.
    Parse(Box<Sent>),
    /// Call `error`.
    Error(Box<FailedFrame>),
    /// Call `closed`.
    Closed(ClosedFrame),
    /// Put an item through its step.
    Item(Box<ItemFrame>),
    /// Put a request through its step.
    Request(Box<Request>),
}

/// A page that was sent to a child, not opened yet.
#[derive(Debug)]
pub struct Sent {
    /// What was asked.
    pub request: Request,
    /// What came.
    pub response: Response,
    /// When: milliseconds since the Unix epoch.
    pub fetched_ms: u64,
}

/// How the parent begins.
#[derive(Debug)]
pub(super) struct Greeting {
    pub(super) version: String,
    /// What the program's other half needs to know; its own affair.
    pub(super) setup: String,
    /// Most memory that the child may take; `None` for no limit.
    pub(super) memory_bytes: Option<u64>,
}

pub(super) fn greet(greeting: &Greeting) -> Vec<u8> {
    let mut out = begin(GREET);
    let Greeting { version, setup, memory_bytes } = greeting;
    version.put(&mut out);
    setup.put(&mut out);
    memory_bytes.put(&mut out);
    out
}

pub(super) fn start() -> Vec<u8> {
    begin(START)
}

pub(super) fn parse(page: &Page<'_>) -> Vec<u8> {
    let mut out = begin(PARSE);
    out.reserve(page.body().len() + 1024);
    page.services().fetched_ms().put(&mut out);
    put_page(&mut out, page);
    out
}

pub(super) fn error(failed: &FailedFrame) -> Vec<u8> {
    let mut out = begin(ERROR);
    failed.put(&mut out);
    out
}

pub(super) fn closed(closed: &ClosedFrame) -> Vec<u8> {
    let mut out = begin(CLOSED);
    closed.put(&mut out);
    out
}

pub(super) fn item(item: &ItemFrame) -> Vec<u8> {
    let mut out = begin(ITEM);
    item.put(&mut out);
    out
}

pub(super) fn request(request: &Request) -> Vec<u8> {
    let mut out = begin(REQUEST);
    request.put(&mut out);
    out
}

fn begin(kind: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    kind.put(&mut out);
    out
}

impl Question {
    /// Reads what the parent wrote, who has looked at it before.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let mut from = Reader::trusted(bytes);
        let question = match from.get::<u64>()? {
            GREET => Self::Greet(Greeting {
                version: from.get()?,
                setup: from.get()?,
                memory_bytes: from.get()?,
            }),
            START => Self::Start,
            PARSE => {
                let fetched_ms = from.get()?;
                let (request, response) = get_page(&mut from)?;
                Self::Parse(Box::new(Sent { request, response, fetched_ms }))
            }
            ERROR => Self::Error(Box::new(from.get()?)),
            CLOSED => Self::Closed(from.get()?),
            ITEM => Self::Item(Box::new(from.get()?)),
            REQUEST => Self::Request(Box::new(from.get()?)),
            _ => return Err(WireError::Wrong("kind of question")),
        };
        from.end()?;
        Ok(question)
    }
}

/// The answer to the greeting.
#[derive(Debug)]
pub(super) struct Welcome {
    pub(super) version: String,
    /// What the spider says of itself.
    pub(super) description: Description,
    /// Which of [`STATUSES`] it wants.
    pub(super) statuses: Vec<bool>,
}

/// The answer to the greeting, or why there is no spider.
pub(super) fn welcome(welcome: &Result<Welcome, String>) -> Vec<u8> {
    let mut out = Vec::new();
    welcome.is_ok().put(&mut out);
    match welcome {
        Ok(Welcome { version, description, statuses }) => {
            version.put(&mut out);
            description.put(&mut out);
            statuses.put(&mut out);
        }
        Err(text) => text.put(&mut out),
    }
    out
}

pub(super) fn read_welcome(bytes: &[u8]) -> Result<Result<Welcome, String>, WireError> {
    let mut from = Reader::new(bytes);
    let welcome = match from.get()? {
        true => {
            Ok(Welcome { version: from.get()?, description: from.get()?, statuses: from.get()? })
        }
        false => Err(from.get()?),
    };
    from.end()?;
    Ok(welcome)
}

/// How a callback ended in the child.
#[derive(Debug)]
pub(super) enum Called {
    Done,
    /// It returned an error.
    Error(String),
    /// It panicked.
    Panic(String),
}

const DONE: u64 = 0;
const FAILED: u64 = 1;
const PANICKED: u64 = 2;

/// The answer to a callback: how it ended, and what it brought.
pub(super) fn answer(called: &Called, harvested: &Harvested) -> Vec<u8> {
    let mut out = Vec::new();
    let (kind, text) = match called {
        Called::Done => (DONE, ""),
        Called::Error(text) => (FAILED, &**text),
        Called::Panic(text) => (PANICKED, &**text),
    };
    kind.put(&mut out);
    text.to_owned().put(&mut out);
    harvested.encode_with(&mut (), &mut out);
    out
}

/// Reads what a child wrote, whom nobody trusts.
pub(super) fn read_answer(bytes: &[u8]) -> Result<(Result<(), SpiderError>, Harvested), WireError> {
    let mut from = Reader::new(bytes);
    let (kind, text): (u64, String) = (from.get()?, from.get()?);
    let result = match kind {
        DONE => Ok(()),
        FAILED => Err(SpiderError::Other(text)),
        PANICKED => Err(SpiderError::Panicked(text)),
        _ => return Err(WireError::Wrong("kind of answer")),
    };
    Ok((result, Harvested::decode(from.rest())?))
}

/// The answer to a step: what became of the thing, or the panic's message.
pub(super) fn stepped<T: Wire, E: Wire>(done: &Result<Result<T, E>, String>) -> Vec<u8> {
    let mut out = Vec::new();
    done.put(&mut out);
    out
}

pub(super) fn read_stepped<T: Wire, E: Wire>(
    bytes: &[u8],
) -> Result<Result<Result<T, E>, String>, WireError> {
    Reader::new(bytes).whole()
}
